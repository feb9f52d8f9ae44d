"""Whose model and whose programs?

The scope of a call is its session, or the anonymous scope. Nothing of one is seen in another, but
that a model configured without a session serves every scope that has none of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus.bridges._dspy_cache import close_cache

if TYPE_CHECKING:
    from caduceus.bridges._dspy_programs import Program


@dataclass(slots=True)
class Model:
    """A configured language model, and where its answers are kept."""

    lm: Any
    cache: Any = None

    def close(self) -> None:
        """Close what it keeps open, which would else outlive its use."""
        self.lm.close()
        close_cache(self.cache)


@dataclass(slots=True)
class _Scope:
    """What one session, or the anonymous scope, has made."""

    model: Model | None = None
    programs: dict[str, Program] = field(default_factory=dict)


class Scopes:
    """The models and programs of a worker, by scope."""

    def __init__(self) -> None:
        self._scopes: dict[str | None, _Scope] = {}

    @property
    def programs_count(self) -> int:
        """How many programs there are, of all scopes."""
        return sum(len(scope.programs) for scope in self._scopes.values())

    @property
    def sessions_count(self) -> int:
        """How many sessions have made something."""
        return sum(session is not None for session in self._scopes)

    def configure(self, session_id: str | None, model: Model) -> None:
        """Give a scope its model, in the place of the one before."""
        scope = self._scope(session_id)
        before, scope.model = scope.model, model
        if before is not None:
            before.close()

    def put(self, session_id: str | None, program: Program) -> None:
        """Add a program.

        The same id again replaces: a journal is replayed without knowing how far it got before.
        """
        self._scope(session_id).programs[program.program_id] = program

    def programs(self, session_id: str | None) -> list[Program]:
        """Return the programs of a scope, oldest first."""
        scope = self._scopes.get(session_id)
        return [] if scope is None else list(scope.programs.values())

    def delete(self, session_id: str | None, program_id: str) -> None:
        """Forget a program.

        Raises
        ------
        BridgeError
            With code ``program_not_found``.
        """
        self.find(session_id, program_id)
        del self._scopes[session_id].programs[program_id]

    def forget(self, session_id: str) -> None:
        """Forget a session. One that made nothing is no error: it may have ended before."""
        scope = self._scopes.pop(session_id, None)
        if scope is not None and scope.model is not None:
            scope.model.close()

    def model_for(self, session_id: str | None) -> Model:
        """Return the model that serves a scope.

        Raises
        ------
        BridgeError
            With code ``not_configured``.
        """
        for scope in (self._scopes.get(session_id), self._scopes.get(None)):
            if scope is not None and scope.model is not None:
                return scope.model
        raise BridgeError(
            "no language model is configured; call configure first", code="not_configured"
        )

    def find(self, session_id: str | None, program_id: str) -> Program:
        """Return a program of a scope.

        Raises
        ------
        BridgeError
            With code ``program_not_found``; the message says where else it is, as far as that is
            the caller's business.
        """
        scope = self._scopes.get(session_id)
        if scope is not None and program_id in scope.programs:
            return scope.programs[program_id]
        message = f"there is no program {program_id!r} in {_scope_name(session_id)}"
        anonymous = self._scopes.get(None)
        if session_id is not None:
            if anonymous is not None and program_id in anonymous.programs:
                message += "; the anonymous scope has one: call it without a session"
        elif any(program_id in other.programs for other in self._scopes.values()):
            # Not which session: its name is another caller's business.
            message += "; a session has one: call it in that session"
        raise BridgeError(message, code="program_not_found")

    def _scope(self, session_id: str | None) -> _Scope:
        return self._scopes.setdefault(session_id, _Scope())


def current_session_id() -> str | None:
    """Return the session of the call that runs; None is the anonymous scope."""
    call = current_call()
    return None if call is None else call.session_id


def _scope_name(session_id: str | None) -> str:
    return "the anonymous scope" if session_id is None else f"session {session_id!r}"
