"""How do the functions of a module, or the methods of any object, become a bridge?"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from caduceus._handlers import OPERATION_MARK
from caduceus._operations import OperationHandler
from caduceus.base_bridge import BaseBridge

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Functions = dict[str, Callable[..., Any]]


class FunctionsBridge(BaseBridge):
    """A bridge to functions that know nothing of bridges.

    Parameters
    ----------
    name : str
        What it is called.
    version : str
        Its version.
    functions : dict of str to callable
        The operations, by name.
    mode : str, default "standalone"
        See `BaseBridge`.
    worker_id : str, optional
        See `BaseBridge`.
    """

    def __init__(
        self,
        name: str,
        version: str,
        functions: Functions,
        mode: str = "standalone",
        worker_id: str | None = None,
    ) -> None:
        self._name = name
        self._version = version
        self._functions = functions
        super().__init__(mode=mode, worker_id=worker_id)

    def get_framework_info(self) -> dict[str, Any]:
        """Describe the bridge.

        Returns
        -------
        dict
            ``name``, ``version`` and no ``capabilities``.
        """
        return {"name": self._name, "version": self._version, "capabilities": []}

    def _register_handlers(self) -> None:
        for attribute, function in self._functions.items():
            name = getattr(function, OPERATION_MARK, {}).get("name") or attribute
            self._handlers[name] = OperationHandler(name, function)

    def _initialize_framework(self) -> None:
        """Do nothing: the module has been imported, the object made."""


def functions_of_module(module: ModuleType) -> Functions:
    """Return the public functions of a module.

    Parameters
    ----------
    module : module
        Imported.

    Returns
    -------
    dict of str to callable
        What ``__all__`` names and can be called, but for classes; without it, the functions that
        are defined there and whose name has no ``_`` in front.

    Raises
    ------
    AttributeError
        If ``__all__`` names what is not there.
    """
    names = getattr(module, "__all__", None)
    if names is not None:
        named = {name: getattr(module, name) for name in names}
        return {name: value for name, value in named.items() if _is_function(value)}
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and _is_function(value)
        and getattr(value, "__module__", None) == module.__name__
    }


def methods_of(instance: object) -> Functions:
    """Return the public methods of an object.

    Parameters
    ----------
    instance : object
        Of any class.

    Returns
    -------
    dict of str to callable
        Bound, those of base classes first.
    """
    cls = type(instance)
    names: dict[str, None] = {}
    for base in reversed(cls.__mro__):
        names.update(dict.fromkeys(vars(base)) if base is not object else {})
    methods: Functions = {}
    for name in names:
        # Looked up without running anything: a property is no method.
        found = inspect.getattr_static(cls, name)
        is_wrapped = isinstance(found, (staticmethod, classmethod)) or _is_function(found)
        if not name.startswith("_") and is_wrapped:
            methods[name] = getattr(instance, name)
    return methods


def _is_function(value: object) -> bool:
    """Say whether it is a function, of Python or C, or something that wraps one."""
    is_made_from_one = hasattr(value, "__wrapped__") and callable(value)
    return inspect.isroutine(value) or (is_made_from_one and not isinstance(value, type))
