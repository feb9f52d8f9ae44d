"""How is Transformers used from Node?

Models, kept per scope: the scope of a call is its session, or the anonymous scope. They write
(whole, or piece by piece), give the vector of a text, or its label. Files with nothing but numbers
are read, code of a model never runs, and nothing is downloaded unless a call says so.

One call at a time, in the main thread: torch already computes one with all threads that it has, so
that two at once would only share them; several workers are how more is done at a time. And what
runs in the main thread can be interrupted.
"""

from __future__ import annotations

import os
import time
import uuid
from typing import TYPE_CHECKING, Any

from caduceus._batched import batched
from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus.base_bridge import BaseBridge
from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._transformers_batches import CLASSIFICATION, EMBEDDING, answer_calls
from caduceus.bridges._transformers_generate import write
from caduceus.bridges._transformers_imports import Framework, import_transformers, threads_of
from caduceus.bridges._transformers_models import DTYPES, TASKS, Model, WeightStore
from caduceus.bridges._transformers_prompts import GENERATE, make_request
from caduceus.bridges._transformers_sources import find_source
from caduceus.bridges._transformers_stream import write_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOAD_MODEL = {
    "id": Argument((str,)),
    "model_name": Argument((str,)),
    "path": Argument((str,)),
    "task": Argument((str,)),
    "dtype": Argument((str,)),
    "device": Argument((str,)),
    "gguf_file": Argument((str,)),
    "revision": Argument((str,)),
    "allow_download": Argument((bool,)),
}
_UNLOAD = {"model_id": Argument((str,), is_required=True)}
_FORGET_SESSION = {"session_id": Argument((str,))}


