from __future__ import annotations

import contextlib
import importlib
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError
from caduceus.bridges.dspy import DSPyBridge
from dspy_caller import KEY, Caller
from fake_node import FakeNode
from fake_provider import FakeProvider

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("dspy", reason="the DSPy bridge is tested with the real DSPy")


def test_it_describes_dspy(call: Caller) -> None:
    dspy = importlib.import_module("dspy")
    assert call.bridge.get_framework_info() == {
        "name": "dspy",
        "version": dspy.__version__,
        "capabilities": ["signatures", "programs", "language_models"],
    }
    assert call.bridge.supported_operations()[4:] == [
        *("configure_lm", "create_program", "execute_program", "stream_program"),
        *("list_programs", "get_program_info", "delete_program", "dump_program", "load_program"),
        *("optimize_program", "evaluate_program", "forget_session"),
    ]


def test_no_disk_cache_and_no_handler_of_its_own(call: Caller, tmp_path: Path) -> None:
    call.configure()
    dspy = importlib.import_module("dspy")
    assert dspy.cache.enable_disk_cache is False
    assert list(tmp_path.iterdir()) == []
    assert os.environ["DSPY_CACHEDIR"] == str(tmp_path / "dspy-cache")
    assert logging.getLogger("dspy").handlers == []


def test_a_program_is_created_executed_listed_and_deleted(call: Caller) -> None:
    assert call.configure() == {
        "status": "configured",
        "model": "openai/m",
        "scope": "bridge",
        "cache": "off",
    }
    assert call.provider.requests == []
    call.provider.answers = {"answer": "Paris", "score": "0.5", "tags": '["a", "b"]'}
    created = call(
        "create_program",
        id="p",
        signature="question: str -> answer, score: float, tags: list[str]",
    )
    assert created == {
        "program_id": "p",
        "program_type": "predict",
        "signature": "question: str -> answer: str, score: float, tags: list[str]",
        "inputs": ["question"],
        "outputs": ["answer", "score", "tags"],
        "status": "created",
    }
    asked: dict[str, Any] = {"program_id": "p", "inputs": {"question": "Capital of France?"}}
    assert "usage" not in call("execute_program", **asked)
    executed = call("execute_program", **asked, usage=True)
    assert executed["program_id"] == "p"
    assert executed["outputs"] == {"answer": "Paris", "score": 0.5, "tags": ["a", "b"]}
    assert executed["usage"]["openai/m"]["total_tokens"] == 10
    assert executed["execution_time_ms"] > 0
    listed = call("list_programs")
    assert listed["total_count"] == 1
    assert listed["programs"][0] == {
        "id": "p",
        "program_type": "predict",
        "signature": created["signature"],
        "inputs": ["question"],
        "outputs": ["answer", "score", "tags"],
        "created_at": listed["programs"][0]["created_at"],
        "execution_count": 2,
        "last_executed": listed["programs"][0]["last_executed"],
    }
    assert call("get_stats")["programs_count"] == 1
    assert call("delete_program", program_id="p") == {"program_id": "p", "status": "deleted"}
    assert call("list_programs") == {"programs": [], "total_count": 0}
    assert call.refused("delete_program", program_id="p").code == "program_not_found"


def test_chain_of_thought_returns_its_reasoning(call: Caller) -> None:
    call.configure()
    call("create_program", id="p", signature="q -> a", program_type="chain_of_thought")
    outputs = call("execute_program", program_id="p", inputs={"q": "?"})["outputs"]
    assert outputs == {"reasoning": "m:reasoning", "a": "m:a"}


def test_instructions_and_descriptions_reach_the_prompt(call: Caller) -> None:
    call.configure()
    signature = {
        "inputs": [{"name": "q", "description": "A riddle."}],
        "outputs": [{"name": "mood", "type": "Literal['good', 'bad']"}],
    }
    call.provider.answers = {"mood": "good"}
    call("create_program", id="p", signature=signature, instructions="Judge the riddle.")
    assert call("execute_program", program_id="p", inputs={"q": "?"})["outputs"] == {"mood": "good"}
    system = call.provider.requests[0]["messages"][0]["content"]
    assert "A riddle." in system
    assert "Judge the riddle." in system


