"""Do agents use tools that are functions in Node, and only such?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError
from caduceus._link import CallbackError
from fake_link import FakeLink

if TYPE_CHECKING:
    from dspy_caller import Caller

pytest.importorskip("dspy", reason="the DSPy bridge is tested with the real DSPy")

ADD = {
    "name": "add",
    "description": "Add two numbers.",
    "args": {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
        "required": ["a"],
    },
}


def _agent(call: Caller, tool: dict[str, Any]) -> None:
    call.configure()
    call.provider.answers = {"next_tool_name": "add", "next_tool_args": '{"a": 1, "b": 2}'}
    more = {"program_type": "react", "tools": [tool], "max_iters": 1}
    call.linked(FakeLink(), "create_program", {"id": "p", "signature": "q -> a", **more})


def test_an_agent_calls_node_and_reads_the_answer(call: Caller) -> None:
    _agent(call, {**ADD, "callback": "sum"})
    link = FakeLink(answer=3)
    result = call.linked(link, "execute_program", {"program_id": "p", "inputs": {"q": "?"}})
    assert link.invoked == [("sum", {"a": 1, "b": 2})]
    assert link.told == [{"tool": "add", "args": {"a": 1, "b": 2}}]
    assert result["outputs"]["trajectory"]["observation_0"] == 3


@pytest.mark.parametrize(
    ("chosen", "observed"),
    [
        ('{"b": 2}', "Error: add needs a"),
        ('{"a": 1, "c": 2}', "Error: add does not take c"),
    ],
)
def test_a_model_that_uses_a_tool_wrongly_is_told(call: Caller, chosen: str, observed: str) -> None:
    _agent(call, ADD)
    call.provider.answers["next_tool_args"] = chosen
    link = FakeLink()
    result = call.linked(link, "execute_program", {"program_id": "p", "inputs": {"q": "?"}})
    assert result["outputs"]["trajectory"]["observation_0"] == observed
    assert link.invoked == []


@pytest.mark.parametrize("code", ["callback_unknown", "cancelled"])
def test_a_tool_that_node_does_not_have_ends_the_run(call: Caller, code: str) -> None:
    _agent(call, ADD)
    link = FakeLink(error=CallbackError("nobody", code=code))
    with pytest.raises(BridgeError, match="needs a callback 'add'") as caught:
        call.linked(link, "execute_program", {"program_id": "p", "inputs": {"q": "?"}})
    assert caught.value.code == "callback_unknown"


@pytest.mark.parametrize(
    ("tools", "finding"),
    [
        ([5], r"tools\[0\] must be an object"),
        ([{"name": "a", "kind": 1}], "does not take kind"),
        ([{"name": "1a"}], r"tools\[0\].name"),
        ([{"name": "a", "args": 5}], "args must be an object"),
        ([{"name": "a", "args": {"x": 5}}], "args.x must be a JSON Schema"),
        ([{"name": "a", "description": 5}], "description must be a string"),
        (
            [{"name": "a", "args": {"type": "object", "properties": {}, "required": ["x"]}}],
            "'x' is required and not described",
        ),
        ([{"name": f"t{n}"} for n in range(65)], "64 tools are the most"),
    ],
)
def test_tools_that_cannot_be_are_refused(call: Caller, tools: list[Any], finding: str) -> None:
    error = call.refused(
        "create_program", id="p", signature="q -> a", program_type="react", tools=tools
    )
    assert error.code == "invalid_arguments"
    with pytest.raises(BridgeError, match=finding):
        raise error


def test_the_steps_of_an_agent_are_bounded(call: Caller) -> None:
    error = call.refused(
        "create_program", id="p", signature="q -> a", program_type="react", max_iters=101
    )
    assert "at most 100, not 101" in str(error)


@pytest.mark.parametrize("name", ["trajectory", "next_thought", "reasoning"])
def test_fields_that_an_agent_adds_itself_are_refused(call: Caller, name: str) -> None:
    error = call.refused("create_program", id="p", signature=f"{name} -> a", program_type="react")
    assert error.code == "invalid_signature"
