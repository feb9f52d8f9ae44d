from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import CallCancelled, CallContext
from caduceus._context import entered
from caduceus.bridges import _transformers_generate
from transformers_caller import Caller, shared_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

for _package in ("torch", "transformers"):
    pytest.importorskip(_package, reason="the Transformers bridge is tested with the real one")

# SWIG's types, which torch's dependencies bring along, warn on some Pythons at their first import.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PROMPT = "once upon a time"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    yield from shared_caller(tmp_path_factory)


@pytest.fixture
def call(shared: Caller) -> Iterator[Caller]:
    yield shared
    shared.forget_all()


def test_prompt_and_text_have_a_hundred_tokens_unless_told_otherwise(call: Caller) -> None:
    call.load("llama", "m")
    usage = call("generate", model_id="m", prompt=PROMPT)["usage"]
    assert usage["total_tokens"] == 100
    assert usage["prompt_tokens"] + usage["completion_tokens"] == 100
    longer = call("generate", model_id="m", prompt=PROMPT, max_length=120)
    assert longer["usage"]["total_tokens"] == 120
    assert longer["finish_reason"] == "length"
    new = call("generate", model_id="m", prompt=PROMPT, max_new_tokens=7, max_length=50)
    assert new["usage"]["completion_tokens"] == 7


def test_a_prompt_that_leaves_no_room_is_refused_with_both_numbers(call: Caller) -> None:
    call.load("llama", "m")
    code, message = call.refusal("generate", model_id="m", prompt=PROMPT, max_length=3)
    assert code == "invalid_arguments"
    assert "has 4 tokens, and max_length is 3" in message
    code, message = call.refusal("generate", model_id="m", prompt="7" * 2048, max_new_tokens=1)
    assert code == "context_length_exceeded"
    assert "has 2048 tokens, and the model sees 2048 in all" in message


def test_more_than_the_model_sees_is_never_asked_of_it(call: Caller) -> None:
    call.load("llama", "m")
    written = call("generate", model_id="m", prompt="7" * 2040, max_new_tokens=100)
    assert written["usage"]["total_tokens"] == 2048


def test_without_sampling_options_the_text_is_always_the_same(call: Caller) -> None:
    call.load("llama", "m")
    texts = {call("generate", model_id="m", prompt=PROMPT)["text"] for _ in range(3)}
    assert len(texts) == 1


def test_a_seed_makes_chance_the_same_again_and_nothing_else_does(call: Caller) -> None:
    call.load("llama", "m")

    def text(seed: int | None = None) -> str:
        found: str = call("generate", model_id="m", prompt=PROMPT, temperature=1.5, seed=seed)[
            "text"
        ]
        return found

    assert text(seed=1) == text(seed=1)
    assert text(seed=1) != text(seed=2)
    assert text() != text()


def test_the_text_ends_before_a_stop_string(call: Caller) -> None:
    call.load("llama", "m")
    whole = call("generate", model_id="m", prompt=PROMPT)["text"]
    middle = whole[10:14]
    cut = call("generate", model_id="m", prompt=PROMPT, stop=[middle])
    assert cut["text"] == whole[: whole.index(middle)]
    assert cut["finish_reason"] == "stop"
    assert cut["usage"]["completion_tokens"] < 96


def test_the_pieces_of_a_stream_are_the_text(call: Caller) -> None:
    call.load("llama", "m")
    whole = call("generate", model_id="m", prompt=PROMPT)
    *pieces, last = list(call("stream_generate", model_id="m", prompt=PROMPT))
    assert "".join(piece["text"] for piece in pieces) == whole["text"]
    assert len(pieces) > 20
    assert last == {
        "text": "",
        "finish_reason": whole["finish_reason"],
        "usage": whole["usage"],
    }


def test_messages_become_a_prompt_by_the_chat_template(call: Caller) -> None:
    call.load("llama", "m")
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
    by_messages = call("generate", model_id="m", messages=messages, max_new_tokens=8)
    prompt = "<|system|>be brief</s><|user|>hi</s><|assistant|>"
    by_hand = call("generate", model_id="m", prompt=prompt, max_new_tokens=8)
    assert by_messages["text"] == by_hand["text"]
    assert by_messages["usage"] == by_hand["usage"]


