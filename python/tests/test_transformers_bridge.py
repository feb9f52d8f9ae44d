from __future__ import annotations

import gc
import importlib
import weakref
from typing import TYPE_CHECKING

import pytest

from caduceus import BridgeError
from caduceus.bridges._transformers_faults import computing
from transformers_caller import Caller, shared_caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def test_it_describes_transformers(call: Caller) -> None:
    info = call.bridge.get_framework_info()
    assert info["name"] == "transformers"
    assert info["version"] == importlib.import_module("transformers").__version__
    assert call.bridge.supported_operations()[4:] == [
        *("load_model", "generate", "stream_generate", "embed", "classify"),
        *("list_models", "unload", "forget_session"),
    ]
    assert call.bridge.operation_schemas()["stream_generate"]["stream"] is True
    assert call.bridge.is_batched("embed")
    assert call.bridge.is_batched("classify")


def test_a_worker_does_not_begin_with_the_random_numbers_of_every_process(call: Caller) -> None:
    torch = call.bridge._framework.torch
    assert torch.initial_seed() != torch._C.default_generator.__class__().initial_seed()


def test_it_computes_with_as_many_threads_as_it_is_told(call: Caller) -> None:
    assert call("get_stats")["threads_count"] == 1


def test_a_model_is_loaded_listed_and_unloaded(call: Caller) -> None:
    loaded = call.load("llama", "m")
    assert loaded["model_id"] == "m"
    assert loaded["task"] == "generate"
    assert loaded["dtype"] == "float32"
    assert loaded["context_tokens_max"] == 2048
    assert loaded["parameters_count"] > 0
    listed = call("list_models")
    assert [model["model_id"] for model in listed["models"]] == ["m"]
    assert call("unload", model_id="m")["freed_bytes"] == loaded["memory_bytes"]
    assert call("list_models") == {"models": [], "total_count": 0}
    assert call.refusal("generate", model_id="m", prompt="x") == (
        "model_not_found",
        "there is no model 'm' in the anonymous scope",
    )


def test_the_task_is_what_the_configuration_says(call: Caller) -> None:
    assert call.load("bert-classifier", "c")["task"] == "classify"
    assert call.load("bert-embedder", "e")["task"] == "embed"
    assert call.load("llama", "l", task="embed")["task"] == "embed"


def test_a_model_whose_parts_are_missing_is_refused_not_made_up(call: Caller) -> None:
    code, message = call.refusal(
        "load_model", path=str(call.folder / "bert-embedder"), task="classify"
    )
    assert code == "invalid_arguments"
    assert "is no model for the task classify: 2 of its weights are not in the files" in message
    assert call("get_stats")["weights_count"] == 0


def test_weights_that_are_no_weights_are_refused_with_their_directory(
    call: Caller, tmp_path: Path
) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((call.folder / "llama" / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"nothing of the kind")
    code, message = call.refusal("load_model", path=str(tmp_path))
    assert code == "invalid_arguments"
    assert str(tmp_path) in message


def test_a_model_with_code_of_its_own_is_refused(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"model_type": "own", "auto_map": {"AutoConfig": "own.C", "AutoModel": "own.M"}}',
        encoding="utf-8",
    )
    (tmp_path / "own.py").write_text("raise SystemExit('it ran')", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((call.folder / "llama" / name).read_bytes())
    code, message = call.refusal("load_model", path=str(tmp_path), task="embed")
    assert code == "invalid_arguments"
    assert "trust_remote_code" in message


def test_two_scopes_share_weights_and_the_last_one_frees_them(call: Caller) -> None:
    call.load("llama", "m", "ada")
    call.load("llama", "m", "bob")
    stats = call("get_stats")
    assert (stats["models_count"], stats["weights_count"]) == (2, 1)
    model = weakref.ref(call.bridge._scopes["ada"]["m"].weights.model)
    assert call("unload", "ada", model_id="m")["freed_bytes"] == 0
    assert call("generate", "bob", model_id="m", prompt=PROMPT)["text"]
    call("forget_session", session_id="bob")
    gc.collect()
    assert model() is None
    assert call("get_stats")["memory_bytes"] == 0


def test_a_session_has_models_of_its_own(call: Caller) -> None:
    call.load("llama", "m", "ada")
    _, elsewhere = call.refusal("generate", "bob", model_id="m", prompt="x")
    assert elsewhere == "there is no model 'm' in session 'bob'"
    _, anonymous = call.refusal("generate", model_id="m", prompt="x")
    assert anonymous.endswith("; a session has one: call it in that session")


def test_the_same_id_again_replaces(call: Caller) -> None:
    call.load("llama", "m")
    call.load("bert-embedder", "m")
    stats = call("get_stats")
    assert (stats["models_count"], stats["weights_count"]) == (1, 1)
    assert call("list_models")["models"][0]["task"] == "embed"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_no_memory_has_a_code_of_its_own(call: Caller, error: Exception) -> None:
    with pytest.raises(BridgeError) as raised, computing(call.bridge._framework, "generate"):
        raise error
    assert raised.value.code == "out_of_memory"
    assert raised.value.__cause__ is error


def test_a_gigantic_allocation_of_torch_is_no_memory(call: Caller) -> None:
    torch = call.bridge._framework.torch
    with pytest.raises(BridgeError, match="out of memory"), computing(call.bridge._framework, "x"):
        torch.empty(2**60, dtype=torch.uint8)


def test_a_device_that_is_not_there_is_refused(call: Caller) -> None:
    path = str(call.folder / "llama")
    assert "must be auto, cpu" in call.refusal("load_model", path=path, device="gpu")[1]
    if not call.bridge._framework.torch.cuda.is_available():
        _, message = call.refusal("load_model", path=path, device="cuda:0")
        assert "there is no device cuda:0 here" in message


def test_half_precision_is_taken_when_it_is_asked_for(call: Caller) -> None:
    assert call.load("llama", "m", dtype="bfloat16")["dtype"] == "bfloat16"
    assert call("generate", model_id="m", prompt=PROMPT, max_new_tokens=4)["text"]
