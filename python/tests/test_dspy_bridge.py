from __future__ import annotations

import contextlib
import importlib
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError, CallContext, _secrets
from caduceus._context import entered
from caduceus._errors import error_object
from caduceus.bridges.dspy import DSPyBridge
from fake_node import FakeNode
from fake_provider import FakeProvider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("dspy", reason="the DSPy bridge is tested with the real DSPy")

KEY = "sk-a-key-that-nobody-may-see"


class Caller:
    """Call a bridge the way the worker does."""

    def __init__(self, bridge: DSPyBridge, provider: FakeProvider) -> None:
        self.bridge = bridge
        self.provider = provider

    def __call__(self, op: str, *, session: str | None = None, **args: object) -> dict[str, Any]:
        with entered(CallContext(1, session, op)):
            result = self.bridge.handle_command(op, args)
        assert isinstance(result, dict)
        return result

    def configure(self, model: str = "m", session: str | None = None) -> dict[str, Any]:
        return self(
            "configure_lm",
            session=session,
            model=f"openai/{model}",
            api_base=self.provider.api_base,
            api_key=KEY,
        )

    def refused(self, op: str, *, session: str | None = None, **args: object) -> BridgeError:
        with pytest.raises(BridgeError) as caught:
            self(op, session=session, **args)
        return caught.value


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setenv("CADUCEUS_SCRATCH_DIR", str(tmp_path))
    # The bridge sets these for its process; here that is pytest's.
    monkeypatch.setenv("DSPY_CACHEDIR", "")
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(_secrets, "_secrets", ())
    with FakeProvider() as provider:
        yield Caller(DSPyBridge(mode="pool-worker", worker_id="dspy/0"), provider)


def test_it_describes_dspy(call: Caller) -> None:
    dspy = importlib.import_module("dspy")
    assert call.bridge.get_framework_info() == {
        "name": "dspy",
        "version": dspy.__version__,
        "capabilities": ["signatures", "programs", "language_models"],
    }
    assert call.bridge.supported_operations()[4:] == [
        *("configure_lm", "create_program", "execute_program"),
        *("list_programs", "delete_program", "forget_session"),
    ]


def test_no_disk_cache_and_no_handler_of_its_own(call: Caller, tmp_path: Path) -> None:
    call.configure()
    dspy = importlib.import_module("dspy")
    assert dspy.cache.enable_disk_cache is False
    assert list(tmp_path.iterdir()) == []
    assert os.environ["DSPY_CACHEDIR"] == str(tmp_path / "dspy-cache")
    assert logging.getLogger("dspy").handlers == []


def test_a_program_is_created_executed_listed_and_deleted(call: Caller) -> None:
    assert call.configure() == {"status": "configured", "model": "openai/m", "scope": "bridge"}
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
    executed = call("execute_program", program_id="p", inputs={"question": "Capital of France?"})
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
        "execution_count": 1,
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


def test_options_and_the_key_reach_the_provider_and_nothing_else(call: Caller) -> None:
    configured = call(
        "configure_lm",
        model="openai/m",
        api_base=call.provider.api_base,
        api_key=KEY,
        temperature=0.25,
        max_tokens=99,
        timeout_s=5,
    )
    call("create_program", id="p", signature="q -> a")
    call("execute_program", program_id="p", inputs={"q": "?"})
    request = call.provider.requests[0]
    assert request["model"] == "m"
    assert request["temperature"] == 0.25
    assert 99 in (request.get("max_tokens"), request.get("max_completion_tokens"))
    assert call.provider.keys == [f"Bearer {KEY}"]
    assert KEY not in str(configured)


def test_creating_an_id_again_replaces_the_program(call: Caller) -> None:
    call("create_program", id="p", signature="q -> a")
    call("create_program", id="p", signature="q -> b")
    listed = call("list_programs")
    assert listed["total_count"] == 1
    assert listed["programs"][0]["outputs"] == ["b"]


def test_sessions_do_not_see_each_other(call: Caller) -> None:
    call.configure("alices", session="alice")
    call.configure("bobs", session="bob")
    call("create_program", session="alice", id="p", signature="q -> a")
    call("create_program", session="bob", id="p", signature="q -> b")
    executed = {
        session: call("execute_program", session=session, program_id="p", inputs={"q": "?"})
        for session in ("alice", "bob")
    }
    assert executed["alice"]["outputs"] == {"a": "alices:a"}
    assert executed["bob"]["outputs"] == {"b": "bobs:b"}
    assert call("list_programs")["total_count"] == 0
    call("delete_program", session="alice", program_id="p")
    assert call("list_programs", session="bob")["total_count"] == 1


