"""Which calls for vectors or labels can be answered in one pass, and who gets which part of it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from caduceus._errors import BridgeError
from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._transformers_encode import classify_texts, embed_texts
from caduceus.bridges._transformers_models import POOLINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from caduceus.bridges._transformers_imports import Framework
    from caduceus.bridges._transformers_models import Model

    FindModel = Callable[[str, str, str], Model]

EMBED = {
    "model_id": Argument((str,), is_required=True),
    "text": Argument((str, list)),
    "pooling": Argument((str,)),
    "normalize": Argument((bool,)),
    "truncate": Argument((bool,)),
}
"""The arguments of ``embed``."""

CLASSIFY = {
    "model_id": Argument((str,), is_required=True),
    "text": Argument((str, list)),
    "top_k": Argument((int,), minimum=1),
    "truncate": Argument((bool,)),
}
"""The arguments of ``classify``."""


class Encoding(NamedTuple):
    """An operation that gives something for each text.

    Attributes
    ----------
    op : str
        Its name, and that of the task that its models are loaded for.
    arguments : mapping of str to Argument
        What it takes.
    options : tuple of str
        Arguments in which calls must agree to be answered in one pass.
    run : callable
        Takes the framework, the weights, texts and options; gives one row for each text.
    """

    op: str
    arguments: Mapping[str, Argument]
    options: tuple[str, ...]
    run: Callable[..., Sequence[Any]]


EMBEDDING = Encoding("embed", EMBED, ("model_id", "truncate", "pooling", "normalize"), embed_texts)
CLASSIFICATION = Encoding("classify", CLASSIFY, ("model_id", "truncate", "top_k"), classify_texts)


class _Asked(NamedTuple):
    """A call that can be answered: which one, what it says, and the texts in it."""

    position: int
    args: Mapping[str, Any]
    texts: list[str]


def answer_calls(
    encoding: Encoding,
    calls: Sequence[Mapping[str, Any]],
    framework: Framework,
    find_model: FindModel,
) -> list[Any]:
    """Answer each of `calls`; those that want the same of the same model in one pass.

    Parameters
    ----------
    encoding : Encoding
        The operation.
    calls : sequence of mapping
        The arguments of each.
    framework : Framework
        The imported modules.
    find_model : callable
        Takes the operation, the id of a model and the task that it must be for.

    Returns
    -------
    list
        What each call gets, in their order: a `BridgeError` is the error of that call alone.
    """
    results: list[Any] = [None] * len(calls)
    groups: dict[tuple[Any, ...], list[_Asked]] = {}
    for index, args in enumerate(calls):
        try:
            check_arguments(encoding.op, args, encoding.arguments)
            _check_pooling(args)
            find_model(encoding.op, args["model_id"], encoding.op)
            asked = _Asked(index, args, _texts_of(encoding.op, args))
        except BridgeError as error:
            results[index] = error
            continue
        groups.setdefault(tuple(args.get(name) for name in encoding.options), []).append(asked)
    for group in groups.values():
        model = find_model(encoding.op, group[0].args["model_id"], encoding.op)
        _answer_group(encoding, group, framework, model, results)
    return results


def _answer_group(
    encoding: Encoding, group: list[_Asked], framework: Framework, model: Model, results: list[Any]
) -> None:
    joined = [text for asked in group for text in asked.texts]
    try:
        rows = encoding.run(framework, model.weights, joined, group[0].args)
    except BridgeError as error:
        if len(group) == 1:
            results[group[0].position] = error
            return
        # A text that is too long is nobody's fault but its own call's.
        for asked in group:
            _answer_group(encoding, [asked], framework, model, results)
        return
    model.calls_count += len(group)
    start = 0
    for asked in group:
        end = start + len(asked.texts)
        is_one = isinstance(asked.args["text"], str)
        results[asked.position] = rows[start] if is_one else rows[start:end]
        start = end


def _texts_of(op: str, args: Mapping[str, Any]) -> list[str]:
    """Return the texts of a call: the only one, or all."""
    text = args.get("text")
    texts = text if isinstance(text, list) else [text]
    for index, item in enumerate(texts):
        if not isinstance(item, str):
            where = f"text[{index}]" if isinstance(text, list) else "text"
            raise invalid(f"{op}: {where} must be a string, not {type(item).__name__}")
    return cast("list[str]", texts)


def _check_pooling(args: Mapping[str, Any]) -> None:
    """Refuse a pooling that there is not."""
    if args.get("pooling") is not None and args["pooling"] not in POOLINGS:
        raise invalid(f"embed: pooling must be one of {', '.join(POOLINGS)}")
