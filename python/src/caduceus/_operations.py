"""How does a function with type hints become a handler, which takes a dict?

Arguments are bound by name, checked and built; then the function runs; then its result is checked.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from caduceus._arguments import read_signature
from caduceus._batched import checked_results
from caduceus._check import Mismatch, verify
from caduceus._context import CallContext, current_call
from caduceus._errors import BridgeError
from caduceus._handlers import BATCHED_MARK, OPERATION_MARK, DescribedHandler, is_batched
from caduceus._hints import AnyValue
from caduceus._schemas import schema_of

if TYPE_CHECKING:
    from collections.abc import Callable


class OperationHandler(DescribedHandler):
    """A handler that calls a function with hints.

    Parameters
    ----------
    name : str
        What the operation is called.
    function : callable
        A function, or a bound method; maybe ``async def``, a generator, or `batched`.
    options : dict, optional
        Those of `operation`. Default: those that the function was given, or none.

    Raises
    ------
    TypeError
        If the function cannot be an operation; the message says why.
    """

    def __init__(
        self, name: str, function: Callable[..., Any], options: dict[str, Any] | None = None
    ) -> None:
        self.name = name
        self._is_batched = is_batched(function)
        setattr(self, BATCHED_MARK, self._is_batched)
        self._function = function
        self._signature = read_signature(name, function, is_batched=self._is_batched)
        if self._is_batched and self._signature.context_name is not None:
            # The decorated one takes the list alone.
            self._function = _below_batched(function)
        self._options = getattr(function, OPERATION_MARK, {}) if options is None else options
        self._check_key()

    def __call__(self, args: Any) -> object:  # noqa: ANN401 - a dict; of a batch, a list of them
        """Run the operation, for one call or for a batch of them."""
        if self._is_batched:
            if isinstance(args, list):
                return self._run_batch(args)
            return self._run_only(args)
        given, named = self._bind(args)
        return self._checked(self._function(*given, **named))

    def describe(self) -> dict[str, Any]:
        """Return what `operation_schemas` says of it.

        Returns
        -------
        dict
            Plain JSON: ``args``, ``result``, and what else there is to say.
        """
        signature = self._signature
        described: dict[str, Any] = {
            "args": schema_of(signature.arguments, "args"),
            "result": schema_of(signature.result, "result"),
        }
        if signature.is_stream:
            described["stream"] = True
        if self._is_batched:
            described["batch"] = True
        text = self._options.get("description") or _first_paragraph(self._function)
        if text:
            described["description"] = text
        for option in ("change", "key", "idempotent"):
            if self._options.get(option) is not None:
                described[option] = self._options[option]
        return described

    def takes(self, name: str) -> bool:
        """Say whether there is an argument `name`."""
        return self._signature.has(name)

    def _check_key(self) -> None:
        key = self._options.get("key")
        if key is not None and not self._signature.has(key):
            raise TypeError(f"operation {self.name}: its key {key!r} is none of its arguments")

    def _bind(self, args: Any) -> tuple[list[Any], dict[str, Any]]:  # noqa: ANN401
        try:
            given, named = self._signature.bind(args)
        except Mismatch as mismatch:
            raise BridgeError(f"{self.name}: {mismatch}", code="invalid_arguments") from (
                mismatch.__cause__
            )
        if self._signature.context_name is not None:
            named[self._signature.context_name] = self._context()
        return given, named

    def _context(self) -> CallContext:
        # Outside a worker, as in a test of the bridge, nobody else is there to be asked.
        return current_call() or CallContext(0, None, self.name)

    def _checked(self, result: object) -> object:
        shape = self._signature.result
        if isinstance(result, Awaitable):
            return self._checked_later(result)
        if isinstance(result, Generator):
            return _checked_items(self, result)
        if isinstance(result, AsyncGenerator):
            return _checked_async_items(self, result)
        if self._signature.is_stream and isinstance(result, Iterator):
            return _checked_items(self, (item for item in result))
        if not isinstance(shape, AnyValue):
            self.check(result, "result")
        return result

    async def _checked_later(self, awaitable: Awaitable[object]) -> object:
        return self._checked(await awaitable)

    def check(self, value: object, path: str) -> None:
        """Refuse a result, or an item of a stream, that is not what the function promises."""
        try:
            verify(self._signature.result, value, path)
        except Mismatch as mismatch:
            raise BridgeError(f"{self.name}: {mismatch}", code="invalid_result") from None

    def _run_batch(self, calls: list[Any]) -> object:
        built = [self._built(args) for args in calls]
        sound = [args for args in built if not isinstance(args, BridgeError)]
        named: dict[str, Any] = {}
        if self._signature.context_name is not None:
            named[self._signature.context_name] = self._context()
        results = self._function(sound, **named) if sound else []
        if isinstance(results, Awaitable):
            return self._answers_later(built, results)
        return self._answers(built, results)

    def _built(self, args: Any) -> Any:  # noqa: ANN401
        try:
            return self._signature.bind_each(args)
        except Mismatch as mismatch:
            return BridgeError(f"{self.name}: {mismatch}", code="invalid_arguments")

    def _answers(self, built: list[Any], results: object) -> object:
        count = sum(not isinstance(args, BridgeError) for args in built)
        answers = iter(checked_results(results, count, self.name))
        return [
            args if isinstance(args, BridgeError) else self._answer(next(answers)) for args in built
        ]

    async def _answers_later(self, built: list[Any], results: Awaitable[object]) -> object:
        return self._answers(built, await results)

    def _answer(self, answer: object) -> object:
        if isinstance(answer, Exception):
            return answer
        try:
            self.check(answer, "result")
        except BridgeError as error:
            return error
        return answer

    def _run_only(self, args: object) -> object:
        answers = self._run_batch([args])
        return _only_later(answers) if isinstance(answers, Awaitable) else _only(answers)


def _checked_items(
    handler: OperationHandler, generator: Generator[object, None, object]
) -> Generator[object, None, None]:
    try:
        for number, item in enumerate(generator):
            handler.check(item, f"item[{number}]")
            yield item
    finally:
        generator.close()


async def _checked_async_items(
    handler: OperationHandler, generator: AsyncGenerator[object, None]
) -> AsyncGenerator[object, None]:
    number = 0
    try:
        async for item in generator:
            handler.check(item, f"item[{number}]")
            yield item
            number += 1
    finally:
        await generator.aclose()


def _only(answers: Any) -> object:  # noqa: ANN401 - a list of one
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]


async def _only_later(answers: Awaitable[Any]) -> object:
    return _only(await answers)


def _below_batched(function: Any) -> Callable[..., Any]:  # noqa: ANN401 - a function or a method
    inner: Callable[..., Any] = getattr(function, "__func__", function).__wrapped__
    owner = getattr(function, "__self__", None)
    return inner if owner is None else partial(inner, owner)


def _first_paragraph(function: object) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.partition("\n\n")[0].split())
