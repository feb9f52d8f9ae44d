from __future__ import annotations

from typing import Literal

import pytest

from caduceus import BridgeError
from caduceus.bridges._signatures import parse_signature


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("question -> answer", "question: str -> answer: str"),
        (
            " a:int,b : list[ str ] ->\n c: dict[str, float] ",
            "a: int, b: list[str] -> c: dict[str, float]",
        ),
        ("a: string, b: integer -> c: number, d: boolean", "a: str, b: int -> c: float, d: bool"),
        (
            "a: list, b: dict -> c: list[dict[str, int]]",
            "a: list, b: dict -> c: list[dict[str, int]]",
        ),
        ("a -> b: Literal['x->y', \"z\", 1]", "a: str -> b: Literal['x->y', 'z', 1]"),
        ("-> joke", " -> joke: str"),
    ],
)
def test_the_string_form_is_read_into_its_canonical_spelling(text: str, canonical: str) -> None:
    spec = parse_signature(text)
    assert spec.text == canonical
    if canonical.startswith(" "):
        assert spec.input_names == []
    else:
        assert parse_signature(spec.text) == spec


def test_types_become_python_types() -> None:
    spec = parse_signature("a: list[int], b: Literal['x'] -> c: dict[str, list[bool]], d")
    annotations = [field.annotation for field in (*spec.inputs, *spec.outputs)]
    assert annotations == [list[int], Literal["x"], dict[str, list[bool]], str]


def test_the_object_form_carries_descriptions_and_instructions() -> None:
    spec = parse_signature(
        {
            "inputs": [{"name": "question", "type": "string", "description": "What to answer."}],
            "outputs": [
                {"name": "answers", "type": "list[str]"},
                {"name": "score", "type": "float"},
            ],
            "instructions": "Be brief.",
        }
    )
    assert spec.text == "question: str -> answers: list[str], score: float"
    assert spec.inputs[0].description == "What to answer."
    assert spec.outputs[0].description is None
    assert spec.instructions == "Be brief."


def test_instructions_of_the_caller_go_first() -> None:
    signature = {"inputs": [], "outputs": [{"name": "a"}], "instructions": "old"}
    assert parse_signature(signature, "new").instructions == "new"


@pytest.mark.parametrize(
    ("signature", "finding"),
    [
        ("", "found 0"),
        ("question", "exactly one '->' between inputs and outputs, found 0"),
        ("a -> b -> c", "found 2"),
        ("a, **b -> c", "only 'name' or 'name: type'"),
        ("a ->", "there is no output field"),
        ("a b -> c", "input fields: .* in 'a b'"),
        ("a -> b:", "output fields: "),
        ("a = 1 -> b", "only 'name' or 'name: type'"),
        ("**a -> b", "input fields: "),
        ("a -> b): pass\nimport os\ndef f(c", "output fields: "),
        ("a, 1b -> c", "input fields: "),
        ("a -> class", "output fields: "),
        ("a -> b: flot", r"output 1 \('b'\): unknown type 'flot'; allowed: str, int"),
        ("a -> b, c: list[Flot]", r"output 2 \('c'\): unknown type 'Flot'"),
        ("a -> b: dict[int, str]", "keys of a dict must be str, not int"),
        ("a -> b: dict[str]", r"unknown type 'dict\[str\]'"),
        ("a -> b: Literal[x]", r"unknown type 'Literal\[x\]'"),
        ("a -> b: Literal[1.5]", "unknown type"),
        ("a -> b: __import__('os').system('true')", "unknown type"),
        ("a -> b: list[list[list[list[list[int]]]]]", "unknown type"),
        ("a, a -> b", "input 'a' is there twice"),
        ("a -> b, b", "output 'b' is there twice"),
        ("a -> a", "'a' is both an input and an output"),
        ("_a -> b", r"input 1 \('_a'\): this name is reserved"),
        ("lm -> b", "reserved"),
        ("a -> completed", "reserved"),
        (5, "a signature is a string or an object, not int"),
        ({"inputs": [{"name": "a"}]}, "there is no output field"),
        ({"inputs": "a", "outputs": []}, "signature.inputs must be an array"),
        ({"inputs": ["a"], "outputs": []}, "input 1: a field is an object with a name"),
        ({"outputs": [{"name": "b", "kind": "x"}]}, "output 1 .*: unknown key kind; allowed: desc"),
        ({"outputs": [{"name": "b c"}]}, r"output 1 \('b c'\): .* Python identifier"),
        ({"outputs": [{"name": "for"}]}, "Python identifier"),
        ({"outputs": [{"name": "b", "type": 5}]}, "the type must be a string"),
        ({"outputs": [{"name": "b", "type": "list["}]}, r"cannot read the type 'list\['"),
        ({"outputs": [{"name": "b", "description": 5}]}, "the description must be a string"),
        ({"outputs": [{"name": "b"}], "instructions": 5}, "instructions must be a string"),
        ({"output": []}, "signature: unknown key output; allowed: description, inputs, instr"),
        ({"outputs": [{"name": "b"}], "name": "a b"}, "signature.name must be a Python identifier"),
        ({"outputs": [{"name": "b"}], "name": 5}, "signature.name must be a string"),
        ({"outputs": [{"name": "b"}], "description": 5}, "signature.description must be a string"),
    ],
)
def test_what_is_wrong_and_where_is_said(signature: object, finding: str) -> None:
    with pytest.raises(BridgeError, match=finding) as caught:
        parse_signature(signature)
    assert caught.value.code == "invalid_signature"


def test_a_description_stands_for_instructions_where_there_are_none() -> None:
    signature = {"outputs": [{"name": "a"}], "name": "Riddle", "description": "Solve it."}
    spec = parse_signature(signature)
    assert (spec.name, spec.instructions) == ("Riddle", "Solve it.")
    assert parse_signature({**signature, "instructions": "Guess."}).instructions == "Guess."


@pytest.mark.parametrize(
    "signature",
    [
        "q, n: list[int] -> a: Literal['x', 'y'], b: dict[str, float]",
        {
            "name": "Riddle",
            "description": "Solve it.",
            "inputs": [{"name": "q", "description": "A riddle."}],
            "outputs": [{"name": "a", "type": "boolean"}],
        },
    ],
)
def test_the_structured_form_of_a_signature_is_read_back_as_the_same(signature: object) -> None:
    spec = parse_signature(signature)
    assert parse_signature(spec.as_object()) == spec
