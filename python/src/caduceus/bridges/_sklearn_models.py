"""Which models does a scope have, and what is there to say of each?"""

from __future__ import annotations

import importlib
import os
import time
from dataclasses import dataclass, field
from typing import Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus._packages import find_missing, package_missing
from caduceus.bridges._arguments import invalid
from caduceus.bridges._sklearn_catalog import (
    ESTIMATORS,
    TRANSFORMERS,
    final_of,
    plain_params,
    step_names,
)
from caduceus.bridges._sklearn_files import model_bytes, model_from
from caduceus.bridges._sklearn_metrics import task_of
from caduceus.bridges._sklearn_training import learns_by_epochs

_PACKAGES = ("numpy", "scikit-learn", "skops")


@dataclass(slots=True)
class Model:
    """A model of one scope; the estimator is scikit-learn's."""

    model_id: str
    estimator: Any
    is_trained: bool
    created_at: float = field(default_factory=time.time)
    features: int | None = None
    prediction_count: int = 0

    def describe(self) -> dict[str, Any]:
        """Return what a caller may know of it."""
        return {
            "model_id": self.model_id,
            "estimator": type(final_of(self.estimator)).__name__,
            "steps": step_names(self.estimator),
            "params": plain_params(self.estimator),
            "task": task_of(self.estimator),
            "is_trained": self.is_trained,
            "learns_by_epochs": learns_by_epochs(self.estimator),
            "features": self.features,
            "created_at": self.created_at,
            "prediction_count": self.prediction_count,
        }

    def dump(self) -> dict[str, Any]:
        """Return all that another process needs to have the same model."""
        return {
            "model_id": self.model_id,
            "state": model_bytes(self.estimator),
            "created_at": self.created_at,
            "prediction_count": self.prediction_count,
        }


class Models:
    """The models of each scope: of each session, and of the calls without one."""

    __slots__ = ("_scopes",)

    def __init__(self) -> None:
        self._scopes: dict[str | None, dict[str, Model]] = {}

    def own(self) -> dict[str, Model]:
        """Return the models of the scope of this call."""
        return self._scopes.setdefault(session_of_call(), {})

    def replace_own(self, models: dict[str, Model]) -> None:
        """Give the scope of this call these models and no others."""
        self._scopes[session_of_call()] = models

    def forget(self, session_id: str) -> None:
        """Drop all that a session has made."""
        self._scopes.pop(session_id, None)

    def count(self) -> dict[str, int]:
        """Return how many models there are, and of how many sessions."""
        return {
            "models_count": sum(len(models) for models in self._scopes.values()),
            "sessions_count": sum(session is not None for session in self._scopes),
        }

    def find(self, model_id: str) -> Model:
        """Return a model of the scope of this call.

        Parameters
        ----------
        model_id : str
            Its id.

        Returns
        -------
        Model
            The model.

        Raises
        ------
        BridgeError
            With code ``model_not_found``.
        """
        session_id = session_of_call()
        models = self._scopes.get(session_id, {})
        if model_id in models:
            return models[model_id]
        scope = "the anonymous scope" if session_id is None else f"session {session_id!r}"
        message = f"there is no model {model_id!r} in {scope}"
        if session_id is not None:
            if model_id in self._scopes.get(None, {}):
                message += "; the anonymous scope has one: call it without a session"
        elif any(model_id in other for other in self._scopes.values()):
            # Not which session: its name is another caller's business.
            message += "; a session has one: call it in that session"
        raise BridgeError(message, code="model_not_found")

    def find_trained(self, model_id: str) -> Model:
        """Return a model that can be asked.

        Parameters
        ----------
        model_id : str
            Its id.

        Returns
        -------
        Model
            The model.

        Raises
        ------
        BridgeError
            With code ``model_not_found`` or ``not_trained``.
        """
        model = self.find(model_id)
        if not model.is_trained:
            raise BridgeError(
                f"model {model_id!r} has not been trained; call train first", code="not_trained"
            )
        return model


def session_of_call() -> str | None:
    """Return the session of the call that this code runs for."""
    call = current_call()
    return None if call is None else call.session_id


def model_of(model_id: str, estimator: Any) -> Model:  # noqa: ANN401 - scikit-learn has no types
    """Return a model of an estimator, trained or not."""
    is_trained = _is_fitted(estimator)
    features = getattr(estimator, "n_features_in_", None) if is_trained else None
    return Model(model_id, estimator, is_trained, features=features)


def restored(state: object) -> dict[str, Model]:
    """Return the models of a snapshot.

    Parameters
    ----------
    state : object
        What ``dump_state`` gave.

    Returns
    -------
    dict of str to Model
        By their ids.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, or as `model_from`.
    """
    dumped = state.get("models") if isinstance(state, dict) else None
    if not isinstance(dumped, list) or not all(isinstance(one, dict) for one in dumped):
        raise invalid("load_state: state must be what dump_state gave")
    models: dict[str, Model] = {}
    for one in dumped:
        model_id = one.get("model_id")
        if not isinstance(model_id, str):
            raise invalid("load_state: state has a model without model_id")
        model = model_of(model_id, model_from(one.get("state"), f"the model {model_id!r}"))
        model.created_at = float(one.get("created_at", model.created_at))
        model.prediction_count = int(one.get("prediction_count", 0))
        models[model_id] = model
    return models


def import_sklearn() -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Import scikit-learn with all that may be named, held to the threads that it was given.

    Returns
    -------
    module
        scikit-learn.

    Raises
    ------
    BridgeError
        With code ``package_missing``.
    """
    missing = find_missing(_PACKAGES)
    if missing:
        raise package_missing("the scikit-learn bridge", missing)
    sklearn = importlib.import_module("sklearn")
    modules = {*ESTIMATORS.values(), *TRANSFORMERS.values()}
    more = ("base", "datasets", "exceptions", "metrics", "model_selection", "pipeline")
    for name in sorted({*modules, *(f"sklearn.{one}" for one in more)}):
        importlib.import_module(name)
    # A pool is parallel by its workers: each of them with a thread for each core would be slower.
    importlib.import_module("threadpoolctl").threadpool_limits(limits=_threads())
    return sklearn


def import_skops() -> Any:  # noqa: ANN401 - skops has no types
    """Import what reads and writes models."""
    return importlib.import_module("skops.io")


def _threads() -> int:
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(asked)) if asked.isdecimal() else 1


def _is_fitted(estimator: Any) -> bool:  # noqa: ANN401 - scikit-learn has no types
    from_validation = importlib.import_module("sklearn.utils.validation")
    not_fitted = importlib.import_module("sklearn.exceptions").NotFittedError
    try:
        # Not of a pipeline as a whole: what it asks differs between versions.
        from_validation.check_is_fitted(final_of(estimator))
    except not_fitted:
        return False
    return True
