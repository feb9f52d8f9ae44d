"""Which arguments does a function take, and how does a dict of them become a call?"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from dataclasses import dataclass
from inspect import Parameter
from typing import TYPE_CHECKING, Any

from caduceus._check import Mismatch, build
from caduceus._context import CallContext
from caduceus._handlers import is_generator
from caduceus._hint_names import resolved_hints
from caduceus._hints import (
    ANY,
    NO_DEFAULT,
    NULL,
    Described,
    Field,
    HintReader,
    ListOf,
    MapOf,
    OneOf,
    Record,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from caduceus._hints import Shape

POSITIONAL_KEY = "*"
"""The only key of arguments that are a list of values without names."""

CONTEXT_NAME = "ctx"
"""What a parameter without annotation is called that gets the context of the call."""

_STREAMS = (
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
)
_ITERABLES = (*_STREAMS, collections.abc.Iterable, collections.abc.AsyncIterable)


@dataclass(slots=True)
class Signature:
    """What a function takes and gives.

    Attributes
    ----------
    arguments : Shape
        Those with names, all together: a record; of a batch, those of each call.
    names : tuple of str
        The same, in their order, for values that come without names.
    positional : tuple of str
        Those that the function takes by position if more values follow.
    positional_only : int
        How many of them it takes in no other way.
    rest : Shape or None
        Of what follows behind them, if anything may.
    result : Shape
        Of the result; of each item where it streams; of each answer of a batch.
    is_stream : bool
        Whether the values come one by one.
    context_name : str or None
        The parameter that is no argument but the call's context.
    """

    arguments: Shape
    names: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    positional_only: int = 0
    rest: Shape | None = None
    result: Shape = ANY
    is_stream: bool = False
    context_name: str | None = None

    def has(self, name: str) -> bool:
        """Say whether there may be an argument `name`."""
        arguments = self.arguments
        return isinstance(arguments, Record) and (
            name in arguments.fields or arguments.others is not None
        )

    def bind(self, args: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments by position and those by name, checked and built.

        Parameters
        ----------
        args : dict
            By name; or a list of values under ``*``.

        Returns
        -------
        tuple of list and dict
            For the call.

        Raises
        ------
        Mismatch
            If they are not what the function takes.
        """
        values, rest = self._by_name(args)
        named: dict[str, Any] = build(self.arguments, values, "args")
        count = len(self.positional) if rest else self.positional_only
        given = []
        for name in self.positional[:count]:
            # What is not there has a default, or `build` would have missed it.
            given.append(named.pop(name) if name in named else self._default_of(name))
        if self.rest is not None:
            offset = len(self.names)
            for index, value in enumerate(rest):
                given.append(build(self.rest, value, f"args[{offset + index}]"))
        return given, named

    def bind_each(self, args: dict[str, Any]) -> Any:  # noqa: ANN401 - what a batched one takes
        """Return the arguments of one call of a batch, checked and built.

        Parameters
        ----------
        args : dict
            As for `bind`.

        Returns
        -------
        Any
            A dict, or what the hint of the list's items names.

        Raises
        ------
        Mismatch
            If they are not that.
        """
        values, _rest = self._by_name(args)
        return build(self.arguments, values, "args")

    def _by_name(self, args: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        values = args.get(POSITIONAL_KEY) if len(args) == 1 else None
        if not isinstance(values, list):
            return args, []
        if len(values) > len(self.names) and self.rest is None:
            raise Mismatch("args", f"are {len(values)} values, at most {len(self.names)} are taken")
        return dict(zip(self.names, values, strict=False)), values[len(self.names) :]

    def _default_of(self, name: str) -> object:
        assert isinstance(self.arguments, Record)
        return self.arguments.fields[name].default


def read_signature(name: str, function: Callable[..., Any], *, is_batched: bool) -> Signature:
    """Return what `function` takes and gives, by its parameters and hints.

    Parameters
    ----------
    name : str
        What it is called in errors.
    function : callable
        A function or bound method.
    is_batched : bool
        Whether its one argument is the list of the arguments of several calls.

    Returns
    -------
    Signature
        One that takes anything, for a function of C that does not say.

    Raises
    ------
    TypeError
        If it takes its arguments in a way that nobody can give them.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError, NameError):
        return Signature(Record("", others=ANY), rest=ANY)
    hints, reader = resolved_hints(_inner(function)), HintReader()
    context = [each for each in parameters if _is_context(each, hints)]
    if len(context) > 1:
        raise TypeError(f"operation {name}: only one parameter can be the context of the call")
    taken = [each for each in parameters if each not in context]
    signature = (
        _batched(name, taken, hints, reader) if is_batched else _ordinary(taken, hints, reader)
    )
    if context:
        signature.context_name = context[0].name
        is_last = signature.rest is None or context[0].kind is Parameter.KEYWORD_ONLY
        if context[0].kind is Parameter.POSITIONAL_ONLY or not is_last:
            raise TypeError(f"operation {name}: {context[0].name} must be given by name")
    _read_result(signature, function, hints.get("return", Any), reader, is_batched=is_batched)
    return signature


def _ordinary(taken: list[Parameter], hints: dict[str, Any], reader: HintReader) -> Signature:
    arguments = Record("")
    signature = Signature(arguments)
    positional = []
    for parameter in taken:
        shape = reader.read(hints.get(parameter.name, Any))
        if parameter.kind is Parameter.VAR_POSITIONAL:
            signature.rest = shape
            continue
        if parameter.kind is Parameter.VAR_KEYWORD:
            arguments.others = shape
            continue
        if parameter.kind is not Parameter.KEYWORD_ONLY:
            positional.append(parameter.name)
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            signature.positional_only += 1
        is_required = parameter.default is Parameter.empty
        if parameter.default is None:
            # Whoever may leave it out may say so too.
            shape = _or_null(shape)
        default = NO_DEFAULT if is_required else parameter.default
        arguments.fields[parameter.name] = Field(shape, is_required, default)
    signature.positional = tuple(positional)
    signature.names = tuple(arguments.fields) if signature.rest is None else signature.positional
    return signature


def _batched(
    name: str, taken: list[Parameter], hints: dict[str, Any], reader: HintReader
) -> Signature:
    if len(taken) != 1 or taken[0].kind in (Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD):
        raise TypeError(
            f"operation {name} is batched: it takes one argument, the list of the calls"
        )
    shape = reader.read(hints.get(taken[0].name, Any))
    each = shape.item if isinstance(shape, ListOf) else ANY
    if not isinstance(each, Record):
        each = Record("", others=each.value if isinstance(each, MapOf) else ANY)
    return Signature(each, names=tuple(each.fields))


def _read_result(
    signature: Signature,
    function: Callable[..., Any],
    hint: Any,  # noqa: ANN401
    reader: HintReader,
    *,
    is_batched: bool,
) -> None:
    origin, args = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in (collections.abc.Awaitable, collections.abc.Coroutine):
        hint = args[-1] if args else Any
        origin, args = typing.get_origin(hint) or hint, typing.get_args(hint)
    if is_batched:
        shape = reader.read(hint)
        signature.result = shape.item if isinstance(shape, ListOf) else ANY
    elif is_generator(function) or origin in _STREAMS:
        signature.is_stream = True
        signature.result = reader.read(args[0]) if origin in _ITERABLES and args else ANY
    else:
        signature.result = reader.read(hint)


def _is_context(parameter: Parameter, hints: dict[str, Any]) -> bool:
    if parameter.name not in hints:
        return parameter.name == CONTEXT_NAME
    hint = hints[parameter.name]
    return hint is CallContext or CallContext in typing.get_args(hint)


def _or_null(shape: Shape) -> Shape:
    if shape in (ANY, NULL) or (isinstance(shape, OneOf) and NULL in shape.options):
        return shape
    if isinstance(shape, Described):
        return Described(_or_null(shape.shape), shape.text)
    return OneOf((*shape.options, NULL) if isinstance(shape, OneOf) else (shape, NULL))


def _inner(function: Any) -> Any:  # noqa: ANN401
    """Return what has the annotations: the function of a partial, the method of an object."""
    while hasattr(function, "func") and hasattr(function, "keywords"):
        function = function.func
    if inspect.isroutine(function) or isinstance(function, type):
        return function
    return function if hasattr(function, "__annotations__") else function.__call__
