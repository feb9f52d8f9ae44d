"""How is DSPy used from Node?

Language models and programs, kept per scope: the scope of a call is its session, or the anonymous
scope. DSPy's own global settings are never changed after the start; every call runs in a
``dspy.context`` of its own.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._secrets import conceal
from caduceus.base_bridge import BaseBridge
from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._dspy_cache import cache_in_place, cache_kind, make_cache
from caduceus.bridges._dspy_errors import translated
from caduceus.bridges._dspy_memory import memory_usage
from caduceus.bridges._dspy_objects import import_dspy, make_lm
from caduceus.bridges._dspy_optimize import EVALUATE_PROGRAM, OPTIMIZE_PROGRAM, evaluate, optimize
from caduceus.bridges._dspy_programs import CREATE_PROGRAM, create_program, dump, load, plain
from caduceus.bridges._dspy_scopes import Model, Scopes, current_session_id
from caduceus.bridges._dspy_stream import read_from_loop, stream_outputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from caduceus.bridges._dspy_programs import Program

_CONFIGURE_LM = {
    "model": Argument((str,), is_required=True),
    "api_base": Argument((str,)),
    "api_key": Argument((str,)),
    "temperature": Argument((float,), minimum=0),
    "max_tokens": Argument((int,), minimum=1),
    "timeout_s": Argument((float,), minimum=0.001),
    "cache": Argument((bool, str)),
    "cache_dir": Argument((str,)),
    "num_retries": Argument((int,), minimum=0),
    "engine": Argument((str,)),
}
_PROGRAM_ID = {"program_id": Argument((str,), is_required=True)}
_STREAM_PROGRAM = {**_PROGRAM_ID, "inputs": Argument((dict,), is_required=True)}
_EXECUTE_PROGRAM = {**_STREAM_PROGRAM, "usage": Argument((bool,))}
_LOAD_PROGRAM = {"id": Argument((str,)), "program": Argument((dict,), is_required=True)}
_FORGET_SESSION = {"session_id": Argument((str,))}


class DSPyBridge(BaseBridge):
    """DSPy 3.4 behind its operations, and those of `BaseBridge`.

    A language model that is configured without a session serves every scope that has none of its
    own. One call runs at a time.

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
    _scopes: Scopes

    def _register_handlers(self) -> None:
        self._handlers.update(
            {
                "configure_lm": self._handle_configure_lm,
                "create_program": self._handle_create_program,
                "execute_program": self._handle_execute_program,
                "stream_program": self._handle_stream_program,
                "list_programs": self._handle_list_programs,
                "get_program_info": self._handle_get_program_info,
                "delete_program": self._handle_delete_program,
                "dump_program": self._handle_dump_program,
                "load_program": self._handle_load_program,
                "optimize_program": self._handle_optimize_program,
                "evaluate_program": self._handle_evaluate_program,
                "forget_session": self._handle_forget_session,
            }
        )

    def _initialize_framework(self) -> None:
        self._scopes = Scopes()
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
            "programs_count": self._scopes.programs_count,
            "sessions_count": self._scopes.sessions_count,
            "memory_usage": memory_usage(),
            "dspy_available": True,
        }

    def _handle_configure_lm(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("configure_lm", args, _CONFIGURE_LM)
        if args.get("api_key"):
            conceal(args["api_key"])
        session_id = current_session_id()
        kind = cache_kind(args)
        lm = make_lm(self._dspy, args)
        cache = make_cache(kind, args.get("cache_dir"))
        self._scopes.configure(session_id, Model(lm, cache))
        return {
            "status": "configured",
            "model": args["model"],
            "scope": "bridge" if session_id is None else "session",
            "cache": kind,
        }

    def _handle_create_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("create_program", args, CREATE_PROGRAM)
        return self._put(create_program(self._dspy, args["id"], args), "created")

    def _handle_execute_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("execute_program", args, _EXECUTE_PROGRAM)
        program = self._program(args)
        program.check_inputs(args["inputs"])
        started_s = time.monotonic()
        with self._in_context():
            prediction = program.module(**args["inputs"])
        result = _result(program, prediction, started_s)
        if not args.get("usage"):
            del result["usage"]
        return result

    def _handle_stream_program(self, args: dict[str, Any]) -> Iterator[dict[str, Any]]:
        check_arguments("stream_program", args, _STREAM_PROGRAM)
        program = self._program(args)
        inputs: dict[str, Any] = args["inputs"]
        program.check_inputs(inputs)
        model = self._scopes.model_for(current_session_id())
        started_s = time.monotonic()

        def make() -> Any:  # noqa: ANN401 - DSPy's
            return stream_outputs(self._dspy, program.module, inputs, _settings(model))

        # The context is entered in the loop's own task, where no other call can see it.
        with translated(), cache_in_place(self._dspy, model.cache):
            for item in read_from_loop(make, current_call()):
                if isinstance(item, self._dspy.Prediction):
                    yield _result(program, item, started_s)
                else:
                    yield item

    def _handle_list_programs(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("list_programs", args, {})
        programs = [each.describe() for each in self._scopes.programs(current_session_id())]
        return {"programs": programs, "total_count": len(programs)}

    def _handle_get_program_info(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("get_program_info", args, _PROGRAM_ID)
        return self._program(args).describe_fully()

    def _handle_delete_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("delete_program", args, _PROGRAM_ID)
        self._scopes.delete(current_session_id(), args["program_id"])
        return {"program_id": args["program_id"], "status": "deleted"}

    def _handle_dump_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("dump_program", args, _PROGRAM_ID)
        return dump(self._dspy, self._program(args))

    def _handle_load_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("load_program", args, _LOAD_PROGRAM)
        return self._put(load(self._dspy, args.get("id"), args["program"]), "loaded")

    def _handle_optimize_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("optimize_program", args, OPTIMIZE_PROGRAM)
        program = self._program(args)
        started_s = time.monotonic()
        with self._in_context():
            found = optimize(self._dspy, program, args)
        # Written down and not put in place: what is replayed on another worker must cost nothing.
        program = program.with_module(found["module"])
        return {
            "program": dump(self._dspy, program),
            "demos_count": program.demos_count,
            "bootstrapped_count": found["bootstrapped_count"],
            "errors_count": found["errors_count"],
            "execution_time_ms": _since_ms(started_s),
        }

    def _handle_evaluate_program(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("evaluate_program", args, EVALUATE_PROGRAM)
        program = self._program(args)
        started_s = time.monotonic()
        with self._in_context():
            evaluated = evaluate(self._dspy, program, args)
        return {**evaluated, "execution_time_ms": _since_ms(started_s)}

    def _handle_forget_session(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("forget_session", args, _FORGET_SESSION)
        session_id = args.get("session_id") or current_session_id()
        if session_id is None:
            raise invalid("forget_session needs session_id, or a call in a session")
        self._scopes.forget(session_id)
        return {"session_id": session_id, "status": "forgotten"}

    def _program(self, args: dict[str, Any]) -> Program:
        return self._scopes.find(current_session_id(), args["program_id"])

    def _put(self, program: Program, status: str) -> dict[str, Any]:
        self._scopes.put(current_session_id(), program)
        return {
            "program_id": program.program_id,
            "program_type": program.program_type,
            "signature": program.spec.text,
            "inputs": program.spec.input_names,
            "outputs": program.spec.output_names,
            "status": status,
        }

    @contextmanager
    def _in_context(self) -> Iterator[None]:
        """Run DSPy with the model of the call's scope, and give its errors our codes."""
        model = self._scopes.model_for(current_session_id())
        with (
            translated(),
            cache_in_place(self._dspy, model.cache),
            self._dspy.context(**_settings(model)),
        ):
            yield


def _settings(model: Model) -> dict[str, Any]:
    # History and trace would keep every prompt of the process's life; nobody here reads them.
    return {"lm": model.lm, "track_usage": True, "disable_history": True, "trace": []}


def _result(program: Program, prediction: Any, started_s: float) -> dict[str, Any]:  # noqa: ANN401
    program.note_execution()
    return {
        "program_id": program.program_id,
        "outputs": plain(prediction.toDict()),
        "usage": plain(prediction.get_lm_usage()) or {},
        "execution_time_ms": _since_ms(started_s),
    }


def _since_ms(started_s: float) -> float:
    return (time.monotonic() - started_s) * 1000