def test_a_model_of_the_bridge_serves_sessions_without_their_own(call: Caller) -> None:
    call.configure("everybodys")
    call("create_program", session="alice", id="p", signature="q -> a")
    first = call("execute_program", session="alice", program_id="p", inputs={"q": "?"})
    assert first["outputs"] == {"a": "everybodys:a"}
    assert call.configure("alices", session="alice")["scope"] == "session"
    second = call("execute_program", session="alice", program_id="p", inputs={"q": "?"})
    assert second["outputs"] == {"a": "alices:a"}


def test_a_model_of_a_session_serves_nobody_else(call: Caller) -> None:
    call.configure(session="alice")
    call("create_program", id="p", signature="q -> a")
    error = call.refused("execute_program", program_id="p", inputs={"q": "?"})
    assert error.code == "not_configured"
    assert str(error) == "no language model is configured; call configure first"


def test_a_forgotten_session_is_gone(call: Caller) -> None:
    call.configure(session="alice")
    call("create_program", session="alice", id="p", signature="q -> a")
    assert call("get_stats")["sessions_count"] == 1
    forgotten = call("forget_session", session_id="alice")
    assert forgotten == {"session_id": "alice", "status": "forgotten"}
    assert call("get_stats")["sessions_count"] == 0
    assert call("list_programs", session="alice")["total_count"] == 0
    assert call("forget_session", session="bob")["session_id"] == "bob"
    assert call.refused("forget_session").code == "invalid_arguments"


def test_a_model_can_be_configured_again(call: Caller) -> None:
    call("create_program", id="p", signature="q -> a")
    for model in ("first", "second"):
        call.configure(model)
        executed = call("execute_program", program_id="p", inputs={"q": "?"})
        assert executed["outputs"] == {"a": f"{model}:a"}


def test_an_unknown_program_is_named_with_where_it_is_instead(call: Caller) -> None:
    call("create_program", id="shared", signature="q -> a")
    call("create_program", session="alice", id="hers", signature="q -> a")
    cases = {
        (None, "none"): "there is no program 'none' in the anonymous scope",
        ("bob", "none"): "there is no program 'none' in session 'bob'",
        ("bob", "shared"): "the anonymous scope has one: call it without a session",
        (None, "hers"): "a session has one: call it in that session",
    }
    for (session, program_id), message in cases.items():
        error = call.refused("execute_program", session=session, program_id=program_id, inputs={})
        assert error.code == "program_not_found"
        assert message in str(error)
    # What other sessions have is not told to a session.
    told = call.refused("execute_program", session="bob", program_id="hers", inputs={})
    assert str(told) == "there is no program 'hers' in session 'bob'"


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


def test_a_missing_key_is_a_matter_of_configuration(call: Caller) -> None:
    call("configure_lm", model="openai/m")
    call("create_program", id="p", signature="q -> a")
    error = call.refused("execute_program", program_id="p", inputs={"q": "?"})
    assert error.code == "not_configured"
    assert "no API key" in str(error)


def test_a_server_named_by_its_address_needs_no_key(call: Caller) -> None:
    call("configure_lm", model="openai/m", api_base=call.provider.api_base)
    call("create_program", id="p", signature="q -> a")
    assert call("execute_program", program_id="p", inputs={"q": "?"})["outputs"]


def test_a_key_that_the_provider_quotes_is_not_passed_on(call: Caller) -> None:
    call.configure()
    call.provider.failure = (401, f"Incorrect API key provided: {KEY}")
    call("create_program", id="p", signature="q -> a")
    dspy = importlib.import_module("dspy")
    with pytest.raises(dspy.LMAuthError) as caught:
        call("execute_program", program_id="p", inputs={"q": "?"})
    assert KEY in str(caught.value)
    described = error_object(caught.value)
    assert described["type"] == "LMAuthError"
    assert "Incorrect API key provided: [secret]" in described["message"]
    assert KEY not in str(described)


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
        assert error["type"] == "LMServerError"
        assert "out of order" in error["message"]
        node.control.send({"type": "shutdown"})
        assert node.exit_status() == 0
