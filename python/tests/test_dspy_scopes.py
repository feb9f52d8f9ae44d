"""Whose model and whose programs? Scopes, sessions and keys of the DSPy bridge."""

from __future__ import annotations

import pytest

from caduceus._errors import error_object
from dspy_caller import KEY, Caller

pytest.importorskip("dspy", reason="the DSPy bridge is tested with the real DSPy")


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
    error = call.refused("execute_program", program_id="p", inputs={"q": "?"})
    assert error.code == "unauthorized"
    assert KEY in str(error)
    described = error_object(error)
    assert described["cause"]["type"] == "LMAuthError"
    assert "Incorrect API key provided: [secret]" in described["message"]
    assert KEY not in str(described)
