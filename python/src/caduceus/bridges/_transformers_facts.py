"""What does a model's directory say of it, besides its weights?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from caduceus.bridges._transformers_sources import Source

_UNBOUNDED_TOKENS_MIN = 10**9
"""A tokenizer without a limit says 1e30."""


def task_of(source: Source) -> str:
    """Return what a model was made for.

    Parameters
    ----------
    source : Source
        Where it is.

    Returns
    -------
    str
        A task of ``load_model``: what the classes in its configuration say.
    """
    if source.gguf_file is not None:
        return "generate"
    names = " ".join(map(str, _read_json(source.folder, "config.json").get("architectures") or ()))
    if "ForSequenceClassification" in names:
        return "classify"
    return "generate" if "ForCausalLM" in names or "LMHeadModel" in names else "embed"


def context_of(model: Any, tokenizer: Any, folder: str) -> int | None:  # noqa: ANN401
    """Return how many tokens a text may have.

    Parameters
    ----------
    model, tokenizer : object
        Of Transformers.
    folder : str
        Where they are from.

    Returns
    -------
    int or None
        The lowest of the limits that they have.
    """
    text_config = model.config.get_text_config()
    sentence = _read_json(folder, "sentence_bert_config.json")
    found = (
        getattr(text_config, "max_position_embeddings", None),
        getattr(tokenizer, "model_max_length", None),
        sentence.get("max_seq_length"),
    )
    limits = [
        int(limit)
        for limit in found
        if isinstance(limit, (int, float)) and 0 < limit < _UNBOUNDED_TOKENS_MIN
    ]
    return min(limits, default=None)


def pooling_of(folder: str) -> str:
    """Return how a model of sentence-transformers says that its vectors are to be made.

    Parameters
    ----------
    folder : str
        Where it is.

    Returns
    -------
    str
        ``cls`` or ``mean``; the latter where nothing is said.
    """
    said = _read_json(os.path.join(folder, "1_Pooling"), "config.json")
    return "cls" if said.get("pooling_mode_cls_token") is True else "mean"


def _read_json(folder: str, name: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BridgeError(
            f"load_model: {os.path.join(folder, name)} cannot be read: {error}",
            code="invalid_arguments",
        ) from error
    return found if isinstance(found, dict) else {}
