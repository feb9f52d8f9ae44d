"""What kind of function is a handler: one that yields, one that takes several calls at once?"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCHED_MARK = "__caduceus_batched__"
"""The attribute that `batched` gives to what it decorates."""

OPERATION_MARK = "__caduceus_operation__"
"""The attribute that `operation` gives to what it decorates: a dict of its options."""


class DescribedHandler(ABC):
    """A handler that knows what it takes and gives."""

    @abstractmethod
    def __call__(self, args: Any) -> object:  # noqa: ANN401 - of a batch, a list of dicts
        """Run the operation."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what `operation_schemas` says of it."""

    @abstractmethod
    def takes(self, name: str) -> bool:
        """Say whether there may be an argument `name`."""


_CO_COROUTINE = 0x80
_CO_GENERATOR = 0x20
_CO_ASYNC_GENERATOR = 0x200


def is_generator(handler: object) -> bool:
    """Say whether calling `handler` gives a generator; inspect's answer without its import.

    Parameters
    ----------
    handler : object
        A function, a method, or a partial of one.

    Returns
    -------
    bool
        True for asynchronous generators too.
    """
    return bool(_flags_of(handler) & (_CO_GENERATOR | _CO_ASYNC_GENERATOR))


def is_coroutine(handler: object) -> bool:
    """Say whether `handler` is ``async def``, and no generator.

    Parameters
    ----------
    handler : object
        A function, a method, or a partial of one.

    Returns
    -------
    bool
        False for a plain function that returns a coroutine.
    """
    return bool(_flags_of(handler) & _CO_COROUTINE)


def is_batched(handler: object) -> bool:
    """Say whether `handler` takes the arguments of several calls at once.

    Parameters
    ----------
    handler : object
        A function, a method, or a partial of one.

    Returns
    -------
    bool
        True if what it comes from was decorated with `batched`.
    """
    # Not just true: a mock has every attribute.
    return any(getattr(layer, BATCHED_MARK, None) is True for layer in _layers(handler))


def _flags_of(handler: object) -> int:
    code = None
    for layer in _layers(handler):
        code = getattr(layer, "__code__", None)
    return 0 if code is None else int(code.co_flags)


def _layers(handler: object) -> Iterator[object]:
    """Yield `handler` and what is inside it: the function of a method, of a partial."""
    while True:
        yield handler
        if hasattr(handler, "__func__"):
            handler = handler.__func__
        elif hasattr(handler, "func") and hasattr(handler, "keywords"):
            # A functools.partial.
            handler = handler.func
        else:
            return
