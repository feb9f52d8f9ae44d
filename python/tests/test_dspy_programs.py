"""Are programs written down and made again, and measured by examples, as they must be?"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError
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


@pytest.mark.parametrize(
    "program",
    [
        {"signature": "q -> a"},
        {"signature": "q -> a: int", "program_type": "chain_of_thought", "instructions": "Do."},
        {"signature": "q -> a", "program_type": "react", "tools": [ADD], "max_iters": 7},
    ],
)
def test_what_is_written_down_is_made_again_as_the_same(
    call: Caller, program: dict[str, Any]
) -> None:
    call("create_program", id="p", **program)
    dumped = call("dump_program", program_id="p")
    call("load_program", id="p", session="other", program=json.loads(json.dumps(dumped)))
    assert call("dump_program", session="other", program_id="p") == dumped


def test_only_what_dspy_writes_is_read_and_no_model(call: Caller) -> None:
    call("create_program", id="p", signature="q -> a")
    dumped = call("dump_program", program_id="p")
    hostile = copy.deepcopy(dumped)
    hostile["state"]["self"].update(
        {"forward": "x", "lm": {"model": "openai/evil", "api_base": "http://evil"}}
    )
    call("load_program", id="q", program=hostile)
    assert call("dump_program", program_id="q") == {**dumped, "id": "q"}
    module = call.bridge._scopes.find(None, "q").module
    assert callable(module.forward)
    assert module.lm is None


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"format": 2}, "format 2 is not 1"),
        ({"state": {}}, "the state is of nothing, the program has self"),
        ({"state": {"self": 5}}, "must be an object with demos"),
        ({"state": {"self": {"demos": [5]}}}, "must be objects"),
        ({"state": {"self": {"demos": []}}}, "DSPy refuses the state: KeyError"),
        ({"secret": 1}, "does not take secret"),
        ({"id": None}, "needs id"),
    ],
)
def test_a_state_that_is_none_is_refused(
    call: Caller, change: dict[str, Any], finding: str
) -> None:
    call("create_program", id="p", signature="q -> a")
    dumped = {**call("dump_program", program_id="p"), **change}
    error = call.refused("load_program", program=dumped)
    assert error.code == "invalid_arguments"
    assert finding in str(error)
    assert call("list_programs")["total_count"] == 1


def test_an_optimiser_puts_examples_into_the_prompt_and_leaves_the_program(call: Caller) -> None:
    call.configure()
    call("create_program", id="p", signature="q -> a")
    trainset = [{"q": "first?", "a": "m:a"}, {"q": "second?", "a": "wrong"}]
    link = FakeLink()
    found = call.linked(link, "optimize_program", {"program_id": "p", "trainset": trainset})
    assert (found["bootstrapped_count"], found["errors_count"]) == (1, 0)
    assert link.told == [
        {"done": 1, "total": 2, "bootstrapped": 1, "errors": 0},
        {"done": 2, "total": 2, "bootstrapped": 1, "errors": 0},
    ]
    assert call("get_program_info", program_id="p")["demos_count"] == 0
    call("load_program", program=found["program"])
    assert call("get_program_info", program_id="p")["demos_count"] == 2
    call("execute_program", program_id="p", inputs={"q": "third?"})
    assert "first?" in str(call.provider.requests[-1]["messages"])


@pytest.mark.parametrize(
    ("metric", "score"),
    [
        (None, 0.5),
        ("exact_match", 0.5),
        ({"exact_match": ["b"]}, 1.0),
        ({"callback": "judge"}, 0.25),
    ],
)
def test_an_evaluation_is_the_mean_of_its_metric(
    call: Caller, metric: object, score: float
) -> None:
    call.configure()
    call.provider.answers = {"a": " The M:A!", "b": "5"}
    call("create_program", id="p", signature="q -> a, b: int")
    devset = [{"q": "?", "a": "ma", "b": 5}, {"q": "?", "a": "other", "b": 5}]
    link = FakeLink(answer=0.25)
    found = call.linked(
        link, "evaluate_program", {"program_id": "p", "devset": devset, "metric": metric}
    )
    assert found["score"] == score
    assert found["total_count"] == len(found["results"]) == len(link.told) == 2


@pytest.mark.parametrize(
    ("args", "finding"),
    [
        ({"devset": []}, "must not be empty"),
        ({"devset": [5]}, r"devset[0] must be an object"),
        ({"devset": [{"a": "x"}]}, "devset[0] misses q; it takes q, a"),
        ({"devset": [{"q": "x", "z": 1}]}, "devset[0] has z"),
        ({"devset": [{"q": "x"}], "metric": "best"}, "metric must be"),
        ({"devset": [{"q": "x"}], "metric": {"exact_match": ["z"]}}, "z is no output"),
        ({"devset": [{"q": "x"}], "metric": {}}, "metric must be"),
    ],
)
def test_examples_and_metrics_that_cannot_be_are_refused(
    call: Caller, args: dict[str, Any], finding: str
) -> None:
    call.configure()
    call("create_program", id="p", signature="q -> a")
    error = call.refused("evaluate_program", program_id="p", **args)
    assert error.code == "invalid_arguments"
    assert finding in str(error)


def test_a_judge_that_gives_no_number_ends_the_run(call: Caller) -> None:
    call.configure()
    call("create_program", id="p", signature="q -> a")
    args = {"program_id": "p", "devset": [{"q": "x"}], "metric": {"callback": "judge"}}
    with pytest.raises(BridgeError, match="must give a number") as caught:
        call.linked(FakeLink(answer="good"), "evaluate_program", args)
    assert caught.value.code == "invalid_arguments"
