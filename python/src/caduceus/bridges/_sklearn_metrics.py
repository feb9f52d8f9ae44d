"""How good is a model? The figures that its task is measured by."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from caduceus.bridges._sklearn_data import sendable

if TYPE_CHECKING:
    from caduceus.bridges._sklearn_data import Data

SILHOUETTE_ROWS_MAX = 10_000
"""Rows that a silhouette is computed of: it takes the distance of each to each."""


def task_of(estimator: Any) -> str:  # noqa: ANN401 - scikit-learn has no types
    """Return what an estimator is for.

    Parameters
    ----------
    estimator : sklearn.base.BaseEstimator
        One of the catalogue.

    Returns
    -------
    str
        ``classification``, ``regression`` or ``clustering``.
    """
    base = importlib.import_module("sklearn.base")
    if base.is_classifier(estimator):
        return "classification"
    return "regression" if base.is_regressor(estimator) else "clustering"


def metrics_of(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    data: Data,
) -> dict[str, Any]:
    """Measure a trained model.

    Parameters
    ----------
    estimator : sklearn.base.BaseEstimator
        The model.
    data : Data
        Rows, and what is true of them; clustering does without the latter.

    Returns
    -------
    dict
        For classification ``accuracy``, ``precision``, ``recall`` and ``f1`` (each the mean of the
        classes), ``confusion_matrix`` (rows are true, columns are predicted) with its ``labels``,
        and ``log_loss`` where there are probabilities. For regression ``r2``, ``mse``, ``rmse`` and
        ``mae``. For clustering ``silhouette``, and ``adjusted_rand`` if the truth is known.
    """
    predicted = estimator.predict(data.x)
    task = task_of(estimator)
    if task == "classification":
        return _of_classification(estimator, data, predicted)
    if task == "regression":
        return _of_regression(data, predicted)
    return _of_clustering(estimator, data, predicted)


def _of_classification(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    data: Data,
    predicted: Any,  # noqa: ANN401 - NumPy is no dependency
) -> dict[str, Any]:
    metrics = importlib.import_module("sklearn.metrics")
    numpy = importlib.import_module("numpy")
    labels = numpy.unique(numpy.concatenate([data.y, predicted]))
    mean = {"average": "macro", "zero_division": 0}
    found = {
        "accuracy": float(metrics.accuracy_score(data.y, predicted)),
        "precision": float(metrics.precision_score(data.y, predicted, **mean)),
        "recall": float(metrics.recall_score(data.y, predicted, **mean)),
        "f1": float(metrics.f1_score(data.y, predicted, **mean)),
        "confusion_matrix": metrics.confusion_matrix(data.y, predicted, labels=labels),
        "labels": sendable(labels),
    }
    # Of a class that the model has never seen it gives no probability.
    if hasattr(estimator, "predict_proba") and numpy.isin(data.y, estimator.classes_).all():
        odds = estimator.predict_proba(data.x)
        found["log_loss"] = float(metrics.log_loss(data.y, odds, labels=estimator.classes_))
    return found


def _of_regression(
    data: Data,
    predicted: Any,  # noqa: ANN401 - NumPy is no dependency
) -> dict[str, Any]:
    metrics = importlib.import_module("sklearn.metrics")
    mse = float(metrics.mean_squared_error(data.y, predicted))
    return {
        # Of one row there is no variance to be explained.
        "r2": float(metrics.r2_score(data.y, predicted)) if len(data.y) > 1 else None,
        "mse": mse,
        "rmse": mse**0.5,
        "mae": float(metrics.mean_absolute_error(data.y, predicted)),
    }


def _of_clustering(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    data: Data,
    predicted: Any,  # noqa: ANN401 - NumPy is no dependency
) -> dict[str, Any]:
    metrics = importlib.import_module("sklearn.metrics")
    found: dict[str, Any] = {"clusters": int(estimator_clusters(estimator)), "silhouette": None}
    rows = min(len(data.x), SILHOUETTE_ROWS_MAX)
    clusters = len(importlib.import_module("numpy").unique(predicted[:rows]))
    if 1 < clusters < rows:
        score = metrics.silhouette_score(data.x[:rows], predicted[:rows])
        found["silhouette"] = float(score)
    if data.y is not None:
        found["adjusted_rand"] = float(metrics.adjusted_rand_score(data.y, predicted))
    return found


def estimator_clusters(estimator: Any) -> int:  # noqa: ANN401 - scikit-learn has no types
    """Return how many clusters a trained clustering has."""
    model = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return len(model.cluster_centers_)