def test_creating_an_id_again_replaces_the_program(call: Caller) -> None:
    call("create_program", id="p", signature="q -> a")
    call("create_program", id="p", signature="q -> b")
    listed = call("list_programs")
    assert listed["total_count"] == 1
    assert listed["programs"][0]["outputs"] == ["b"]


def test_inputs_must_be_those_of_the_signature(call: Caller) -> None:
    call.configure()
    call("create_program", id="p", signature="question, context -> answer")
    error = call.refused("execute_program", program_id="p", inputs={"question": 1, "lm": 2, "x": 3})
    assert error.code == "invalid_arguments"
    assert str(error).endswith("missing context; unexpected lm, x; expected: question, context")
    assert call.provider.requests == []


@pytest.mark.parametrize(
    ("op", "args", "code"),
    [
        ("configure_lm", {}, "invalid_arguments"),
        ("configure_lm", {"model": "openai/m", "apiBase": "x"}, "invalid_arguments"),
        ("configure_lm", {"model": "openai/m", "engine": "x"}, "invalid_arguments"),
        ("configure_lm", {"model": "openai/"}, "invalid_arguments"),
        ("configure_lm", {"model": "openai/gpt-5", "temperature": 0.1}, "invalid_arguments"),
        ("create_program", {"id": "p"}, "invalid_arguments"),
        ("create_program", {"id": "p", "signature": 5}, "invalid_arguments"),
        (
            "create_program",
            {"id": "p", "signature": "a -> b", "program_type": "x"},
            "invalid_arguments",
        ),
        ("create_program", {"id": "p", "signature": "a -> b: flot"}, "invalid_signature"),
        ("create_program", {"id": "p", "signature": "a -> model_dump"}, "invalid_signature"),
        (
            "create_program",
            {"id": "p", "signature": "a -> reasoning", "program_type": "chain_of_thought"},
            "invalid_signature",
        ),
        ("execute_program", {"program_id": "p", "inputs": []}, "invalid_arguments"),
        ("list_programs", {"all": True}, "invalid_arguments"),
    ],
)
def test_bad_arguments_are_refused(call: Caller, op: str, args: dict[str, Any], code: str) -> None:
    assert call.refused(op, **args).code == code
    assert call("list_programs")["total_count"] == 0


def test_field_names_that_hide_methods_are_allowed(call: Caller) -> None:
    call.configure()
    call("create_program", id="p", signature="json, copy -> schema")
    executed = call("execute_program", program_id="p", inputs={"json": "1", "copy": "2"})
    assert executed["outputs"] == {"schema": "m:schema"}


def test_nothing_is_kept_of_what_was_said(call: Caller) -> None:
    call.configure()
    call("create_program", id="p", signature="q -> a")
    call("execute_program", program_id="p", inputs={"q": "?"})
    dspy = importlib.import_module("dspy")
    history = importlib.import_module("dspy.clients.base_lm").GLOBAL_HISTORY
    assert history == []
    assert not dspy.settings.trace


def test_without_dspy_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CADUCEUS_SCRATCH_DIR", str(tmp_path))
    monkeypatch.setenv("DSPY_CACHEDIR", "")
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "")

    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(BridgeError, match="-m pip install dspy") as caught:
        DSPyBridge()
    assert caught.value.code == "package_missing"


def test_it_works_in_a_real_worker() -> None:
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(FakeProvider())
        node = stack.enter_context(FakeNode())
        ready = node.start({"module": "caduceus.bridges.dspy", "requiredPackages": ["dspy"]})
        assert ready["type"] == "ready", ready
        assert ready["framework"]["name"] == "dspy"
        node.result(
            "configure_lm",
            {"model": "openai/m", "api_base": provider.api_base, "api_key": KEY},
        )
        node.result("create_program", {"id": "p", "signature": "q -> a"}, "alice")
        call = {"program_id": "p", "inputs": {"q": "?"}}
        executed = node.result("execute_program", call, "alice")
        assert executed["outputs"] == {"a": "m:a"}
        provider.failure = (500, "out of order")
        error = node.error("execute_program", call, "alice")
        assert (error["type"], error["code"]) == ("ModelError", "unavailable")
        assert error["cause"]["type"] == "LMServerError"
        assert "out of order" in error["message"]
        node.control.send({"type": "shutdown"})
        assert node.exit_status() == 0
