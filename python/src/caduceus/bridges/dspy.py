"""How is DSPy used from Node?

Language models and programs, kept per scope: the scope of a call is its session, or the anonymous
scope. DSPy's own global settings are never changed after the start; every call runs in a
``dspy.context`` of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus._secrets import conceal
from caduceus.base_bridge import BaseBridge
from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._dspy_objects import PROGRAM_TYPES, import_dspy, make_lm, make_module
from caduceus.bridges._signatures import SignatureSpec, parse_signature

if TYPE_CHECKING:
    from types import ModuleType

_CONFIGURE_LM = {
    "model": Argument((str,), is_required=True),
    "api_base": Argument((str,)),
    "api_key": Argument((str,)),
    "temperature": Argument((float,), minimum=0),
    "max_tokens": Argument((int,), minimum=1),
    "timeout_s": Argument((float,), minimum=0.001),
    "cache": Argument((bool,)),
    "num_retries": Argument((int,), minimum=0),
    "engine": Argument((str,)),
}
_CREATE_PROGRAM = {
    "id": Argument((str,), is_required=True),
    "signature": Argument((str, dict), is_required=True),
    "program_type": Argument((str,)),
    "instructions": Argument((str,)),
}
_EXECUTE_PROGRAM = {
    "program_id": Argument((str,), is_required=True),
    "inputs": Argument((dict,), is_required=True),
}
_DELETE_PROGRAM = {"program_id": Argument((str,), is_required=True)}
_FORGET_SESSION = {"session_id": Argument((str,))}


@dataclass(slots=True)
class _Program:
    """A program of one scope; the module is DSPy's."""

    program_id: str
    program_type: str
    spec: SignatureSpec
    module: Any
    created_at: float
    execution_count: int = 0


@dataclass(slots=True)
class _Scope:
    """What one session, or the anonymous scope, has made."""

    lm: Any = None
    programs: dict[str, _Program] = field(default_factory=dict)

    def release_lm(self) -> None:
        """Close the connections that a model keeps open, which would else outlive its use."""
        if self.lm is not None:
            self.lm.close()
            self.lm = None


