"""What is a program: what it was made from, how it is described, and how it is written down?

Everything that a program was made from is kept with it, so that it can be written down whole and be
made again elsewhere, from JSON alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._dspy_objects import PROGRAM_TYPES, make_module
from caduceus.bridges._dspy_tools import ToolSpec, parse_tools
from caduceus.bridges._signatures import SignatureSpec, parse_signature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

DUMP_FORMAT = 1
"""The form of what `dump` gives. Another form is refused."""

MAX_ITERS_MAX = 100
"""The most steps of an agent: each is one request to the model."""

_PROGRAM = {
    "program_type": Argument((str,)),
    "signature": Argument((str, dict), is_required=True),
    "instructions": Argument((str,)),
    "tools": Argument((list,)),
    "max_iters": Argument((int,), minimum=1),
}
CREATE_PROGRAM = {"id": Argument((str,), is_required=True), **_PROGRAM}
_DUMP = {
    "format": Argument((int,), is_required=True),
    "dspy_version": Argument((str,)),
    "id": Argument((str,)),
    **_PROGRAM,
    "state": Argument((dict,), is_required=True),
}
# What DSPy writes of one predictor and may be read again. It would set any other key as an
# attribute; and a model is the session's, never a program's.
_STATE_KEYS = ("demos", "signature", "traces", "train", "fields")


@dataclass(slots=True)
class Program:
    """A program of one scope; the module is DSPy's."""

    program_id: str
    program_type: str
    spec: SignatureSpec
    module: Any
    tools: tuple[ToolSpec, ...] = ()
    max_iters: int | None = None
    created_at: float = field(default_factory=time.time)
    execution_count: int = 0
    last_executed: float | None = None

    def note_execution(self) -> None:
        """Count one run that succeeded."""
        self.execution_count += 1
        self.last_executed = time.time()

    @property
    def demos_count(self) -> int:
        """How many demonstrations its predictors have, together."""
        return sum(len(predict.demos) for predict in self.module.predictors())

    def with_module(self, module: object) -> Program:
        """Return the same program with another module of DSPy's."""
        return replace(self, module=module)

    def describe(self) -> dict[str, Any]:
        """Describe the program, for lists."""
        return {
            "id": self.program_id,
            "program_type": self.program_type,
            "signature": self.spec.text,
            "inputs": self.spec.input_names,
            "outputs": self.spec.output_names,
            "created_at": self.created_at,
            "execution_count": self.execution_count,
            "last_executed": self.last_executed,
        }

    def describe_fully(self) -> dict[str, Any]:
        """Describe the program with all that it was made from."""
        return {
            "program_id": self.program_id,
            **self.describe(),
            "signature_def": self.spec.as_object(),
            "tools": [tool.as_object() for tool in self.tools],
            "max_iters": self.max_iters,
            "demos_count": self.demos_count,
        }

    def check_inputs(self, inputs: Mapping[str, Any]) -> None:
        """Refuse inputs that are not those of the signature.

        Raises
        ------
        BridgeError
            With code ``invalid_arguments``.
        """
        expected = self.spec.input_names
        missing = [name for name in expected if name not in inputs]
        unexpected = [name for name in inputs if name not in expected]
        findings = [
            f"{word} {', '.join(names)}"
            for word, names in (("missing", missing), ("unexpected", unexpected))
            if names
        ]
        if findings:
            raise invalid(
                f"the inputs of program {self.program_id!r}: {'; '.join(findings)}; "
                f"expected: {', '.join(expected) or 'none'}"
            )