@pytest.mark.parametrize(
    ("args", "finding"),
    [
        ({}, "needs either prompt or messages"),
        ({"prompt": "a", "messages": []}, "needs either prompt or messages"),
        ({"messages": []}, "messages must not be empty"),
        ({"messages": [{"role": "user"}]}, "messages[0] must be {role, content}"),
        ({"prompt": "a", "stop": [""]}, "stop must be a text or at most 16"),
        ({"prompt": "a", "top_p": 1.5}, "top_p must be at most 1"),
        ({"prompt": "a", "max_length": 0}, "max_length must be at least 1"),
        ({"prompt": "a", "do_sample": True, "temperature": 0}, "needs a temperature above 0"),
        ({"prompt": "a", "max_len": 3}, "does not take max_len"),
    ],
)
def test_arguments_of_generate_that_make_no_sense_are_refused(
    call: Caller, args: dict[str, Any], finding: str
) -> None:
    call.load("llama", "m")
    code, message = call.refusal("generate", model_id="m", **args)
    assert code == "invalid_arguments"
    assert finding in message


def test_a_model_without_chat_template_takes_no_messages(call: Caller) -> None:
    call.load("llama", "m")
    call.bridge._scopes[None]["m"].weights.tokenizer.chat_template = None
    code, message = call.refusal(
        "generate", model_id="m", messages=[{"role": "user", "content": "x"}]
    )
    assert code == "invalid_arguments"
    assert "has no chat template" in message


def test_a_generate_ends_with_the_token_that_is_in_the_making(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    call.load("llama", "m")
    context = CallContext(7, None, "generate")
    counted = _count_tokens(monkeypatch, lambda count: count == 5, context)
    with entered(context), pytest.raises(CallCancelled):
        call.bridge.handle_command(
            "generate", {"model_id": "m", "prompt": PROMPT, "max_new_tokens": 1000}
        )
    assert counted == [1, 2, 3, 4, 5]


def test_a_stream_that_is_left_ends_its_thread_first(call: Caller) -> None:
    call.load("llama", "m")
    pieces = call("stream_generate", model_id="m", prompt=PROMPT, max_new_tokens=1000)
    next(pieces)
    assert any(thread.name == "caduceus-generate" for thread in threading.enumerate())
    pieces.close()
    assert not any(thread.name == "caduceus-generate" for thread in threading.enumerate())


def test_a_slow_reader_stops_the_writer(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    call.load("llama", "m")
    counted = _count_tokens(monkeypatch, lambda _count: False, CallContext(1, None, "x"))
    pieces = call("stream_generate", model_id="m", prompt=PROMPT, max_new_tokens=1000)
    next(pieces)
    stream = pieces.gi_yieldfrom.gi_frame.f_locals["stream"]
    while not stream._ready.full():
        assert stream._thread.is_alive()
    ahead = len(counted)
    assert ahead < 200
    pieces.close()
    assert len(counted) <= ahead + 1


def test_an_error_while_writing_reaches_the_reader(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    call.load("llama", "m")

    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(call.bridge._scopes[None]["m"].weights.model, "generate", fail)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        list(call("stream_generate", model_id="m", prompt=PROMPT))


def _count_tokens(
    monkeypatch: pytest.MonkeyPatch, is_last: Callable[[int], bool], context: CallContext
) -> list[int]:
    """Count the tokens that are made, and cancel the call at one of them."""
    counted: list[int] = []
    take = _transformers_generate.Writing.take

    def counting(self: _transformers_generate.Writing, token: int) -> None:
        counted.append(len(counted) + 1)
        if is_last(len(counted)):
            context._cancel(is_raise_wanted=False)
        take(self, token)

    monkeypatch.setattr(_transformers_generate.Writing, "take", counting)
    return counted
