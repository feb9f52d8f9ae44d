"""How does a model write, token by token, for one caller who may have enough at any time?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus.bridges._transformers_faults import computing
from caduceus.bridges._transformers_text import TextAssembler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caduceus.bridges._transformers_imports import Framework
    from caduceus.bridges._transformers_models import Weights


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be written.

    Attributes
    ----------
    prompt_ids : list of int
        The tokens of the prompt.
    new_tokens_max : int
        How many may follow it.
    stops : tuple of str
        The text ends before the first of these.
    seed : int or None
        What makes a random choice the same again.
    sampling : dict
        Options of Transformers' ``GenerationConfig``.
    """

    prompt_ids: list[int]
    new_tokens_max: int
    stops: tuple[str, ...]
    seed: int | None
    sampling: dict[str, Any]


class Writing:
    """One text in the making. It is Transformers' stopping criterion, which sees every token.

    A streamer would see them later: after the criteria have been asked, and on a GPU one step on.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    weights : Weights
        The model.
    request : Request
        What to write.
    on_piece : callable
        Takes each piece of text.
    is_over : callable
        Whether nobody wants the rest.
    """

    def __init__(
        self,
        framework: Framework,
        weights: Weights,
        request: Request,
        on_piece: Callable[[str], None],
        is_over: Callable[[], bool],
    ) -> None:
        self._framework, self._weights, self._request = framework, weights, request
        self._on_piece, self._is_over = on_piece, is_over
        self._text = TextAssembler(self._decode, request.prompt_ids, request.stops)
        self._tokens_count = 0
        self._last: int | None = None
        self._is_done = False
        self._settings = self._config()
        ends = self._settings.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends])

    def run(self) -> dict[str, Any]:
        """Write until the end, and say how it ended.

        Returns
        -------
        dict
            ``finish_reason`` and ``usage``.
        """
        torch = self._framework.torch
        with computing(self._framework, "generate"), torch.inference_mode(), self._seeded():
            ids = torch.tensor([self._request.prompt_ids], device=self._weights.model.device)
            self._weights.model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                generation_config=self._settings,
                stopping_criteria=[self._is_enough],
            )
        self._give(self._text.finish())
        return self._end()

    def take(self, token: int) -> None:
        """Take the next token, and decide whether it is the last one."""
        self._last = token
        self._tokens_count += 1
        self._weights.tokens_count += 1
        self._give(self._text.add(token))
        is_long_enough = self._tokens_count >= self._request.new_tokens_max
        self._is_done = (
            is_long_enough or token in self._ends or self._text.is_stopped or self._is_over()
        )

    def _give(self, piece: str) -> None:
        if piece:
            self._on_piece(piece)

    def _is_enough(self, input_ids: Any, _scores: Any, **_more: Any) -> Any:  # noqa: ANN401 - tensors
        # On a GPU it is asked once more than it takes.
        if not self._is_done:
            self.take(int(input_ids[0, -1]))
        torch = self._framework.torch
        return torch.full((1,), self._is_done, dtype=torch.bool, device=input_ids.device)

    def _decode(self, ids: list[int]) -> str:
        text: str = self._weights.tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _config(self) -> Any:  # noqa: ANN401 - a GenerationConfig
        own = self._weights.model.generation_config
        options: dict[str, Any] = {
            "bos_token_id": own.bos_token_id,
            "eos_token_id": own.eos_token_id,
            "pad_token_id": own.pad_token_id,
        }
        if options["eos_token_id"] is None:
            options["eos_token_id"] = self._weights.tokenizer.eos_token_id
        if options["pad_token_id"] is None:
            options["pad_token_id"] = self._weights.tokenizer.pad_token_id
        if self._request.sampling.get("do_sample"):
            # What its makers recommend, where the caller says nothing else.
            for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty"):
                if getattr(own, name, None) is not None:
                    options[name] = getattr(own, name)
        options.update(self._request.sampling)
        return self._framework.transformers.GenerationConfig(
            max_new_tokens=self._request.new_tokens_max, use_cache=True, **options
        )

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        torch, seed = self._framework.torch, self._request.seed
        if seed is None:
            yield
            return
        # Afterwards the process goes on with the random numbers that it had.
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield

    def _end(self) -> dict[str, Any]:
        is_stop = self._text.is_stopped or self._last in self._ends
        prompt_count = len(self._request.prompt_ids)
        return {
            "finish_reason": "stop" if is_stop else "length",
            "usage": {
                "prompt_tokens": prompt_count,
                "completion_tokens": self._tokens_count,
                "total_tokens": prompt_count + self._tokens_count,
            },
        }


def write(framework: Framework, weights: Weights, request: Request) -> dict[str, Any]:
    """Write a text in this thread.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    weights : Weights
        The model.
    request : Request
        What to write.

    Returns
    -------
    dict
        ``text``, ``finish_reason`` and ``usage``.

    Raises
    ------
    CallCancelled
        If the caller has had enough: after the token that was in the making.
    """
    call = current_call()
    pieces: list[str] = []
    writing = Writing(
        framework,
        weights,
        request,
        pieces.append,
        lambda: call is not None and call.is_cancelled,
    )
    end = writing.run()
    if call is not None:
        call.raise_if_cancelled()
    return {"text": "".join(pieces), **end}
