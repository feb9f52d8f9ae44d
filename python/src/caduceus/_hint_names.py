"""Which types do the annotations of a function or class name, where those may be texts?"""

from __future__ import annotations

import collections.abc
import inspect
import sys
import types
import typing
from typing import Any

from caduceus._context import CallContext


def resolved_hints(owner: Any) -> dict[str, Any]:  # noqa: ANN401 - a function or a class
    """Return the hints of a function or class as types; `Any` for those that cannot be resolved.

    Parameters
    ----------
    owner : function or class
        Whose annotations may be texts.

    Returns
    -------
    dict of str to Any
        By name; ``return`` among them. Names that only a type checker imports are looked for in
        `typing` and `collections.abc`; ``CallContext`` is ours.
    """
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except Exception:
        # Annotations are the bridge's own code, which runs now: one that fails is one of many.
        hints: dict[str, Any] = {}
    for base in reversed(owner.__mro__) if isinstance(owner, type) else (owner,):
        scope = _scope_of(base)
        for name, annotation in _annotations_of(base).items():
            hints[name] = _resolved(annotation, scope)
    return hints


def _scope_of(owner: Any) -> dict[str, Any]:  # noqa: ANN401
    scope = getattr(owner, "__globals__", None)
    if scope is None:
        scope = vars(sys.modules[owner.__module__]) if owner.__module__ in sys.modules else {}
    return {**vars(typing), **vars(collections.abc), "CallContext": CallContext, **scope}


def _annotations_of(owner: Any) -> dict[str, Any]:  # noqa: ANN401
    try:
        return inspect.get_annotations(owner)
    except Exception:
        # They may be made only when they are asked for, and a partial has none.
        return {}


def _resolved(annotation: Any, scope: dict[str, Any]) -> Any:  # noqa: ANN401
    def bearer() -> None: ...

    stub = types.FunctionType(bearer.__code__, scope)
    stub.__annotations__ = {"it": annotation}
    try:
        return typing.get_type_hints(stub, include_extras=True)["it"]
    except Exception:
        return Any
