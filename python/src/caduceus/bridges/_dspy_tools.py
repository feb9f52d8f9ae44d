"""How does an agent use tools that are functions in Node?

A tool is data: a name, a description, and what it takes. Calling it is a callback of the call that
runs the agent, so that a program can be made again on another worker without the function.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus._link import CallbackError
from caduceus.bridges._arguments import invalid
from caduceus.bridges._dspy_errors import CallerFaultError

if TYPE_CHECKING:
    from types import ModuleType

TOOLS_MAX = 64
"""Tools of one agent: each is described in every prompt."""

_NAME = re.compile(r"^[A-Za-z_][\w.-]{0,63}$")
_KEYS = ("name", "description", "args", "callback")
# DSPy's own way to say that an agent is done.
_RESERVED = "finish"
# There is no such function, or the call has no functions at all.
_NOBODY = ("callback_unknown", "cancelled")


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool of an agent.

    Attributes
    ----------
    name : str
        What the model calls it.
    description : str
        What it does, for the model.
    properties : dict
        The JSON Schema of each argument, by name.
    required : tuple of str
        Arguments that must be there.
    callback : str
        The name of the function in Node.
    """

    name: str
    description: str
    properties: dict[str, Any]
    required: tuple[str, ...]
    callback: str

    def as_object(self) -> dict[str, Any]:
        """Return the form from which `parse_tools` makes an equal one."""
        schema = {
            "type": "object",
            "properties": self.properties,
            "required": list(self.required),
        }
        return {
            "name": self.name,
            "description": self.description,
            "args": schema,
            "callback": self.callback,
        }


def parse_tools(tools: object) -> tuple[ToolSpec, ...]:
    """Read the tools of ``create_program``.

    Parameters
    ----------
    tools : list of dict
        Each with ``name``, and optionally ``description``, ``args`` (a JSON Schema of an object, or
        one schema for each argument by name, all of them required) and ``callback`` (default: the
        name).

    Returns
    -------
    tuple of ToolSpec
        In order.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    if not isinstance(tools, list):
        raise invalid("create_program: tools must be an array of objects")
    if len(tools) > TOOLS_MAX:
        raise invalid(f"create_program: {TOOLS_MAX} tools are the most, found {len(tools)}")
    specs = tuple(_parse_tool(tool, f"create_program: tools[{n}]") for n, tool in enumerate(tools))
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise invalid(f"create_program: the tool {name!r} is there twice")
    return specs


def _parse_tool(tool: object, where: str) -> ToolSpec:
    if not isinstance(tool, dict):
        raise invalid(f"{where} must be an object")
    unknown = [str(key) for key in tool if key not in _KEYS]
    if unknown:
        raise invalid(f"{where} does not take {', '.join(unknown)}; it takes {', '.join(_KEYS)}")
    name = tool.get("name")
    if not isinstance(name, str) or _NAME.match(name) is None:
        raise invalid(f"{where}.name must be a name of letters, digits, '_', '.' and '-'")
    if name == _RESERVED:
        raise invalid(f"{where}.name: {_RESERVED!r} is the tool that DSPy adds itself")
    texts = {"description": tool.get("description") or "", "callback": tool.get("callback") or name}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise invalid(f"{where}.{key} must be a string")
    properties, required = _parse_args(tool.get("args") or {}, f"{where}.args")
    return ToolSpec(name, texts["description"], properties, required, texts["callback"])


def _parse_args(args: object, where: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    if not isinstance(args, dict):
        raise invalid(f"{where} must be an object")
    properties, required = args, tuple(args)
    if isinstance(args.get("properties"), dict) and args.get("type") == "object":
        properties, required = args["properties"], tuple(args.get("required") or ())
    elif args.get("type") == "object":
        properties, required = {}, ()
    for name, schema in properties.items():
        if not isinstance(schema, dict):
            raise invalid(f"{where}.{name} must be a JSON Schema")
    for name in required:
        if name not in properties:
            raise invalid(f"{where}: {name!r} is required and not described")
    return dict(properties), required


def make_tool(dspy: ModuleType, spec: ToolSpec) -> object:
    """Make DSPy's tool, which calls Node.

    Parameters
    ----------
    dspy : module
        DSPy.
    spec : ToolSpec
        The tool.

    Returns
    -------
    dspy.Tool
        The tool.
    """

    def use(**kwargs: Any) -> object:  # noqa: ANN401 - what the model chose
        return _use(spec, kwargs)

    # The model is told which arguments may be left out by their default, as DSPy does it.
    described = {
        name: schema
        if name in spec.required or "default" in schema
        else {**schema, "default": None}
        for name, schema in spec.properties.items()
    }
    return dspy.Tool(
        use, name=spec.name, desc=spec.description or None, args=described, arg_types={}
    )


def _use(spec: ToolSpec, args: dict[str, Any]) -> object:
    """Call Node. What goes wrong there is told to the agent's model, which may try otherwise."""
    missing = [name for name in spec.required if name not in args]
    unknown = [name for name in args if name not in spec.properties]
    for word, names in (("needs", missing), ("does not take", unknown)):
        if names:
            return f"Error: {spec.name} {word} {', '.join(names)}"
    call = current_call()
    if call is None:
        error = BridgeError(f"the tool {spec.name!r} needs a caller", code="callback_failed")
        raise CallerFaultError(error)
    call.raise_if_cancelled()
    call.progress({"tool": spec.name, "args": args})
    try:
        return call.invoke(spec.callback, args)
    except CallbackError as error:
        if error.code in _NOBODY:
            # No model can mend that.
            text = f"the tool {spec.name!r} needs a callback {spec.callback!r}: {error}"
            raise CallerFaultError(CallbackError(text, code="callback_unknown")) from error
        # Not raised: DSPy would send its traceback, with the paths of this machine, to the model.
        return f"Error in {spec.name}: {error}"
