"""Does the LangChain bridge do what it is told, in its own process? Nothing leaves the machine."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest

from caduceus import BridgeError, CallContext
from caduceus._context import entered
from caduceus._errors import error_object
from caduceus.bridges._langchain_objects import _bound_by_deadline
from caduceus.bridges.langchain import LangChainBridge

pytest.importorskip("langchain_openai", reason="the LangChain bridge is tested with the real one")

KEY = "sk-a-key-that-nobody-may-see"
NOWHERE = "http://127.0.0.1:9/v1"  # the discard port: nobody listens there


class Caller:
    """Call a bridge the way the worker does."""

    def __init__(self) -> None:
        self.bridge = LangChainBridge()

    def __call__(self, op: str, *, session: str | None = None, **args: object) -> dict[str, Any]:
        async def run() -> object:
            with entered(CallContext(1, session, op, time.monotonic() + 20)):
                result = self.bridge.handle_command(op, args)
                return await result if asyncio.iscoroutine(result) else result

        replied = asyncio.run(run())
        assert isinstance(replied, dict)
        return replied

    def refused(self, op: str, *, session: str | None = None, **args: object) -> BridgeError:
        with pytest.raises(BridgeError) as caught:
            self(op, session=session, **args)
        return caught.value


@pytest.fixture
def call() -> Caller:
    return Caller()


def test_it_describes_langchain(call: Caller) -> None:
    langchain = importlib.import_module("langchain")
    assert call.bridge.get_framework_info() == {
        "name": "langchain",
        "version": langchain.__version__,
        "capabilities": ["chains", "agents", "prompts", "memory", "tools"],
    }
    assert call.bridge.operation_schemas()["stream_chain"]["stream"] is True
    assert call.bridge.operation_schemas()["stream_agent"]["stream"] is True


def test_the_ported_designs_operations_answer_with_its_fields(call: Caller) -> None:
    configured = call("configure_llm", api_key=KEY)
    assert configured == {
        "status": "configured",
        "model_type": "openai",
        "model_name": "gpt-4.1-mini",
        "scope": "bridge",
    }
    created = call("create_chain", id="c", template="{b} and {a}")
    assert created == {"chain_id": "c", "status": "created", "input_variables": ["a", "b"]}
    listed = call("list_chains")
    assert listed["total_count"] == 1
    assert listed["chains"][0]["template"] == "{b} and {a}"
    assert call("get_stats")["chains_count"] == 1
    assert call("delete_chain", chain_id="c") == {"chain_id": "c", "status": "deleted"}
    error = call.refused("run_chain", chain_id="c", inputs={})
    assert (str(error), error.code) == ("Chain not found: c", "chain_not_found")


@pytest.mark.parametrize(
    ("op", "args", "code"),
    [
        ("configure_llm", {"model_type": "magic", "api_key": KEY}, "invalid_arguments"),
        ("configure_llm", {"api_key": KEY, "model": "x"}, "invalid_arguments"),
        ("configure_llm", {"api_key": KEY, "temperature": -1}, "invalid_arguments"),
        ("create_chain", {"id": "c"}, "invalid_arguments"),
        ("create_chain", {"id": "c", "template": "{a.__class__}"}, "invalid_template"),
        ("create_chain", {"id": "c", "template": "{a[0]}"}, "invalid_template"),
        ("create_chain", {"id": "c", "template": "{0}"}, "invalid_template"),
        ("create_chain", {"id": "c", "template": "{a:{b}}"}, "invalid_template"),
        (
            "create_chain",
            {"id": "c", "template": "{{a}}", "template_format": "jinja2"},
            "invalid_arguments",
        ),
        (
            "create_chain",
            {"id": "c", "template": "x", "output_schema": {"type": "array"}},
            "invalid_arguments",
        ),
        ("create_agent", {"id": "a", "tools": [{}]}, "invalid_arguments"),
        ("create_agent", {"id": "a", "max_steps": 0}, "invalid_arguments"),
        ("run_agent", {"agent_id": "none", "input": "x"}, "agent_not_found"),
        ("embed", {"texts": []}, "invalid_arguments"),
        ("embed", {"texts": [1]}, "invalid_arguments"),
        ("set_memory", {"messages": []}, "invalid_arguments"),
        ("forget_session", {}, "invalid_arguments"),
    ],
)
def test_bad_arguments_are_refused(call: Caller, op: str, args: dict[str, Any], code: str) -> None:
    assert call.refused(op, **args).code == code


def test_without_a_model_nothing_runs(call: Caller) -> None:
    call("create_chain", id="c", template="x")
    assert call.refused("run_chain", chain_id="c").code == "not_configured"


def test_a_key_is_needed_where_no_address_is_given(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "api_key is required" in str(call.refused("configure_llm"))
    call("configure_llm", api_base=NOWHERE)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    call("configure_llm")


def test_the_environments_key_is_not_for_a_server_named_by_its_address(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    call("configure_llm", api_base=NOWHERE)
    llm = call.bridge._scopes.llm()
    assert llm.chat.openai_api_key.get_secret_value() == "unused"


def test_a_server_that_is_not_there_is_a_connection_error(call: Caller) -> None:
    call("configure_llm", api_base=NOWHERE, api_key=KEY)
    call("create_chain", id="c", template="x")
    assert call.refused("run_chain", chain_id="c").code == "connection_error"


def test_a_key_is_not_told_of(call: Caller) -> None:
    call("configure_llm", api_base=NOWHERE, api_key=KEY)
    told = error_object(ValueError(f"bad key {KEY}"))
    assert KEY not in str(told)


def test_sessions_do_not_see_each_other(call: Caller) -> None:
    call("create_chain", session="alice", id="c", template="x")
    call("create_agent", session="alice", id="a")
    assert call("list_chains", session="bob")["total_count"] == 0
    assert call("list_agents", session="bob")["total_count"] == 0
    told = call.refused("run_chain", session="bob", chain_id="c")
    assert str(told) == "Chain not found: c"
    anonymous = call.refused("run_chain", chain_id="c")
    assert "a session has one" in str(anonymous)
    call("create_chain", id="shared", template="x")
    seen = call.refused("run_chain", session="bob", chain_id="shared")
    assert "the anonymous scope has one" in str(seen)
    call("forget_session", session="alice")
    assert call("list_chains", session="alice")["total_count"] == 0


def test_a_memory_is_given_back_as_it_was(call: Caller) -> None:
    messages = importlib.import_module("langchain_core.messages")
    said = [
        messages.HumanMessage("two?"),
        messages.AIMessage("", tool_calls=[{"name": "t", "args": {"n": 2}, "id": "1"}]),
        messages.ToolMessage("2", tool_call_id="1", name="t"),
        messages.AIMessage("two"),
    ]
    dumped = messages.messages_to_dict(said)
    told = call("set_memory", session="s", messages=dumped)
    assert told == {"thread": "default", "status": "set", "messages_count": 4}
    remembered = call("get_memory", session="s")["messages"]
    assert [message["role"] for message in remembered] == ["user", "assistant", "tool", "assistant"]
    assert remembered[1]["tool_calls"] == [{"id": "1", "name": "t", "args": {"n": 2}}]
    assert call("get_memory", session="other")["messages"] == []
    assert call("get_memory", session="s", thread="x")["messages"] == []
    call("clear_memory", session="s")
    assert call("get_memory", session="s")["messages"] == []
    bad = call.refused("set_memory", session="s", messages=[{"type": "nonsense", "data": {}}])
    assert bad.code == "invalid_arguments"


def test_a_model_that_was_replaced_is_closed_when_nobody_uses_it(call: Caller) -> None:
    call("configure_llm", api_base=NOWHERE)
    first = call.bridge._scopes.llm()
    with first.used():
        call("configure_llm", api_base=NOWHERE)
        assert not first._http.is_closed
    call("configure_llm", api_base=NOWHERE)
    assert first._http.is_closed


@pytest.mark.parametrize(
    ("configured", "at_most_s"),
    [({}, 20), ({"read": 3.0, "connect": 60.0}, 20)],
)
def test_no_request_waits_longer_than_its_caller(
    configured: dict[str, float], at_most_s: float
) -> None:
    request = SimpleNamespace(extensions={"timeout": configured})

    async def run() -> None:
        with entered(CallContext(1, None, "run_chain", time.monotonic() + at_most_s)):
            await _bound_by_deadline(request)

    asyncio.run(run())
    bounded = request.extensions["timeout"]
    assert set(bounded) == {"connect", "read", "write", "pool"}
    assert all(0 < seconds <= at_most_s for seconds in bounded.values())
    assert bounded["read"] == pytest.approx(configured.get("read", at_most_s), abs=1)


def test_without_langchain_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(BridgeError, match="-m pip install langchain langchain-openai") as caught:
        LangChainBridge()
    assert caught.value.code == "package_missing"


def test_a_zygote_may_fork_once_it_has_warmed_up() -> None:
    # In a process of its own: this one has threads of the test runner.
    code = (
        "from caduceus._fork_safety import find_hazard, open_descriptors\n"
        "own = open_descriptors()\n"
        "import caduceus.bridges._langchain_preload\n"
        "print(find_hazard(own))\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60
    )
    assert (ran.stdout, ran.stderr) == ("None\n", "")
