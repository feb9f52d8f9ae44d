"""What exactly is a model asked to write: after which tokens, how many, chosen how?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus.bridges._arguments import Argument, invalid
from caduceus.bridges._transformers_generate import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caduceus.bridges._transformers_models import Weights

GENERATE = {
    "model_id": Argument((str,), is_required=True),
    "prompt": Argument((str,)),
    "messages": Argument((list,)),
    "max_length": Argument((int,), minimum=1),
    "max_new_tokens": Argument((int,), minimum=1),
    "do_sample": Argument((bool,)),
    "temperature": Argument((float,), minimum=0),
    "top_p": Argument((float,), minimum=0),
    "top_k": Argument((int,), minimum=0),
    "min_p": Argument((float,), minimum=0),
    "repetition_penalty": Argument((float,), minimum=0.01),
    "seed": Argument((int,), minimum=0),
    "stop": Argument((str, list)),
}
"""The arguments of ``generate`` and ``stream_generate``."""

LENGTH_TOKENS_DEFAULT = 100
"""Prompt and text together, as the ported design has it."""

STOPS_MAX = 16

_SEED_MAX = 2**63 - 1
_SAMPLING = ("temperature", "top_p", "top_k", "min_p")


def make_request(weights: Weights, args: Mapping[str, Any]) -> Request:
    """Turn arguments into tokens and limits.

    Parameters
    ----------
    weights : Weights
        The model.
    args : mapping
        Of `GENERATE`, checked against it.

    Returns
    -------
    Request
        What to write.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, or ``context_length_exceeded`` if the model cannot see so
        much.
    """
    sampling, stops, seed = _sampling_of(args), _stops_of(args.get("stop")), args.get("seed")
    if seed is not None and seed > _SEED_MAX:
        raise invalid(f"generate: seed must be at most {_SEED_MAX}")
    prompt_ids = _prompt_ids_of(weights, args)
    count, context_max = len(prompt_ids), weights.context_tokens_max
    if context_max is not None and count >= context_max:
        raise BridgeError(
            f"generate: the prompt has {count} tokens, and the model sees {context_max} in all",
            code="context_length_exceeded",
        )
    new_tokens_max: int | None = args.get("max_new_tokens")
    if new_tokens_max is None:
        length_max = args.get("max_length") or LENGTH_TOKENS_DEFAULT
        new_tokens_max = length_max - count
        if new_tokens_max < 1:
            raise invalid(
                f"generate: the prompt has {count} tokens, and max_length is {length_max} for "
                "prompt and text together; raise it, or give max_new_tokens"
            )
    if context_max is not None:
        new_tokens_max = min(new_tokens_max, context_max - count)
    return Request(prompt_ids, new_tokens_max, stops, seed, sampling)


def _sampling_of(args: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("top_p", "min_p"):
        value = args.get(name)
        if value is not None and value > 1:
            raise invalid(f"generate: {name} must be at most 1, not {value}")
    options = {name: args[name] for name in _SAMPLING if args.get(name) is not None}
    do_sample = args.get("do_sample")
    if do_sample is None:
        # Asking for one of them is asking for chance; a temperature of zero asks for none.
        do_sample = bool(options) and options.get("temperature") != 0
    if do_sample and options.get("temperature") == 0:
        raise invalid("generate: do_sample needs a temperature above 0")
    found: dict[str, Any] = {"do_sample": do_sample, **(options if do_sample else {})}
    if args.get("repetition_penalty") is not None:
        found["repetition_penalty"] = float(args["repetition_penalty"])
    return found


def _stops_of(stop: str | list[Any] | None) -> tuple[str, ...]:
    stops = [stop] if isinstance(stop, str) else stop or []
    if len(stops) > STOPS_MAX or not all(isinstance(item, str) and item for item in stops):
        raise invalid(f"generate: stop must be a text or at most {STOPS_MAX} of them, none empty")
    return tuple(stops)


def _prompt_ids_of(weights: Weights, args: Mapping[str, Any]) -> list[int]:
    prompt, messages = args.get("prompt"), args.get("messages")
    if (prompt is None) == (messages is None):
        raise invalid("generate needs either prompt or messages")
    tokenizer = weights.tokenizer
    if messages is not None:
        ids = _chat_ids(weights, messages)
    else:
        ids = list(tokenizer(prompt)["input_ids"])
    if ids:
        return ids
    if tokenizer.bos_token_id is None:
        raise invalid("generate: the prompt is empty, and this model has no token to begin with")
    return [int(tokenizer.bos_token_id)]


def _chat_ids(weights: Weights, messages: list[Any]) -> list[int]:
    tokenizer = weights.tokenizer
    for index, message in enumerate(messages):
        is_one = isinstance(message, dict) and set(message) == {"role", "content"}
        if not is_one or not all(isinstance(value, str) for value in message.values()):
            raise invalid(
                f"generate: messages[{index}] must be {{role, content}}, both of them texts"
            )
    if not messages:
        raise invalid("generate: messages must not be empty")
    if tokenizer.chat_template is None:
        raise invalid("generate: this model has no chat template: it takes a prompt, no messages")
    try:
        found = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True
        )
    except Exception as error:
        # The template is the model's own: which roles it takes, in which order, is for it to say.
        raise invalid(
            f"generate: the model's chat template refuses the messages: {error}"
        ) from error
    return [int(item) for item in found["input_ids"]]
