"""How does a name in ``welcome`` become a running bridge?

Finds the module or script and what is a bridge in it: a class of ours, the class that is named, or
the module itself. What is missing is said before the import fails in the depths of somebody else's
package.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from caduceus import base_bridge
from caduceus._packages import find_missing, package_missing, requirement_of
from caduceus.base_bridge import BaseBridge

if TYPE_CHECKING:
    from types import ModuleType


class LoadError(Exception):
    """The bridge cannot be found where ``welcome`` says it is; the message says what was found."""


class BridgeSpec(NamedTuple):
    """Where a bridge is and what it needs.

    Attributes
    ----------
    module : str or None
        An importable name; or else `script` is set.
    script : str or None
        The absolute path of a ``.py`` file.
    class_name : str or None
        Any class. None means: the only concrete subclass of `BaseBridge` that the module defines,
        or its public functions if it defines none.
    framework : str or None
        What the bridge is called in errors.
    required_packages : tuple of str
        Distribution names.
    """

    module: str | None = None
    script: str | None = None
    class_name: str | None = None
    framework: str | None = None
    required_packages: tuple[str, ...] = ()

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> BridgeSpec:
        """Read the ``bridge`` object of a ``welcome``.

        Parameters
        ----------
        message : dict
            With ``module`` or ``script``, and optionally ``class``, ``framework``,
            ``requiredPackages``.

        Returns
        -------
        BridgeSpec
            The same, checked.

        Raises
        ------
        LoadError
            If neither or both of module and script are given.
        """
        spec = cls(
            module=message.get("module"),
            script=message.get("script"),
            class_name=message.get("class"),
            framework=message.get("framework"),
            required_packages=tuple(message.get("requiredPackages") or ()),
        )
        if (spec.module is None) == (spec.script is None):
            raise LoadError("a bridge needs either a module or a script")
        return spec

    @property
    def name(self) -> str:
        """What to call the bridge in a message."""
        return self.framework or self.module or os.path.basename(self.script or "")


def build_bridge(spec: BridgeSpec, *, mode: str, worker_id: str | None) -> BaseBridge:
    """Import the bridge's module, find its class, and make it.

    Parameters
    ----------
    spec : BridgeSpec
        Which bridge.
    mode : str
        Passed to the constructor.
    worker_id : str or None
        Passed to the constructor.

    Returns
    -------
    BaseBridge
        Ready for calls.

    Raises
    ------
    BridgeError
        With code ``package_missing``.
    LoadError
        If there is no such file or class, or more than one class to choose from, or nothing that
        could be an operation.
    """
    missing = find_missing(spec.required_packages)
    if missing:
        raise package_missing(spec.name, missing)
    # A script written against a copy of base_bridge.py beside it runs on ours.
    sys.modules["base_bridge"] = base_bridge
    try:
        module = _import(spec)
        cls = _find_class(module, spec)
        if cls is not None and issubclass(cls, BaseBridge):
            return cls(mode=mode, worker_id=worker_id)
        return _build_of_functions(module, spec, cls, mode=mode, worker_id=worker_id)
    except ModuleNotFoundError as error:
        wanted = requirement_of(error.name or "", spec.required_packages)
        if wanted is None:
            raise
        # Installed by its metadata, yet not importable: a broken installation.
        raise package_missing(spec.name, [wanted]) from error


def _import(spec: BridgeSpec) -> ModuleType:
    if spec.module is not None:
        return importlib.import_module(spec.module)
    return _import_script(spec.script or "")


def _import_script(path: str) -> ModuleType:
    if not os.path.isabs(path) or not path.endswith(".py"):
        raise LoadError(f"the script must be the absolute path of a .py file: {path}")
    if not os.path.isfile(path):
        raise LoadError(f"there is no file {path}")
    folder, file_name = os.path.split(path)
    stem = file_name.removesuffix(".py")
    if stem in sys.modules or stem in sys.stdlib_module_names:
        raise LoadError(f"{path} has the name of the module {stem}, which it would hide; rename it")
    sys.path.insert(0, folder)
    found = importlib.util.spec_from_file_location(stem, path)
    if found is None or found.loader is None:
        raise LoadError(f"Python does not know how to load {path}")
    module = importlib.util.module_from_spec(found)
    # Under its own name, so that pickle and typing find the classes that it defines.
    sys.modules[stem] = module
    found.loader.exec_module(module)
    return module


def _find_class(module: ModuleType, spec: BridgeSpec) -> type[Any] | None:
    """Return the class that is the bridge; None if the module itself is."""
    where = _place_of(module, spec)
    if spec.class_name is not None:
        named: object = getattr(module, spec.class_name, None)
        if not isinstance(named, type):
            raise LoadError(f"{where}: {spec.class_name} is no class there")
        return named
    defined = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, BaseBridge)
        and value.__module__ == module.__name__
    ]
    # Two names for one class are one class.
    bridges = list(dict.fromkeys(defined))
    concrete = [value for value in bridges if not value.__abstractmethods__]
    if len(concrete) > 1:
        names = ", ".join(value.__name__ for value in concrete)
        raise LoadError(f"{where} defines several bridges, say which one: {names}")
    if bridges and not concrete:
        unfinished = [
            f"{value.__name__} lacks {', '.join(sorted(value.__abstractmethods__))}"
            for value in bridges
        ]
        raise LoadError(f"{where} defines no concrete bridge ({'; '.join(unfinished)})")
    return concrete[0] if concrete else None


def _build_of_functions(
    module: ModuleType, spec: BridgeSpec, cls: type[Any] | None, *, mode: str, worker_id: str | None
) -> BaseBridge:
    """Make a bridge of the public methods of a class, or of the public functions of a module."""
    # Signatures and hints are looked at with modules that a table of handlers does not need.
    from caduceus._functions import FunctionsBridge, functions_of_module, methods_of
    from caduceus.bridge import snake_case

    where = _place_of(module, spec)
    if cls is None:
        name = module.__name__.rpartition(".")[2]
        try:
            functions = functions_of_module(module)
        except AttributeError as error:
            raise LoadError(f"{where}: __all__ names what is not there: {error}") from error
        found = "defines no bridge: neither a subclass of BaseBridge nor a public function"
    else:
        name = snake_case(cls.__name__)
        functions = methods_of(_made_without_arguments(cls, where))
        found = f"is no bridge: {cls.__name__} has no public method"
    if not functions:
        raise LoadError(f"{where} {found}")
    version = getattr(module, "__version__", None)
    return FunctionsBridge(
        name, version if isinstance(version, str) else "0", functions, mode, worker_id
    )


def _made_without_arguments(cls: type[Any], where: str) -> object:
    import inspect

    try:
        inspect.signature(cls).bind()
    except ValueError:
        pass  # a class of C, which does not say what it takes
    except TypeError as error:
        raise LoadError(
            f"{where}: {cls.__name__} must be built without arguments, and has {error}; "
            "derive a class from it that knows them"
        ) from None
    return cls()


def _place_of(module: ModuleType, spec: BridgeSpec) -> str:
    return spec.script or module.__name__
