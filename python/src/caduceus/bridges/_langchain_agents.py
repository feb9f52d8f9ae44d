"""How does an agent run: with which tools, which memory, and what is told of its steps?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._link import CallbackError
from caduceus.bridges._arguments import invalid
from caduceus.bridges._langchain_messages import MESSAGES_MAX, plain, plain_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from caduceus.bridges._langchain_objects import LangChain, Llm

STEPS_MAX = 12
"""How often an agent may ask its model in one run, unless it says otherwise: an agent that has not
found its answer by then goes in circles, and each step is paid for."""

_TOOL_KEYS = frozenset(("name", "description", "parameters", "callback"))
_NO_PARAMETERS = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function of the caller's, as a model is told of it.

    Attributes
    ----------
    name, description : str
        What the model sees.
    parameters : dict
        JSON Schema of an object.
    callback : str
        The name of the function in Node.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    callback: str


@dataclass(slots=True)
class Agent:
    """An agent of one scope.

    Attributes
    ----------
    agent_id : str
        Its name.
    system_prompt : str or None
        What it is told before all else.
    tools : tuple of ToolSpec
        What it may call.
    steps_max, messages_max : int
        See `STEPS_MAX` and `MESSAGES_MAX`.
    created_at : float
        In seconds since the epoch.
    run_count : int
        How many runs have ended well in this process.
    """

    agent_id: str
    system_prompt: str | None
    tools: tuple[ToolSpec, ...]
    steps_max: int
    messages_max: int
    created_at: float
    run_count: int = 0
    _graph: Any = None
    _graph_llm: Llm | None = None

    def graph(self, lib: LangChain, llm: Llm) -> Any:  # noqa: ANN401 - LangChain's
        """Return LangChain's agent for this model; made anew only when the model is another."""
        if self._graph is None or self._graph_llm is not llm:
            tools = [_make_tool(lib, spec) for spec in self.tools]
            self._graph = lib.agents.create_agent(llm.chat, tools, system_prompt=self.system_prompt)
            self._graph_llm = llm
        return self._graph

    @property
    def config(self) -> dict[str, Any]:
        """How far a run may go: each question to the model but the last has its tools' answers."""
        return {"recursion_limit": 2 * self.steps_max}

    def describe(self) -> dict[str, Any]:
        """Return what lists say of it."""
        return {
            "id": self.agent_id,
            "system_prompt": self.system_prompt,
            "tools": [tool.name for tool in self.tools],
            "created_at": self.created_at,
            "run_count": self.run_count,
        }


@dataclass(slots=True)
class Run:
    """One run of an agent: what it was given, and what came of it.

    Attributes
    ----------
    agent : Agent
        Whose run.
    llm : Llm
        The model.
    messages : list of BaseMessage
        All that the model sees at the start: the memory, and what is said now.
    said : list of BaseMessage
        What model and tools added.
    """

    agent: Agent
    llm: Llm
    messages: list[Any]
    said: list[Any] = field(default_factory=list)

    @property
    def output(self) -> str:
        """The last word."""
        return str(self.said[-1].text) if self.said else ""

    async def to_end(self, lib: LangChain) -> None:
        """Run it, and keep what was said."""
        graph = self.agent.graph(lib, self.llm)
        result = await graph.ainvoke({"messages": self.messages}, self.agent.config)
        self.said = result["messages"][len(self.messages) :]

    async def steps(self, lib: LangChain) -> AsyncGenerator[dict[str, Any], None]:
        """Run it, and yield its tokens and steps as they come."""
        graph = self.agent.graph(lib, self.llm)
        stream = graph.astream(
            {"messages": self.messages}, self.agent.config, stream_mode=["messages", "updates"]
        )
        async for mode, payload in stream:
            if mode == "messages":
                chunk = payload[0]
                if chunk.type == "AIMessageChunk" and chunk.text:
                    yield {"type": "token", "text": str(chunk.text)}
                continue
            for update in payload.values():
                for message in (update or {}).get("messages", ()):
                    self.said.append(message)
                    for item in _items_of(message):
                        yield item


def read_tools(given: object) -> tuple[ToolSpec, ...]:
    """Read the tools of an agent.

    Parameters
    ----------
    given : list of dict or None
        Each with ``name``, ``description``, ``parameters`` (JSON Schema of an object) and
        ``callback``, the name of the function in Node; that is the tool's own by default.

    Returns
    -------
    tuple of ToolSpec
        In order.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    tools: list[ToolSpec] = []
    for index, tool in enumerate(given if isinstance(given, list) else []):
        where = f"create_agent: tools[{index}]"
        if not isinstance(tool, dict):
            raise invalid(f"{where} must be an object")
        unknown = [key for key in tool if key not in _TOOL_KEYS]
        if unknown:
            taken = ", ".join(sorted(_TOOL_KEYS))
            raise invalid(f"{where} does not take {', '.join(unknown)}; it takes {taken}")
        name, description = tool.get("name"), tool.get("description")
        # Without a description a model does not know when to use it.
        for key, text in (("name", name), ("description", description)):
            if not isinstance(text, str) or not text:
                raise invalid(f"{where} needs {key} (a string)")
        parameters = tool.get("parameters") or _NO_PARAMETERS
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            raise invalid(f"{where}: parameters must be the JSON Schema of an object")
        if any(name == other.name for other in tools):
            raise invalid(f"{where}: there is a tool {name!r} already")
        callback = tool.get("callback") or name
        tools.append(ToolSpec(str(name), str(description), parameters, str(callback)))
    return tuple(tools)


def read_agent(args: Mapping[str, Any], created_at: float) -> Agent:
    """Make an agent of the arguments of ``create_agent``, checked.

    Parameters
    ----------
    args : mapping
        The arguments.
    created_at : float
        The time of now.

    Returns
    -------
    Agent
        Not connected to a model yet.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    return Agent(
        agent_id=args["id"],
        system_prompt=args.get("system_prompt"),
        tools=read_tools(args.get("tools")),
        steps_max=args.get("max_steps") or STEPS_MAX,
        messages_max=args.get("max_messages") or MESSAGES_MAX,
        created_at=created_at,
    )


def _make_tool(lib: LangChain, spec: ToolSpec) -> Any:  # noqa: ANN401 - LangChain's
    async def ask(**arguments: object) -> object:
        call = current_call()
        if call is None:
            raise CallbackError(f"tool {spec.name}: no caller", code="callback_unknown")
        try:
            return await call.ainvoke(spec.callback, arguments)
        except CallbackError as error:
            if error.code != "callback_failed":
                raise
            # What a tool finds wrong is for the model to read: it may ask otherwise.
            raise lib.tools.ToolException(str(error)) from error

    return lib.tools.StructuredTool.from_function(
        coroutine=ask,
        name=spec.name,
        description=spec.description,
        args_schema={"title": spec.name, **spec.parameters},
        handle_tool_error=True,
    )


def _items_of(message: Any) -> Sequence[dict[str, Any]]:  # noqa: ANN401 - LangChain's
    if message.type == "tool":
        described = plain(message)
        del described["role"]
        return [{"type": "tool_result", **described}]
    return [{"type": "tool_call", **plain_call(call)} for call in message.tool_calls or ()]