def create_program(dspy: ModuleType, program_id: str, args: Mapping[str, Any]) -> Program:
    """Make a program.

    Parameters
    ----------
    dspy : module
        DSPy.
    program_id : str
        Its id.
    args : mapping
        The other arguments of ``create_program``, of the right types.

    Returns
    -------
    Program
        The program.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments`` or ``invalid_signature``.
    """
    program_type = args.get("program_type") or "predict"
    if program_type not in PROGRAM_TYPES:
        raise invalid(f"create_program: program_type must be one of {', '.join(PROGRAM_TYPES)}")
    is_agent = program_type == "react"
    for name in ("tools", "max_iters"):
        if not is_agent and args.get(name) is not None:
            raise invalid(f"create_program: {name} is for program_type react")
    tools = parse_tools(args.get("tools") or [])
    max_iters = args.get("max_iters")
    if max_iters is not None and max_iters > MAX_ITERS_MAX:
        raise invalid(f"create_program: max_iters must be at most {MAX_ITERS_MAX}, not {max_iters}")
    spec = parse_signature(args["signature"], args.get("instructions"))
    module = make_module(dspy, program_type, spec, tools, max_iters)
    return Program(program_id, program_type, spec, module, tools, max_iters)


def dump(dspy: ModuleType, program: Program) -> dict[str, Any]:
    """Write a program down: what it was made from, and what optimisation has made of it.

    Parameters
    ----------
    dspy : module
        DSPy.
    program : Program
        The program.

    Returns
    -------
    dict
        JSON, without any model and without any key.
    """
    state = {name: plain(each.dump_state()) for name, each in program.module.named_predictors()}
    for predict in state.values():
        predict["lm"] = None
    written: dict[str, Any] = {
        "format": DUMP_FORMAT,
        "dspy_version": str(dspy.__version__),
        "id": program.program_id,
        "program_type": program.program_type,
        "signature": program.spec.as_object(),
        "state": state,
    }
    if program.tools:
        written["tools"] = [tool.as_object() for tool in program.tools]
    if program.max_iters is not None:
        written["max_iters"] = program.max_iters
    return written


def load(dspy: ModuleType, program_id: str | None, dumped: Mapping[str, Any]) -> Program:
    """Make a program from what `dump` has written.

    Parameters
    ----------
    dspy : module
        DSPy.
    program_id : str, optional
        Its id. Default: the one that it had.
    dumped : mapping
        What was written. Nothing in it is run, and no model is made from it.

    Returns
    -------
    Program
        The program.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments`` or ``invalid_signature``.
    """
    check_arguments("load_program: program", dumped, _DUMP)
    if dumped["format"] != DUMP_FORMAT:
        raise invalid(f"load_program: format {dumped['format']} is not {DUMP_FORMAT}")
    own_id = program_id or dumped.get("id")
    if not own_id:
        raise invalid("load_program needs id, or a program that has one")
    program = create_program(dspy, own_id, dumped)
    state = _checked_state(program, dumped["state"])
    try:
        for name, predict in program.module.named_predictors():
            predict.load_state(state[name])
    except Exception as error:
        text = f"load_program: DSPy refuses the state: {type(error).__name__}: {error}"
        raise invalid(text) from error
    return program


def _checked_state(program: Program, state: Mapping[str, Any]) -> dict[str, Any]:
    expected = [name for name, _predict in program.module.named_predictors()]
    if sorted(state) != sorted(expected):
        raise invalid(
            f"load_program: the state is of {', '.join(state) or 'nothing'}, "
            f"the program has {', '.join(expected)}"
        )
    checked: dict[str, Any] = {}
    for name, predict in state.items():
        if not isinstance(predict, dict) or not isinstance(predict.get("demos"), list):
            raise invalid(f"load_program: the state of {name} must be an object with demos")
        if not all(isinstance(demo, dict) for demo in predict["demos"]):
            raise invalid(f"load_program: the demos of {name} must be objects")
        kept = {key: predict[key] for key in _STATE_KEYS if key in predict}
        checked[name] = {**kept, "lm": None}
    return checked


def plain(value: object) -> Any:  # noqa: ANN401 - JSON, whose shape is the provider's
    """Return `value` with only what JSON has.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    object
        The same where it is JSON; models as objects; all else as text.
    """
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    to_dict = getattr(value, "toDict", None)
    if to_dict is not None:
        return plain(to_dict())
    model_dump = getattr(value, "model_dump", None)
    return plain(model_dump(mode="json")) if model_dump is not None else str(value)
