"""What of the LangChain bridge can be known without LangChain: codes, outputs, memory, tools?"""

from __future__ import annotations

from typing import Any

import pytest

from caduceus import BridgeError
from caduceus.bridges._langchain_agents import read_tools
from caduceus.bridges._langchain_errors import translated
from caduceus.bridges._langchain_messages import kept
from caduceus.bridges._langchain_output import read_output, response_format


def _raise(error: Exception) -> BridgeError:
    with pytest.raises(BridgeError) as caught, translated():
        raise error
    assert caught.value is error or caught.value.__cause__ is error
    return caught.value


def _named(name: str, base: type[Exception] = Exception) -> type[Exception]:
    return type(name, (base,), {})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("RateLimitError", "rate_limited"),
        ("APITimeoutError", "timeout"),
        ("APIConnectionError", "connection_error"),
        ("TransportError", "connection_error"),
        ("InternalServerError", "unavailable"),
        ("AuthenticationError", "unauthorized"),
        ("NotFoundError", "model_not_found"),
        ("JSONDecodeError", "invalid_response"),
        ("GraphRecursionError", "step_limit"),
    ],
)
def test_errors_of_clients_have_codes_and_their_subclasses_too(name: str, code: str) -> None:
    kind = _named(name)
    assert _raise(kind("no")).code == code
    assert _raise(_named("Special", kind)("no")).code == code


def test_a_timeout_is_one_though_it_is_a_connection_error_too() -> None:
    kind = _named("APITimeoutError", _named("APIConnectionError"))
    assert _raise(kind("late")).code == "timeout"


def test_a_quota_that_is_used_up_is_no_limit_of_a_rate() -> None:
    error = _named("RateLimitError")("pay")
    error.code = "insufficient_quota"  # type: ignore[attr-defined]
    assert _raise(error).code == "quota_exceeded"


def test_other_errors_stay_as_they_are() -> None:
    own = BridgeError("mine", code="mine")
    assert _raise(own) is own
    with pytest.raises(ValueError, match="theirs"), translated():
        raise ValueError("theirs")


SCHEMA: dict[str, Any] = {
    "title": "a sum!",
    "type": "object",
    "properties": {
        "total": {"type": "integer"},
        "mood": {"enum": ["good", "bad"]},
        "parts": {"type": "array", "items": {"type": "object", "required": ["n"]}},
        "note": {"type": ["string", "null"]},
    },
    "required": ["total"],
}


def test_a_form_is_asked_for_under_a_name_that_servers_take() -> None:
    assert response_format(None) is None
    asked = response_format(SCHEMA)
    assert asked == {"type": "json_schema", "json_schema": {"name": "a_sum_", "schema": SCHEMA}}
    with pytest.raises(BridgeError, match="JSON Schema of an object"):
        response_format({"type": "string"})


def test_an_output_that_follows_its_schema_is_read() -> None:
    text = '{"total": 3.0, "mood": "good", "parts": [{"n": 1}], "note": null}'
    read = read_output(text, SCHEMA)
    assert read == {"total": 3, "mood": "good", "parts": [{"n": 1}], "note": None}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("purple", "no JSON"),
        ("[]", "output must be of type object"),
        ("{}", "output.total is missing"),
        ('{"total": 1.5}', "output.total must be of type integer"),
        ('{"total": true}', "output.total must be of type integer"),
        ('{"total": 1, "mood": "odd"}', "output.mood is none of the values"),
        ('{"total": 1, "parts": [{"n": 1}, {}]}', r"output.parts\[1\].n is missing"),
        ('{"total": 1, "note": 5}', "output.note must be of type string or null"),
    ],
)
def test_an_output_that_does_not_is_refused_with_the_place(text: str, finding: str) -> None:
    with pytest.raises(BridgeError, match=finding) as caught:
        read_output(text, SCHEMA)
    assert caught.value.code == "invalid_output"


def _said(*kinds: str) -> list[dict[str, Any]]:
    return [{"type": kind, "data": index} for index, kind in enumerate(kinds)]


def test_a_memory_keeps_whole_exchanges_the_latest_first() -> None:
    told = _said("human", "ai", "human", "ai", "tool", "ai", "human", "ai")
    assert kept(told, 8) == told
    assert kept(told, 7) == told[2:]
    assert kept(told, 6) == told[2:]
    assert kept(told, 5) == told[6:]


def test_the_last_exchange_is_kept_however_long_it_is() -> None:
    told = _said("human", "ai", "human", "ai", "tool", "ai")
    assert kept(told, 2) == told[2:]


@pytest.mark.parametrize(
    ("tool", "finding"),
    [
        ("text", "must be an object"),
        ({"name": "t"}, "needs description"),
        ({"description": "d"}, "needs name"),
        ({"name": "t", "description": "d", "args": {}}, "does not take args"),
        ({"name": "t", "description": "d", "parameters": {"type": "array"}}, "of an object"),
    ],
)
def test_a_tool_that_no_model_could_use_is_refused(tool: object, finding: str) -> None:
    with pytest.raises(BridgeError, match=finding):
        read_tools([tool])


def test_tools_have_names_of_their_own() -> None:
    tool = {"name": "t", "description": "d"}
    [read] = read_tools([tool])
    assert (read.callback, read.parameters) == ("t", {"type": "object", "properties": {}})
    with pytest.raises(BridgeError, match="there is a tool 't' already"):
        read_tools([tool, tool])
