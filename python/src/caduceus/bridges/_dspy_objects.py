"""How are DSPy's objects made: the module itself, a language model, a program?

The only file that knows DSPy's constructors. What is kept, for whom and for how long is `dspy.py`'s
question.
"""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus._packages import package_missing
from caduceus.bridges._arguments import invalid
from caduceus.bridges._dspy_cache import cache_kind
from caduceus.bridges._dspy_tools import make_tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from caduceus.bridges._dspy_tools import ToolSpec
    from caduceus.bridges._signatures import SignatureSpec

PROGRAM_TYPES = {"predict": "Predict", "chain_of_thought": "ChainOfThought", "react": "ReAct"}
"""The program types of ``create_program``, and the names of DSPy's classes for them."""

_REASONING = {"reasoning": "the output"}
_STEPS = ("trajectory", "next_thought", "next_tool_name", "next_tool_args", "max_iters")
_ADDED: dict[str, dict[str, str]] = {
    "chain_of_thought": _REASONING,
    "react": {**_REASONING, **dict.fromkeys(_STEPS, "a field")},
}
"""The fields that a program type adds to its signature."""

_CACHE_ENTRIES_MAX = 1_000
_ENGINES = ("auto", "lm15", "litellm")


def import_dspy() -> ModuleType:
    """Import DSPy so that it touches neither the home directory nor the network.

    Returns
    -------
    module
        DSPy, without a disk cache, its log records on the way of all records.

    Raises
    ------
    BridgeError
        With code ``package_missing``.
    """
    scratch = os.environ.get("CADUCEUS_SCRATCH_DIR")
    folder = scratch or tempfile.mkdtemp(prefix="caduceus-dspy-")
    os.environ["DSPY_CACHEDIR"] = os.path.join(folder, "dspy-cache")
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"
    # Progress goes to the caller; a bar drawn on stderr would be a log record for each step.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        dspy = importlib.import_module("dspy")
    except ModuleNotFoundError as error:
        if error.name != "dspy":
            raise
        raise package_missing("the DSPy bridge", ["dspy"]) from error
    dspy.configure_cache(
        enable_disk_cache=False, enable_memory_cache=True, memory_max_entries=_CACHE_ENTRIES_MAX
    )
    if scratch is None:
        # Nothing is kept on disk; only its name was needed.
        with suppress(OSError):
            os.rmdir(folder)
    # DSPy prints its records on stderr itself; here they take the way of all records.
    logger = logging.getLogger("dspy")
    logger.handlers.clear()
    logger.propagate = True
    return dspy


def make_lm(dspy: ModuleType, args: Mapping[str, Any]) -> object:
    """Make a language model; nothing is sent to it.

    Parameters
    ----------
    dspy : module
        DSPy.
    args : mapping
        The arguments of ``configure_lm``, checked.

    Returns
    -------
    dspy.LM
        The model.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, if DSPy does not take them.
    """
    model: str = args["model"]
    engine = args.get("engine")
    if engine is None:
        # DSPy's own client, which fails where "auto" would quietly take another one.
        is_openai = args.get("api_base") is not None or model.startswith("openai/")
        engine = "lm15" if is_openai else "auto"
    if engine not in _ENGINES:
        raise invalid(f"configure_lm: engine must be one of {', '.join(_ENGINES)}")
    options: dict[str, Any] = {
        "temperature": args.get("temperature"),
        "max_tokens": args.get("max_tokens"),
        "cache": cache_kind(args) != "off",
        # Node repeats a call, if anyone does: it knows the deadline and whether a repetition is
        # safe.
        "num_retries": args.get("num_retries") or 0,
        "engine": engine,
    }
    for name, option in (
        ("api_base", "api_base"),
        ("api_key", "api_key"),
        ("timeout_s", "timeout"),
    ):
        if args.get(name) is not None:
            options[option] = args[name]
    if "api_base" in options and "api_key" not in options:
        # DSPy's client wants a key for every server; one named by its address may need none.
        options["api_key"] = os.environ.get("OPENAI_API_KEY") or "unused"
    try:
        return dspy.LM(model, **options)
    except (ValueError, TypeError, dspy.LMConfigurationError) as error:
        raise invalid(f"configure_lm: {error}") from error


def make_module(
    dspy: ModuleType,
    program_type: str,
    spec: SignatureSpec,
    tools: tuple[ToolSpec, ...] = (),
    max_iters: int | None = None,
) -> object:
    """Make a program.

    Parameters
    ----------
    dspy : module
        DSPy.
    program_type : str
        A key of `PROGRAM_TYPES`.
    spec : SignatureSpec
        What goes in and comes out.
    tools : tuple of ToolSpec
        What an agent may use.
    max_iters : int, optional
        The most steps of an agent; DSPy's own default is 20.

    Returns
    -------
    dspy.Module
        The program.

    Raises
    ------
    BridgeError
        With code ``invalid_signature``, if DSPy refuses a field.
    """
    for name, adder in _ADDED.get(program_type, {}).items():
        if name in (*spec.input_names, *spec.output_names):
            raise BridgeError(
                f"invalid signature: {name!r} is {adder} that {program_type} adds itself",
                code="invalid_signature",
            )
    try:
        with warnings.catch_warnings():
            # "copy", "json" and the like hide methods of DSPy's class that nothing here calls.
            warnings.filterwarnings("ignore", message="Field name .* shadows an attribute")
            signature = _make_signature(dspy, spec)
            if program_type != "react":
                return getattr(dspy, PROGRAM_TYPES[program_type])(signature)
            options = {} if max_iters is None else {"max_iters": max_iters}
            return dspy.ReAct(signature, [make_tool(dspy, tool) for tool in tools], **options)
    except Exception as error:
        raise BridgeError(f"invalid signature: {error}", code="invalid_signature") from error


def _make_signature(dspy: ModuleType, spec: SignatureSpec) -> object:
    fields: dict[str, Any] = {}
    for make, side in ((dspy.InputField, spec.inputs), (dspy.OutputField, spec.outputs)):
        for item in side:
            described = {} if item.description is None else {"desc": item.description}
            fields[item.name] = (item.annotation, make(**described))
    named = {} if spec.name is None else {"signature_name": spec.name}
    return dspy.Signature(fields, spec.instructions, **named)
