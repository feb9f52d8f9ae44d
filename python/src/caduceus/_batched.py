"""How does a bridge say that a handler works on several calls at once?"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus._handlers import BATCHED_MARK, is_generator

if TYPE_CHECKING:
    from collections.abc import Callable


def batched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Declare that a handler takes several calls at once, and answers each.

    Calls that Node has put together (an operation with ``batch`` in its adapter) are then one call
    of `function`: with the list of their argument dicts, and with one result for each in the list
    that it returns. A call that comes alone is a list of one. Without this decorator a handler is
    called for each of them, one after the other.

    Parameters
    ----------
    function : callable
        A function or method, maybe ``async def``, whose last positional argument is a list of
        dicts. It returns a list or tuple of the same length. An `Exception` in the place of a
        result is the error of that call alone; what the function raises is the error of all.

    Returns
    -------
    callable
        A handler. Called with one dict it gives the one result, or raises the one error; called
        with a list it is `function` itself.

    Raises
    ------
    TypeError
        For a generator: all results of a batch are returned together.

    Examples
    --------
    >>> @batched
    ... def square(calls):
    ...     return [args["n"] ** 2 if "n" in args else KeyError("n") for args in calls]
    >>> square([{"n": 2}, {}])
    [4, KeyError('n')]
    >>> square({"n": 3})
    9
    """
    name = getattr(function, "__name__", "a handler")
    if is_generator(function):
        raise TypeError(f"{name} cannot be batched: it is a generator, and must return a list")

    @wraps(function)
    def handler(*given: Any) -> object:  # noqa: ANN401 - what a method is bound to, and its arguments
        *bound, args = given
        if isinstance(args, list):
            return function(*bound, args)
        results = function(*bound, [args])
        if isinstance(results, Awaitable):
            return _only_of_awaited(results, name)
        return _only_of(results, name)

    setattr(handler, BATCHED_MARK, True)
    return handler


def checked_results(results: object, count: int, name: str) -> Sequence[object]:
    """Return what a batched handler gave, if it is what it must be.

    Parameters
    ----------
    results : object
        What it returned.
    count : int
        How many calls it was given.
    name : str
        What it is called in the error.

    Returns
    -------
    list or tuple
        The same, one for each call.

    Raises
    ------
    BridgeError
        With code ``invalid_batch``.
    """
    if not isinstance(results, (list, tuple)):
        found = f"a value of type {type(results).__name__}"
    elif len(results) != count:
        found = f"{len(results)} results"
    else:
        return results
    raise BridgeError(
        f"{name} is batched: it must return a list of {count} results for {count} calls, "
        f"found {found}",
        code="invalid_batch",
    )


async def _only_of_awaited(results: Awaitable[object], name: str) -> object:
    return _only_of(await results, name)


def _only_of(results: object, name: str) -> object:
    (only,) = checked_results(results, 1, name)
    if isinstance(only, Exception):
        raise only
    return only
