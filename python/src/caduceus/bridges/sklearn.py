"""How is scikit-learn used from Node?

Models are kept per scope: the scope of a call is its session, or the anonymous scope. A model is
made by ``load_model`` (new, from a file, or from bytes), learns by ``train``, and answers by
``predict``, ``predict_proba`` and ``evaluate``. It is the ported design's ``CustomMLBridge``,
filled in.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus.base_bridge import BaseBridge
from caduceus.bridges._arguments import check_arguments, invalid
from caduceus.bridges._sklearn_arguments import (
    FORGET_SESSION,
    LOAD_DATASET,
    LOAD_STATE,
    ON_DATA,
    PREDICT,
    SAVE_MODEL,
    TRAIN,
    UNLOAD_MODEL,
    source_of,
)
from caduceus.bridges._sklearn_catalog import final_of
from caduceus.bridges._sklearn_data import DATASETS, Data, data_of, load_bunch, matrix_of, sendable
from caduceus.bridges._sklearn_files import model_bytes, write_model
from caduceus.bridges._sklearn_metrics import metrics_of, task_of
from caduceus.bridges._sklearn_models import (
    Model,
    Models,
    import_sklearn,
    import_skops,
    model_of,
    restored,
    session_of_call,
)
from caduceus.bridges._sklearn_training import plan_of, trained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SklearnBridge", "import_sklearn", "import_skops"]


class SklearnBridge(BaseBridge):
    """scikit-learn behind twelve operations beside those of `BaseBridge`.

    ``load_model``, ``train``, ``predict``, ``predict_proba``, ``evaluate``, ``save_model``,
    ``list_models``, ``unload_model``, ``list_datasets``, ``load_dataset``, ``forget_session``, and
    ``dump_state`` with ``load_state``, by which a pool takes a session to another worker.

    Parameters
    ----------
    mode : str, default "standalone"
        See `BaseBridge`.
    worker_id : str, optional
        See `BaseBridge`.

    Raises
    ------
    BridgeError
        With code ``package_missing``, if scikit-learn or skops is not installed.
    """

    _sklearn: Any
    _models: Models

    def _register_handlers(self) -> None:
        self._handlers.update(
            {
                "load_model": self._handle_load_model,
                "train": self._handle_train,
                "predict": self._handle_predict,
                "predict_proba": self._handle_predict_proba,
                "evaluate": self._handle_evaluate,
                "save_model": self._handle_save_model,
                "list_models": self._handle_list_models,
                "unload_model": self._handle_unload_model,
                "list_datasets": self._handle_list_datasets,
                "load_dataset": self._handle_load_dataset,
                "dump_state": self._handle_dump_state,
                "load_state": self._handle_load_state,
                "forget_session": self._handle_forget_session,
            }
        )

    def _initialize_framework(self) -> None:
        self._models = Models()
        self._sklearn = import_sklearn()

    def get_framework_info(self) -> dict[str, Any]:
        """Describe scikit-learn.

        Returns
        -------
        dict
            ``name``, ``version`` and ``capabilities``.
        """
        return {
            "name": "sklearn",
            "version": str(self._sklearn.__version__),
            "capabilities": ["models", "training", "prediction", "evaluation"],
        }

    def _handle_get_stats(self, args: dict[str, Any]) -> dict[str, Any]:
        return {
            **super()._handle_get_stats(args),
            **self._models.count(),
        }

    def _handle_load_model(self, args: dict[str, Any]) -> dict[str, Any]:
        estimator = source_of(args)
        # The same id again replaces: a journal is replayed without knowing how far it got before.
        model = model_of(args["model_id"], estimator)
        self._models.own()[model.model_id] = model
        return {**model.describe(), "status": "loaded"}

    def _handle_train(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("train", args, TRAIN)
        model = self._models.find(args["model_id"])
        plan, task = plan_of(args), task_of(model.estimator)
        data = self._data("train", args, model, needs_y=task != "clustering", split="train")
        started_s = time.monotonic()
        estimator, texts = trained(model.estimator, data, plan, is_trained=model.is_trained)
        duration_ms = (time.monotonic() - started_s) * 1000
        held_out = None
        if data.held_out is not None:
            held_out = _measured("train", estimator, Data(*data.held_out))
        model.estimator, model.is_trained, model.features = estimator, True, data.x.shape[1]
        classes = getattr(final_of(estimator), "classes_", None)
        return {
            "model_id": model.model_id,
            "task": task,
            "samples": len(data.x),
            "features": data.x.shape[1],
            "classes": None if classes is None else sendable(classes),
            "epochs": plan.epochs,
            "held_out": held_out,
            "duration_ms": duration_ms,
            "warnings": texts,
            "status": "trained",
        }

    def _handle_predict(self, args: dict[str, Any]) -> dict[str, Any]:
        model, rows = self._rows("predict", args)
        predictions = _asked("predict", lambda: model.estimator.predict(rows))
        model.prediction_count += len(rows)
        return {"model_id": model.model_id, "predictions": sendable(predictions)}

    def _handle_predict_proba(self, args: dict[str, Any]) -> dict[str, Any]:
        model, rows = self._rows("predict_proba", args)
        if not hasattr(model.estimator, "predict_proba"):
            kind = type(final_of(model.estimator)).__name__
            raise BridgeError(
                f"predict_proba: {kind} gives no probabilities with its parameters",
                code="unsupported",
            )
        probabilities = _asked("predict_proba", lambda: model.estimator.predict_proba(rows))
        if isinstance(probabilities, list):
            raise BridgeError(
                "predict_proba: a model of several targets gives no single table",
                code="unsupported",
            )
        model.prediction_count += len(rows)
        return {
            "model_id": model.model_id,
            "probabilities": probabilities,
            "classes": sendable(model.estimator.classes_),
        }

    def _handle_evaluate(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("evaluate", args, ON_DATA)
        model = self._models.find_trained(args["model_id"])
        task = task_of(model.estimator)
        data = self._data("evaluate", args, model, needs_y=task != "clustering", split="test")
        return {
            "model_id": model.model_id,
            "task": task,
            "samples": len(data.x),
            "metrics": _measured("evaluate", model.estimator, data),
        }

    def _handle_save_model(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("save_model", args, SAVE_MODEL)
        model, path = self._models.find(args["model_id"]), args.get("path")
        saved: dict[str, Any] = {"model_id": model.model_id, "format": "skops", "status": "saved"}
        if path is None:
            state = model_bytes(model.estimator)
            return {**saved, "state": state, "size_bytes": len(state)}
        return {**saved, "path": path, "size_bytes": write_model(model.estimator, path)}

    def _handle_list_models(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("list_models", args, {})
        models = [model.describe() for model in self._models.own().values()]
        return {"models": models, "total_count": len(models)}

    def _handle_unload_model(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("unload_model", args, UNLOAD_MODEL)
        model = self._models.find(args["model_id"])
        del self._models.own()[model.model_id]
        return {"model_id": model.model_id, "status": "unloaded"}

    def _handle_list_datasets(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("list_datasets", args, {})
        return {"datasets": [{"name": name, "task": task} for name, task in DATASETS.items()]}

    def _handle_load_dataset(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("load_dataset", args, LOAD_DATASET)
        bunch = load_bunch(args["name"])
        # Of what is measured there are names too, where it is classes or several numbers.
        target_names = bunch.get("target_names")
        return {
            "name": args["name"],
            "task": DATASETS[args["name"]],
            "samples": len(bunch.data),
            "features": bunch.data.shape[1],
            "feature_names": [str(name) for name in bunch.feature_names],
            "target_names": None if target_names is None else [str(name) for name in target_names],
            "X": bunch.data,
            "y": bunch.target,
        }

    def _handle_dump_state(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("dump_state", args, {})
        models = self._models.own().values()
        return {"models": [model.dump() for model in models]}

    def _handle_load_state(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("load_state", args, LOAD_STATE)
        models = restored(args["state"])
        self._models.replace_own(models)
        return {"status": "restored", "total_count": len(models)}

    def _handle_forget_session(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("forget_session", args, FORGET_SESSION)
        session_id = args.get("session_id") or session_of_call()
        if session_id is None:
            raise invalid("forget_session needs session_id, or a call in a session")
        # Forgetting what is not there is no error: a session may have ended before it made
        # anything.
        self._models.forget(session_id)
        return {"session_id": session_id, "status": "forgotten"}

    def _rows(self, op: str, args: dict[str, Any]) -> tuple[Model, Any]:
        check_arguments(op, args, PREDICT)
        model = self._models.find_trained(args["model_id"])
        if args.get("dataset") is None and args.get("X") is not None:
            for name in ("test_size", "split"):
                if args.get(name) is not None:
                    raise invalid(f"{op}: {name} goes with dataset")
            return model, matrix_of(op, args["X"])
        return model, self._data(op, args, model, needs_y=False, split="test").x

    def _data(
        self, op: str, args: Mapping[str, Any], model: Model, *, needs_y: bool, split: str
    ) -> Data:
        is_classification = task_of(model.estimator) == "classification"
        return data_of(
            op,
            args,
            needs_y=needs_y,
            is_classification=is_classification,
            default_split=split,
        )


def _asked(op: str, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Return the answer of scikit-learn, which refuses data that does not fit by ValueError."""
    try:
        return ask()
    except (ValueError, TypeError) as error:
        raise invalid(f"{op}: {error}") from error


def _measured(op: str, estimator: object, data: Data) -> dict[str, Any]:
    measured: dict[str, Any] = _asked(op, lambda: metrics_of(estimator, data))
    return measured