class TransformersBridge(BaseBridge):
    """Transformers 5 behind twelve operations.

    ``load_model``, ``generate``, ``stream_generate``, ``embed``, ``classify``, ``list_models``,
    ``unload``, ``forget_session`` and those of `BaseBridge`.

    Parameters
    ----------
    mode : str, default "standalone"
        See `BaseBridge`.
    worker_id : str, optional
        See `BaseBridge`.

    Raises
    ------
    BridgeError
        With code ``package_missing``, if Transformers or torch is not installed.
    """

    _framework: Framework
    _store: WeightStore
    _scopes: dict[str | None, dict[str, Model]]

    def _register_handlers(self) -> None:
        self._handlers.update(
            {
                "load_model": self._handle_load_model,
                "generate": self._handle_generate,
                "stream_generate": self._handle_stream_generate,
                "embed": self._handle_embed,
                "classify": self._handle_classify,
                "list_models": self._handle_list_models,
                "unload": self._handle_unload,
                "forget_session": self._handle_forget_session,
            }
        )

    def _initialize_framework(self) -> None:
        self._scopes = {}
        self._framework = import_transformers()
        torch = self._framework.torch
        threads_count = threads_of(os.environ)
        if threads_count is not None:
            torch.set_num_threads(threads_count)
        # Every process begins with the same random numbers, and forks of one have the same ones.
        torch.seed()
        self._store = WeightStore(self._framework)

    def get_framework_info(self) -> dict[str, Any]:
        """Describe Transformers.

        Returns
        -------
        dict
            ``name``, ``version``, ``capabilities``, and ``torch``, its version.
        """
        return {
            "name": "transformers",
            "version": str(self._framework.transformers.__version__),
            "torch": str(self._framework.torch.__version__),
            "capabilities": ["generation", "streaming", "embeddings", "classification"],
        }

    def _handle_get_stats(self, args: dict[str, Any]) -> dict[str, Any]:
        return {
            **super()._handle_get_stats(args),
            "models_count": sum(len(models) for models in self._scopes.values()),
            "sessions_count": sum(session is not None for session in self._scopes),
            "weights_count": len(self._store),
            "memory_bytes": self._store.memory_bytes,
            "threads_count": self._framework.torch.get_num_threads(),
        }

    def _handle_load_model(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("load_model", args, _LOAD_MODEL)
        task, dtype = args.get("task"), args.get("dtype") or "auto"
        if task is not None and task not in TASKS:
            raise invalid(f"load_model: task must be one of {', '.join(TASKS)}")
        if dtype not in DTYPES:
            raise invalid(f"load_model: dtype must be one of {', '.join(DTYPES)}")
        model_id = args.get("id") or f"transformers_{uuid.uuid4().hex}"
        source = find_source(args)
        started_s = time.monotonic()
        weights = self._store.take(source, task, dtype, args.get("device") or "auto")
        models = self._scopes.setdefault(_session_id(), {})
        # The same id again replaces: a journal is replayed without knowing how far it got before.
        replaced = models.get(model_id)
        models[model_id] = Model(model_id, weights, loaded_at=time.time())
        if replaced is not None:
            self._store.release(replaced.weights)
        return {
            "model_id": model_id,
            **weights.describe(),
            "load_time_ms": (time.monotonic() - started_s) * 1000,
            "status": "loaded",
        }

    def _handle_generate(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("generate", args, GENERATE)
        model = self._find_model("generate", args["model_id"], "generate")
        written = write(self._framework, model.weights, make_request(model.weights, args))
        model.calls_count += 1
        return {"model_id": model.model_id, **written}

    def _handle_stream_generate(self, args: dict[str, Any]) -> Iterator[dict[str, Any]]:
        check_arguments("stream_generate", args, GENERATE)
        model = self._find_model("stream_generate", args["model_id"], "generate")
        request = make_request(model.weights, args)
        model.calls_count += 1
        yield from write_pieces(
            self._framework, model.weights, request, self._framework.torch.get_num_threads()
        )

    @batched
    def _handle_embed(self, calls: list[dict[str, Any]]) -> list[Any]:
        return answer_calls(EMBEDDING, calls, self._framework, self._find_model)

    @batched
    def _handle_classify(self, calls: list[dict[str, Any]]) -> list[Any]:
        return answer_calls(CLASSIFICATION, calls, self._framework, self._find_model)

    def _handle_list_models(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("list_models", args, {})
        models = self._scopes.get(_session_id(), {})
        listed = [
            {
                "model_id": model.model_id,
                **model.weights.describe(),
                "loaded_at": model.loaded_at,
                "calls_count": model.calls_count,
            }
            for model in models.values()
        ]
        return {"models": listed, "total_count": len(listed)}

    def _handle_unload(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("unload", args, _UNLOAD)
        model = self._find_model("unload", args["model_id"], None)
        del self._scopes[_session_id()][model.model_id]
        freed_bytes = model.weights.memory_bytes if model.weights.holders_count == 1 else 0
        self._store.release(model.weights)
        return {"model_id": model.model_id, "status": "unloaded", "freed_bytes": freed_bytes}

    def _handle_forget_session(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("forget_session", args, _FORGET_SESSION)
        session_id = args.get("session_id") or _session_id()
        if session_id is None:
            raise invalid("forget_session needs session_id, or a call in a session")
        # Forgetting what is not there is no error: a session may have ended before it made
        # anything.
        for model in self._scopes.pop(session_id, {}).values():
            self._store.release(model.weights)
        return {"session_id": session_id, "status": "forgotten"}

    def _find_model(self, op: str, model_id: str, task: str | None) -> Model:
        session_id = _session_id()
        model = self._scopes.get(session_id, {}).get(model_id)
        if model is None:
            raise BridgeError(self._not_found(session_id, model_id), code="model_not_found")
        loaded_for = model.weights.spec.task
        if task is not None and task != loaded_for:
            raise invalid(f"{op}: model {model_id!r} was loaded for the task {loaded_for}")
        return model

    def _not_found(self, session_id: str | None, model_id: str) -> str:
        where = "the anonymous scope" if session_id is None else f"session {session_id!r}"
        message = f"there is no model {model_id!r} in {where}"
        if session_id is not None and model_id in self._scopes.get(None, {}):
            return f"{message}; the anonymous scope has one: call it without a session"
        if session_id is None and any(model_id in models for models in self._scopes.values()):
            # Not which session: its name is another caller's business.
            return f"{message}; a session has one: call it in that session"
        return message


def _session_id() -> str | None:
    call = current_call()
    return None if call is None else call.session_id
