"""What can be asked of agents and of their memory?

A run does not write the memory itself: once it has ended well it has Node run ``set_memory``,
nested in it, with the whole conversation. So the journal has a turn before its caller is told of
it, a replay asks no model anything, and a run that is cut short leaves no trace.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._link import CallbackError
from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._langchain_agents import Run, read_agent
from caduceus.bridges._langchain_errors import translated
from caduceus.bridges._langchain_messages import dump, kept, load, plain, read_messages, usage_of
from caduceus.bridges._langchain_scopes import session_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from caduceus.bridges._langchain_objects import LangChain
    from caduceus.bridges._langchain_scopes import Scopes

REMEMBER = "caduceus.langchain.remember"
"""The function of Node's adapter that runs ``set_memory`` for a run that has ended well."""

THREAD = "default"
"""The conversation of a session that names none."""

_CREATE_AGENT = {
    "id": Argument((str,), is_required=True),
    "system_prompt": Argument((str,)),
    "tools": Argument((list,)),
    "max_steps": Argument((int,), minimum=1),
    "max_messages": Argument((int,), minimum=2),
}
_RUN_AGENT = {
    "agent_id": Argument((str,), is_required=True),
    "input": Argument((str, list), is_required=True),
    "thread": Argument((str,)),
    "memory": Argument((bool,)),
}
_AGENT = {"agent_id": Argument((str,), is_required=True)}
_SET_MEMORY = {"thread": Argument((str,)), "messages": Argument((list,), is_required=True)}
_MEMORY = {"thread": Argument((str,))}


class AgentOperations:
    """The part of the bridge that is about agents."""

    _lib: LangChain
    _scopes: Scopes

    def _handle_create_agent(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("create_agent", args, _CREATE_AGENT)
        agent = read_agent(args, time.time())
        self._scopes.own().agents[agent.agent_id] = agent
        tools = [tool.name for tool in agent.tools]
        return {"agent_id": agent.agent_id, "status": "created", "tools": tools}

    async def _handle_run_agent(self, args: dict[str, Any]) -> dict[str, Any]:
        with self._agent_run("run_agent", args) as run:
            started_s = time.monotonic()
            await run.to_end(self._lib)
            remembered_by = await self._remember(run, args)
            return {
                "agent_id": run.agent.agent_id,
                "result": run.output,
                "messages": [plain(message) for message in run.said],
                "execution_time": time.monotonic() - started_s,
                "usage": usage_of(run.said, run.llm.model_name) or None,
                "remembered_by": remembered_by,
            }

    async def _handle_stream_agent(
        self, args: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        with self._agent_run("stream_agent", args) as run:
            async for item in run.steps(self._lib):
                yield item
            remembered_by = await self._remember(run, args)
            yield {
                "type": "message",
                "content": run.output,
                "usage": usage_of(run.said, run.llm.model_name) or None,
                "remembered_by": remembered_by,
            }

    def _handle_list_agents(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("list_agents", args, {})
        agents = [agent.describe() for agent in self._scopes.seen().agents.values()]
        return {"agents": agents, "total_count": len(agents)}

    def _handle_delete_agent(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("delete_agent", args, _AGENT)
        agent = self._scopes.agent(args["agent_id"])
        del self._scopes.own().agents[agent.agent_id]
        return {"agent_id": agent.agent_id, "status": "deleted"}

    def _handle_get_memory(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("get_memory", args, _MEMORY)
        thread = args.get("thread") or THREAD
        messages = load(self._lib, self._scopes.seen().memory.get(thread, []))
        return {"thread": thread, "messages": [plain(message) for message in messages]}

    def _handle_set_memory(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("set_memory", args, _SET_MEMORY)
        if session_id() is None:
            raise invalid("set_memory needs a session: what is said without one belongs to nobody")
        thread = args.get("thread") or THREAD
        # Read once, so that what cannot be used is refused now and not at the next run.
        load(self._lib, args["messages"])
        self._scopes.own().memory[thread] = args["messages"]
        return {"thread": thread, "status": "set", "messages_count": len(args["messages"])}

    def _handle_clear_memory(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("clear_memory", args, _MEMORY)
        thread = args.get("thread") or THREAD
        self._scopes.seen().memory.pop(thread, None)
        return {"thread": thread, "status": "cleared"}

    @contextmanager
    def _agent_run(self, op: str, args: dict[str, Any]) -> Iterator[Run]:
        """Find what an agent's run needs: its model, and what was said before."""
        check_arguments(op, args, _RUN_AGENT)
        agent = self._scopes.agent(args["agent_id"])
        said = read_messages(self._lib, op, args["input"])
        if args.get("memory") is True and session_id() is None:
            raise invalid(f"{op}: memory needs a session")
        if _remembers(args):
            memory = self._scopes.seen().memory.get(args.get("thread") or THREAD, [])
            said = [*load(self._lib, memory), *said]
        with self._scopes.llm().used() as llm, translated():
            yield Run(agent, llm, said)
            agent.run_count += 1

    async def _remember(self, run: Run, args: dict[str, Any]) -> str | None:
        """Add a run to its conversation, before anybody is told that it has ended."""
        if not _remembers(args):
            return None
        messages = dump(self._lib, [*run.messages, *run.said])
        change = {
            "thread": args.get("thread") or THREAD,
            "messages": kept(messages, run.agent.messages_max),
        }
        call = current_call()
        try:
            if call is not None and call._link is not None:
                await call.ainvoke(REMEMBER, change)
                return "journal"
        except CallbackError as error:
            # An adapter of one's own that does not have it.
            if error.code != "callback_unknown":
                raise
        self._handle_set_memory(change)
        return "worker"


def _remembers(args: dict[str, Any]) -> bool:
    wish: bool | None = args.get("memory")
    return session_id() is not None if wish is None else wish
