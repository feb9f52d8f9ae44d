"""Which vector, which label does a text have? Many texts at once, whoever they come from."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus.bridges._transformers_faults import computing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from caduceus.bridges._transformers_imports import Framework
    from caduceus.bridges._transformers_models import Weights

TEXTS_AT_ONCE_MAX = 32
"""More in one pass take more memory and no less time."""


def embed_texts(
    framework: Framework, weights: Weights, texts: Sequence[str], options: Mapping[str, Any]
) -> Any:  # noqa: ANN401 - NumPy is no dependency
    """Return the vectors of `texts`.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    weights : Weights
        A model for the task ``embed``.
    texts : sequence of str
        Any number.
    options : mapping
        ``pooling``, ``normalize`` (true by default) and ``truncate``.

    Returns
    -------
    numpy.ndarray
        float32, one row for each text.
    """
    torch = framework.torch
    pooling = options.get("pooling") or weights.pooling

    def pool(output: Any, mask: Any) -> Any:  # noqa: ANN401 - tensors
        states = output.last_hidden_state.float()
        if pooling == "cls":
            vectors = states[:, 0]
        else:
            counted = mask.unsqueeze(-1).to(states.dtype)
            vectors = (states * counted).sum(1) / counted.sum(1).clamp(min=1e-9)
        if options.get("normalize") is False:
            return vectors
        return torch.nn.functional.normalize(vectors, p=2, dim=1)

    rows = _run("embed", framework, weights, texts, options, pool)
    if rows is None:
        return torch.empty((0, weights.model.config.hidden_size)).numpy()
    return rows.numpy()


def classify_texts(
    framework: Framework, weights: Weights, texts: Sequence[str], options: Mapping[str, Any]
) -> list[list[dict[str, Any]]]:
    """Return the labels of `texts`, the likeliest first.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    weights : Weights
        A model for the task ``classify``.
    texts : sequence of str
        Any number.
    options : mapping
        ``top_k`` (all by default) and ``truncate``.

    Returns
    -------
    list of list of dict
        For each text, ``label`` and ``score`` of each label.
    """
    torch, config = framework.torch, weights.model.config

    def score(output: Any, _mask: Any) -> Any:  # noqa: ANN401 - tensors
        logits = output.logits.float()
        if config.problem_type == "regression":
            return logits
        if config.problem_type == "multi_label_classification" or config.num_labels == 1:
            return torch.sigmoid(logits)
        return torch.softmax(logits, dim=-1)

    rows = _run("classify", framework, weights, texts, options, score)
    if rows is None:
        return []
    names = [str(config.id2label[index]) for index in range(config.num_labels)]
    found = []
    for row in rows.tolist():
        labels = [{"label": name, "score": value} for name, value in zip(names, row, strict=True)]
        labels.sort(key=lambda item: -item["score"])
        found.append(labels[: options.get("top_k")])
    return found


def _run(
    op: str,
    framework: Framework,
    weights: Weights,
    texts: Sequence[str],
    options: Mapping[str, Any],
    finish: Callable[[Any, Any], Any],
) -> Any:  # noqa: ANN401 - a tensor
    """Run the model over all texts, like ones together, and return their rows in order."""
    if not texts:
        return None
    torch, call = framework.torch, current_call()
    taken = set(inspect.signature(weights.model.forward).parameters)
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    rows: list[Any] = [None] * len(texts)
    with computing(framework, op), torch.inference_mode():
        for start in range(0, len(order), TEXTS_AT_ONCE_MAX):
            if call is not None:
                call.raise_if_cancelled()
            part = order[start : start + TEXTS_AT_ONCE_MAX]
            inputs = _tokens_of(op, weights, [texts[index] for index in part], options)
            inputs = inputs.to(weights.model.device)
            # A tokenizer may give more than this model takes.
            output = weights.model(**{k: v for k, v in inputs.items() if k in taken})
            for index, row in zip(
                part, finish(output, inputs["attention_mask"]).cpu(), strict=True
            ):
                rows[index] = row
        return torch.stack(rows)


def _tokens_of(op: str, weights: Weights, texts: list[str], options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - tensors by name
    tokenizer, limit = weights.tokenizer, weights.context_tokens_max
    if limit is not None and options.get("truncate") is False:
        longest = max(len(ids) for ids in tokenizer(texts)["input_ids"])
        if longest > limit:
            raise BridgeError(
                f"{op}: a text has {longest} tokens, and the model sees {limit}",
                code="context_length_exceeded",
            )
    cut = {} if limit is None else {"truncation": True, "max_length": limit}
    return tokenizer(texts, padding=True, return_tensors="pt", **cut)
