"""How is a model trained so that its caller sees how far it is, and can give it up?

``fit`` of scikit-learn neither tells nor stops. What learns step by step is therefore given its
data epoch by epoch, if the caller asks for epochs; a cancelled training of the rest is ended with
its process.
"""

from __future__ import annotations

import copy
import importlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus.bridges._arguments import invalid
from caduceus.bridges._sklearn_catalog import DEFAULT_SEED, ESTIMATORS, final_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caduceus.bridges._sklearn_data import Data

EPOCHS_MAX = 100_000
"""More than any training runs; each is one message to the caller."""

WARNINGS_MAX = 10
"""Different warnings of one training that its caller is told of."""

_WARNING_CHARACTERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be trained.

    Attributes
    ----------
    epochs : int or None
        How often it sees all rows; None leaves it to ``fit``.
    is_resumed : bool
        Whether it goes on from what it has learned, instead of beginning anew.
    seed : int
        The order of the rows in each epoch.
    classes : list or None
        All classes that there will ever be, for a classifier that does not see each at once.
    """

    epochs: int | None
    is_resumed: bool
    seed: int
    classes: list[Any] | None


def plan_of(args: Mapping[str, Any]) -> Plan:
    """Read how to train from the arguments of ``train``.

    Parameters
    ----------
    args : mapping
        Checked.

    Returns
    -------
    Plan
        The plan.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    epochs, is_resumed = args.get("epochs"), bool(args.get("resume"))
    if epochs is not None and epochs > EPOCHS_MAX:
        raise invalid(f"train: epochs must be at most {EPOCHS_MAX}, not {epochs}")
    classes = args.get("classes")
    if classes is not None and not isinstance(classes, (list, tuple)):
        classes = classes.tolist() if hasattr(classes, "tolist") else None
        if classes is None:
            raise invalid("train: classes must be a list")
    return Plan(
        epochs=1 if epochs is None and is_resumed else epochs,
        is_resumed=is_resumed,
        seed=DEFAULT_SEED if args.get("seed") is None else args["seed"],
        classes=None if classes is None else list(classes),
    )


def trained(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    data: Data,
    plan: Plan,
    *,
    is_trained: bool,
) -> tuple[Any, list[str]]:
    """Train a copy of an estimator: what fails or is given up leaves it as it was.

    Parameters
    ----------
    estimator : sklearn.base.BaseEstimator
        What to train.
    data : Data
        On what.
    plan : Plan
        How.
    is_trained : bool
        Whether it has been trained before.

    Returns
    -------
    tuple of (sklearn.base.BaseEstimator, list of str)
        The trained copy, and what scikit-learn warned of.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, if scikit-learn does not take the data or the parameters.
    CallCancelled
        Between two epochs, if the caller has given up.
    """
    if plan.is_resumed and not is_trained:
        raise invalid("train: resume needs a model that has been trained")
    fresh = copy.deepcopy(estimator) if plan.is_resumed else _clone(estimator)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if plan.epochs is None:
                _refuse_classes(plan)
                fresh.fit(data.x) if data.y is None else fresh.fit(data.x, data.y)
            else:
                _fit_epochs(fresh, data, plan, plan.epochs)
        except (ValueError, TypeError, _linear_algebra_error()) as error:
            raise invalid(f"train: {error}") from error
    return fresh, _texts_of(caught)


def learns_by_epochs(estimator: Any) -> bool:  # noqa: ANN401 - scikit-learn has no types
    """Say whether ``epochs`` and ``resume`` are for this estimator."""
    return hasattr(final_of(estimator), "partial_fit")


def _fit_epochs(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    data: Data,
    plan: Plan,
    epochs: int,
) -> None:
    if not learns_by_epochs(estimator):
        able = [name for name, module in ESTIMATORS.items() if _has_partial_fit(module, name)]
        raise invalid(
            f"train: {type(final_of(estimator)).__name__} does not learn by epochs; "
            f"these do: {', '.join(able)}"
        )
    x = _through_steps(estimator, data, plan)
    model, call = final_of(estimator), current_call()
    extra = _classes_of(model, data, plan)
    order = importlib.import_module("numpy").random.default_rng(plan.seed)
    for epoch in range(1, epochs + 1):
        if call is not None:
            call.raise_if_cancelled()
        rows = order.permutation(len(x))
        if data.y is None:
            model.partial_fit(x[rows])
        else:
            model.partial_fit(x[rows], data.y[rows], **extra)
        if call is not None:
            loss = getattr(model, "loss_", None)
            call.progress(
                {
                    "epoch": epoch,
                    "epochs": epochs,
                    "loss": None if loss is None else float(loss),
                }
            )


def _through_steps(
    estimator: Any,  # noqa: ANN401 - scikit-learn has no types
    data: Data,
    plan: Plan,
) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Return what reaches the last step; a training that goes on changes none before it."""
    if not hasattr(estimator, "steps"):
        return data.x
    before = estimator[:-1]
    if plan.is_resumed:
        return before.transform(data.x)
    return before.fit_transform(data.x, data.y)


def _classes_of(
    model: Any,  # noqa: ANN401 - scikit-learn has no types
    data: Data,
    plan: Plan,
) -> dict[str, Any]:
    if not _is_classifier(model):
        _refuse_classes(plan)
        return {}
    if plan.is_resumed:
        # It knows them from its first epoch, and takes no other ones.
        _refuse_classes(plan)
        return {"classes": model.classes_}
    numpy = importlib.import_module("numpy")
    return {"classes": numpy.unique(data.y if plan.classes is None else plan.classes)}


def _refuse_classes(plan: Plan) -> None:
    if plan.classes is not None:
        raise invalid("train: classes is for the first training by epochs of a classifier")


def _is_classifier(model: Any) -> bool:  # noqa: ANN401 - scikit-learn has no types
    return bool(importlib.import_module("sklearn.base").is_classifier(model))


def _clone(estimator: Any) -> Any:  # noqa: ANN401 - scikit-learn has no types
    return importlib.import_module("sklearn.base").clone(estimator)


def _has_partial_fit(module: str, name: str) -> bool:
    return hasattr(getattr(importlib.import_module(module), name), "partial_fit")


def _linear_algebra_error() -> type[Exception]:
    kind: type[Exception] = importlib.import_module("numpy").linalg.LinAlgError
    return kind


def _texts_of(caught: list[warnings.WarningMessage]) -> list[str]:
    texts = [f"{type(w.message).__name__}: {w.message}".split("\n")[0] for w in caught]
    different = list(dict.fromkeys(text[:_WARNING_CHARACTERS_MAX] for text in texts))
    return different[:WARNINGS_MAX]