class DSPyBridge(BaseBridge):
    """DSPy 3.4 behind ten operations.

    ``configure_lm``, ``create_program``, ``execute_program``, ``list_programs``,
    ``delete_program``, ``forget_session`` and those of `BaseBridge`. A language model that is
    configured without a session serves every scope that has none of its own.

    Parameters
    ----------
    mode : str, default "standalone"
        See `BaseBridge`.
    worker_id : str, optional
        See `BaseBridge`.

    Raises
    ------
    BridgeError
        With code ``package_missing``, if DSPy is not installed.
    """

    _dspy: ModuleType
    _scopes: dict[str | None, _Scope]

    def _register_handlers(self) -> None:
        self._handlers.update(
            {
                "configure_lm": self._handle_configure_lm,
                "create_program": self._handle_create_program,
                "execute_program": self._handle_execute_program,
                "list_programs": self._handle_list_programs,
                "delete_program": self._handle_delete_program,
                "forget_session": self._handle_forget_session,
            }
        )

    def _initialize_framework(self) -> None:
        self._scopes = {}
        self._dspy = import_dspy()

    def get_framework_info(self) -> dict[str, Any]:
        """Describe DSPy.

        Returns
        -------
        dict
            ``name``, ``version`` and ``capabilities``.
        """
        return {
            "name": "dspy",
            "version": str(self._dspy.__version__),
            "capabilities": ["signatures", "programs", "language_models"],
        }

    def _handle_get_stats(self, args: dict[str, Any]) -> dict[str, Any]:
        return {
            **super()._handle_get_stats(args),
            "programs_count": sum(len(scope.programs) for scope in self._scopes.values()),
            "sessions_count": sum(session is not None for session in self._scopes),
        }

    def _handle_configure_lm(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("configure_lm", args, _CONFIGURE_LM)
        if args.get("api_key"):
            conceal(args["api_key"])
        session_id = _session_id()
        lm = make_lm(self._dspy, args)
        scope = self._scope(session_id)
        scope.release_lm()
        scope.lm = lm
        return {
            "status": "configured",
            "model": args["model"],
            "scope": "bridge" if session_id is None else "session",
        }

    def _handle_create_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("create_program", args, _CREATE_PROGRAM)
        program_type = args.get("program_type") or "predict"
        if program_type not in PROGRAM_TYPES:
            known = ", ".join(PROGRAM_TYPES)
            raise invalid(f"create_program: program_type must be one of {known}")
        spec = parse_signature(args["signature"], args.get("instructions"))
        program = _Program(
            program_id=args["id"],
            program_type=program_type,
            spec=spec,
            module=make_module(self._dspy, program_type, spec),
            created_at=time.time(),
        )
        # The same id again replaces: a journal is replayed without knowing how far it got before.
        self._scope(_session_id()).programs[program.program_id] = program
        return {
            "program_id": program.program_id,
            "program_type": program_type,
            "signature": spec.text,
            "inputs": spec.input_names,
            "outputs": spec.output_names,
            "status": "created",
        }

    def _handle_execute_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("execute_program", args, _EXECUTE_PROGRAM)
        session_id = _session_id()
        program = self._find_program(session_id, args["program_id"])
        inputs: dict[str, Any] = args["inputs"]
        _check_inputs(program, inputs)
        lm = self._lm_for(session_id)
        started_s = time.monotonic()
        # History and trace would keep every prompt of the process's life; nobody here reads them.
        with self._dspy.context(lm=lm, track_usage=True, disable_history=True, trace=[]):
            try:
                prediction = program.module(**inputs)
            except self._dspy.LMNotConfiguredError as error:
                raise BridgeError(str(error), code="not_configured") from error
        program.execution_count += 1
        return {
            "program_id": program.program_id,
            "outputs": _plain(prediction.toDict()),
            "usage": _plain(prediction.get_lm_usage()) or None,
            "execution_time_ms": (time.monotonic() - started_s) * 1000,
        }

    def _handle_list_programs(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("list_programs", args, {})
        scope = self._scopes.get(_session_id())
        programs = [] if scope is None else [_describe(p) for p in scope.programs.values()]
        return {"programs": programs, "total_count": len(programs)}

    def _handle_delete_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("delete_program", args, _DELETE_PROGRAM)
        session_id = _session_id()
        program = self._find_program(session_id, args["program_id"])
        del self._scopes[session_id].programs[program.program_id]
        return {"program_id": program.program_id, "status": "deleted"}

    def _handle_forget_session(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("forget_session", args, _FORGET_SESSION)
        session_id = args.get("session_id") or _session_id()
        if session_id is None:
            raise invalid("forget_session needs session_id, or a call in a session")
        # Forgetting what is not there is no error: a session may have ended before it made
        # anything.
        scope = self._scopes.pop(session_id, None)
        if scope is not None:
            scope.release_lm()
        return {"session_id": session_id, "status": "forgotten"}

    def _scope(self, session_id: str | None) -> _Scope:
        return self._scopes.setdefault(session_id, _Scope())

    def _lm_for(self, session_id: str | None) -> object:
        for scope in (self._scopes.get(session_id), self._scopes.get(None)):
            if scope is not None and scope.lm is not None:
                return scope.lm
        raise BridgeError(
            "no language model is configured; call configure first", code="not_configured"
        )

    def _find_program(self, session_id: str | None, program_id: str) -> _Program:
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


def _session_id() -> str | None:
    call = current_call()
    return None if call is None else call.session_id


def _scope_name(session_id: str | None) -> str:
    return "the anonymous scope" if session_id is None else f"session {session_id!r}"


def _check_inputs(program: _Program, inputs: dict[str, Any]) -> None:
    expected = program.spec.input_names
    missing = [name for name in expected if name not in inputs]
    unexpected = [name for name in inputs if name not in expected]
    findings = [
        f"{word} {', '.join(names)}"
        for word, names in (("missing", missing), ("unexpected", unexpected))
        if names
    ]
    if findings:
        raise invalid(
            f"execute_program: inputs of {program.program_id!r}: {'; '.join(findings)}; "
            f"expected: {', '.join(expected) or 'none'}"
        )


def _describe(program: _Program) -> dict[str, Any]:
    return {
        "id": program.program_id,
        "program_type": program.program_type,
        "signature": program.spec.text,
        "inputs": program.spec.input_names,
        "outputs": program.spec.output_names,
        "created_at": program.created_at,
        "execution_count": program.execution_count,
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON, whose shape is the provider's
    """Return `value` with only what JSON has."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    dump = getattr(value, "model_dump", None)
    return _plain(dump(mode="json")) if dump is not None else str(value)
