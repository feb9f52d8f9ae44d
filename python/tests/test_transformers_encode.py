from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from transformers_caller import Caller, shared_caller

if TYPE_CHECKING:
    from collections.abc import Iterator

for _package in ("torch", "transformers"):
    pytest.importorskip(_package, reason="the Transformers bridge is tested with the real one")

# SWIG's types, which torch's dependencies bring along, warn on some Pythons at their first import.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    yield from shared_caller(tmp_path_factory)


@pytest.fixture
def call(shared: Caller) -> Iterator[Caller]:
    yield shared
    shared.forget_all()


def test_a_text_has_a_vector_and_texts_have_rows(call: Caller) -> None:
    call.load("bert-embedder", "e")
    one = call("embed", model_id="e", text="near")
    rows = call("embed", model_id="e", text=["near", "a longer text that is far", "near"])
    assert (one.shape, rows.shape, str(rows.dtype)) == ((32,), (3, 32), "float32")
    assert abs(rows[0] - one).max() < 1e-5
    assert abs(rows[0] - rows[2]).max() < 1e-5
    assert abs((rows**2).sum(axis=1) - 1).max() < 1e-5
    assert call("embed", model_id="e", text=[]).shape == (0, 32)


def test_a_vector_is_the_mean_of_its_tokens_or_the_first_one(call: Caller) -> None:
    call.load("bert-embedder", "e")
    torch = call.bridge._framework.torch
    weights = call.bridge._scopes[None]["e"].weights
    with torch.inference_mode():
        states = weights.model(**weights.tokenizer("one two", return_tensors="pt"))[0][0]
    mean = call("embed", model_id="e", text="one two", normalize=False)
    first = call("embed", model_id="e", text="one two", normalize=False, pooling="cls")
    assert abs(mean - states.mean(0).numpy()).max() < 1e-5
    assert abs(first - states[0].numpy()).max() < 1e-5
    assert call.refusal("embed", model_id="e", text="a", pooling="max")[0] == "invalid_arguments"


def test_a_text_that_is_too_long_is_cut_or_refused(call: Caller) -> None:
    call.load("bert-embedder", "e")
    assert call("embed", model_id="e", text="far " * 100).shape == (32,)
    code, message = call.refusal("embed", model_id="e", text="far " * 100, truncate=False)
    assert code == "context_length_exceeded"
    assert "the model sees 64" in message


def test_a_text_has_labels_the_likeliest_first(call: Caller) -> None:
    call.load("bert-classifier", "c")
    labels = call("classify", model_id="c", text="good")
    assert {item["label"] for item in labels} == {"negative", "neutral", "positive"}
    scores = [item["score"] for item in labels]
    assert scores == sorted(scores, reverse=True)
    assert abs(sum(scores) - 1) < 1e-5
    two = call("classify", model_id="c", text=["good", "bad"], top_k=1)
    assert [len(item) for item in two] == [1, 1]
    assert two[0][0]["label"] == labels[0]["label"]


def test_a_batch_is_one_pass_for_each_model_and_way(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    call.load("bert-embedder", "e")
    model = call.bridge._scopes[None]["e"].weights.model
    passes: list[int] = []
    forward = model.forward

    @functools.wraps(forward)
    def counted(*args: Any, **more: Any) -> Any:  # noqa: ANN401
        passes.append(len(more["input_ids"]))
        return forward(*args, **more)

    single = call("embed", model_id="e", text="one")
    monkeypatch.setattr(model, "forward", counted)
    results: Any = call.bridge.handle_batch(
        "embed",
        [
            {"model_id": "e", "text": "one"},
            {"model_id": "e", "text": ["two", "three"]},
            {"model_id": "gone", "text": "x"},
            {"model_id": "e", "text": 7},
            {"model_id": "e", "text": "four", "normalize": False},
        ],
    )
    assert sorted(passes) == [1, 3]
    assert [getattr(result, "shape", None) for result in results] == [
        *((32,), (2, 32), None, None, (32,))
    ]
    assert abs(results[0] - single).max() < 1e-5
    assert [result.code for result in results[2:4]] == ["model_not_found", "invalid_arguments"]


def test_a_text_that_is_too_long_fails_its_own_call_alone(call: Caller) -> None:
    call.load("bert-embedder", "e")
    results: Any = call.bridge.handle_batch(
        "embed",
        [
            {"model_id": "e", "text": "far " * 100, "truncate": False},
            {"model_id": "e", "text": "near", "truncate": False},
        ],
    )
    long, short = results
    assert long.code == "context_length_exceeded"
    assert short.shape == (32,)


def test_a_model_does_only_what_it_was_loaded_for(call: Caller) -> None:
    call.load("bert-embedder", "e")
    assert call.refusal("classify", model_id="e", text="x") == (
        "invalid_arguments",
        "classify: model 'e' was loaded for the task embed",
    )
