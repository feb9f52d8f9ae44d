"""Whose model, chains, agents and conversations? What one session, or the anonymous scope, has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from caduceus._context import current_call
from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from caduceus.bridges._langchain_agents import Agent
    from caduceus.bridges._langchain_objects import Llm

Thing = TypeVar("Thing")


@dataclass(slots=True)
class Chain:
    """A chain of one scope.

    Attributes
    ----------
    chain_id : str
        Its name.
    template, system : str, str or None
        What human and system say.
    prompt : ChatPromptTemplate
        Made of them.
    output_schema : dict or None
        What its answers look like; None for text.
    response_format : dict or None
        The same, as requests say it.
    created_at : float
        In seconds since the epoch.
    run_count : int
        How many runs have ended well in this process.
    """

    chain_id: str
    template: str
    system: str | None
    prompt: Any
    output_schema: dict[str, Any] | None
    response_format: dict[str, Any] | None
    created_at: float
    run_count: int = 0

    @property
    def input_variables(self) -> list[str]:
        """What its inputs are called, in alphabetical order."""
        return sorted(self.prompt.input_variables)

    def describe(self) -> dict[str, Any]:
        """Return what lists say of it."""
        return {
            "id": self.chain_id,
            "template": self.template,
            "input_variables": self.input_variables,
            "created_at": self.created_at,
            "run_count": self.run_count,
        }


@dataclass(slots=True)
class Scope:
    """What one session, or the anonymous scope, has made.

    Attributes
    ----------
    llm : Llm or None
        Its own model.
    chains, agents : dict
        By id.
    memory : dict of str to list of dict
        What was said, by thread.
    """

    llm: Llm | None = None
    chains: dict[str, Chain] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    memory: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


class Scopes:
    """All scopes of a process, by session; None is the anonymous one."""

    def __init__(self) -> None:
        self._scopes: dict[str | None, Scope] = {}
        self._retired: list[Llm] = []

    @property
    def all(self) -> dict[str | None, Scope]:
        """The scopes that have been made."""
        return self._scopes

    def own(self) -> Scope:
        """Return the scope of the current call, made when it is new."""
        return self._scopes.setdefault(session_id(), Scope())

    def seen(self) -> Scope:
        """Return the scope of the current call; one that has made nothing is not kept."""
        return self._scopes.get(session_id()) or Scope()

    async def configure(self, llm: Llm) -> None:
        """Give the current scope another model."""
        scope = self.own()
        self._retire(scope)
        scope.llm = llm
        await self._close_idle()

    async def forget(self, session: str) -> None:
        """Drop what a session has made. What is not there may be forgotten too."""
        scope = self._scopes.pop(session, None)
        if scope is not None:
            self._retire(scope)
        await self._close_idle()

    def llm(self) -> Llm:
        """Return the model of the current call: its session's own, else the bridge's.

        Returns
        -------
        Llm
            The model.

        Raises
        ------
        BridgeError
            With code ``not_configured``.
        """
        for session in (session_id(), None):
            scope = self._scopes.get(session)
            if scope is not None and scope.llm is not None:
                return scope.llm
        raise BridgeError(
            "no language model is configured; call configure_llm first", code="not_configured"
        )

    def chain(self, chain_id: str) -> Chain:
        """Return a chain of the current scope.

        Raises
        ------
        BridgeError
            With code ``chain_not_found``.
        """
        found = self.seen().chains.get(chain_id)
        if found is None:
            elsewhere = {s: chain_id in scope.chains for s, scope in self._scopes.items()}
            raise _not_found("chain", chain_id, elsewhere)
        return found

    def agent(self, agent_id: str) -> Agent:
        """Return an agent of the current scope.

        Raises
        ------
        BridgeError
            With code ``agent_not_found``.
        """
        found = self.seen().agents.get(agent_id)
        if found is None:
            elsewhere = {s: agent_id in scope.agents for s, scope in self._scopes.items()}
            raise _not_found("agent", agent_id, elsewhere)
        return found

    def _retire(self, scope: Scope) -> None:
        if scope.llm is not None:
            scope.llm.retire()
            self._retired.append(scope.llm)
            scope.llm = None

    async def _close_idle(self) -> None:
        """Close the connections of models that were replaced, once their last calls are over."""
        idle = [llm for llm in self._retired if llm.is_idle]
        self._retired = [llm for llm in self._retired if not llm.is_idle]
        for llm in idle:
            await llm.close()


def session_id() -> str | None:
    """Return the session of the current call; None is the anonymous scope."""
    call = current_call()
    return None if call is None else call.session_id


def _not_found(what: str, thing_id: str, elsewhere: dict[str | None, bool]) -> BridgeError:
    message = f"{what.capitalize()} not found: {thing_id}"
    if session_id() is not None:
        if elsewhere.get(None):
            message += "; the anonymous scope has one: call it without a session"
    elif any(elsewhere.values()):
        # Not which session: its name is another caller's business.
        message += "; a session has one: call it in that session"
    return BridgeError(message, code=f"{what}_not_found")
