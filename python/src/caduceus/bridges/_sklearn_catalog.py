"""Which estimators may a caller name, and with which parameters?

A name is looked up in a table and never imported from what came: what is not in it does not exist
here. Parameters are those of scikit-learn, checked by scikit-learn before anything is fitted.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any

from caduceus.bridges._arguments import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEPS_MAX = 16
"""Steps in front of an estimator: more than anyone writes by hand."""

DEFAULT_SEED = 0
"""The ``random_state`` of whoever names none: a replay must come to the same model."""

# What may be trained, by where it is.
_ESTIMATORS = {
    "cluster": ("KMeans", "MiniBatchKMeans"),
    "discriminant_analysis": ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"),
    "dummy": ("DummyClassifier", "DummyRegressor"),
    "ensemble": (
        *("ExtraTreesClassifier", "ExtraTreesRegressor"),
        *("GradientBoostingClassifier", "GradientBoostingRegressor"),
        *("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
        *("RandomForestClassifier", "RandomForestRegressor"),
    ),
    "linear_model": (
        *("BayesianRidge", "ElasticNet", "HuberRegressor", "Lasso", "LinearRegression"),
        *("LogisticRegression", "Perceptron", "Ridge", "RidgeClassifier"),
        *("SGDClassifier", "SGDRegressor"),
    ),
    "naive_bayes": ("BernoulliNB", "GaussianNB", "MultinomialNB"),
    "neighbors": ("KNeighborsClassifier", "KNeighborsRegressor", "NearestCentroid"),
    "neural_network": ("MLPClassifier", "MLPRegressor"),
    "svm": ("SVC", "SVR", "LinearSVC", "LinearSVR"),
    "tree": ("DecisionTreeClassifier", "DecisionTreeRegressor"),
}

# What may stand in front of one. None of them takes a function as a parameter.
_TRANSFORMERS = {
    "decomposition": ("FastICA", "NMF", "PCA", "TruncatedSVD"),
    "feature_selection": ("VarianceThreshold",),
    "impute": ("KNNImputer", "SimpleImputer"),
    "kernel_approximation": ("Nystroem", "RBFSampler"),
    "preprocessing": (
        *("Binarizer", "KBinsDiscretizer", "MaxAbsScaler", "MinMaxScaler", "Normalizer"),
        *("OneHotEncoder", "OrdinalEncoder", "PolynomialFeatures", "PowerTransformer"),
        *("QuantileTransformer", "RobustScaler", "StandardScaler"),
    ),
}


def _modules_by_name(table: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: f"sklearn.{module}" for module, names in table.items() for name in names}


ESTIMATORS = _modules_by_name(_ESTIMATORS)
"""The estimators that may be named, with the modules that they are in."""

TRANSFORMERS = _modules_by_name(_TRANSFORMERS)
"""The steps that may stand in front of one, with the modules that they are in."""

_PLAIN = (bool, int, float, str, type(None))


def make_estimator(name: str, params: Mapping[str, Any], steps: Sequence[Any]) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Make an estimator, behind a pipeline's steps if there are some. Nothing is fitted.

    Parameters
    ----------
    name : str
        One of `ESTIMATORS`.
    params : mapping
        Its parameters, as scikit-learn names them.
    steps : sequence
        What is done to the data before: names of `TRANSFORMERS`, or objects ``{type, params}``.

    Returns
    -------
    sklearn.base.BaseEstimator
        The estimator, or a ``Pipeline`` that ends in it.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, naming what is not known or not possible.
    """
    if len(steps) > STEPS_MAX:
        raise invalid(f"load_model: {len(steps)} steps, and at most {STEPS_MAX} are taken")
    made = [_make_step(index, step) for index, step in enumerate(steps)]
    last = _make("estimator", name, ESTIMATORS, "params", params)
    if not made:
        return last
    return importlib.import_module("sklearn.pipeline").make_pipeline(*made, last)


def is_allowed(estimator: Any) -> bool:  # noqa: ANN401 - scikit-learn has no types
    """Say whether an estimator is one that `make_estimator` could have made.

    Parameters
    ----------
    estimator : object
        Whatever came out of a file.

    Returns
    -------
    bool
        True if it, and each step of it if it is a pipeline, is of one of the named classes itself.
    """
    pipeline = importlib.import_module("sklearn.pipeline").Pipeline
    if type(estimator) is not pipeline:
        return _is_of(estimator, ESTIMATORS)
    steps = [step for _, step in estimator.steps]
    return _is_of(steps[-1], ESTIMATORS) and all(_is_of(s, TRANSFORMERS) for s in steps[:-1])


def final_of(estimator: Any) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Return the last step of a pipeline, and anything else as it is."""
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator


def step_names(estimator: Any) -> list[str]:  # noqa: ANN401 - scikit-learn has no types
    """Return the class names of the steps in front of the last one."""
    steps = estimator.steps[:-1] if hasattr(estimator, "steps") else []
    return [type(step).__name__ for _, step in steps]


def plain_params(estimator: Any) -> dict[str, Any]:  # noqa: ANN401 - scikit-learn has no types
    """Return the parameters of the last step that a caller could have given."""
    found = final_of(estimator).get_params(deep=False)
    return {name: value for name, value in found.items() if _is_plain(value)}


def keep_to_one_process(estimator: Any) -> None:  # noqa: ANN401 - scikit-learn has no types
    """Set every ``n_jobs`` of an estimator to what it is by default: one, whoever has made it."""
    params = estimator.get_params(deep=True)
    jobs = {name: None for name in params if name.rpartition("__")[2] == "n_jobs"}
    estimator.set_params(**jobs)


def _make_step(index: int, step: object) -> Any:  # noqa: ANN401 - scikit-learn has no types
    where = f"steps.{index}"
    if isinstance(step, str):
        return _make(where, step, TRANSFORMERS, where, {})
    if not isinstance(step, dict) or not isinstance(step.get("type"), str):
        raise invalid(f"load_model: {where} must be a name or {{type, params}}")
    unknown = [name for name in step if name not in ("type", "params")]
    if unknown:
        raise invalid(f"load_model: {where} takes type and params, not {', '.join(unknown)}")
    params = step.get("params") or {}
    if not isinstance(params, dict):
        raise invalid(f"load_model: {where}.params must be an object")
    return _make(where, step["type"], TRANSFORMERS, f"{where}.params", params)


def _make(
    where: str,
    name: str,
    table: Mapping[str, str],
    params_where: str,
    params: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - scikit-learn has no types
    if name not in table:
        raise invalid(f"load_model: {where}: {name!r} is not known here; {_nearest(name, table)}")
    made = getattr(importlib.import_module(table[name]), name)()
    known = made.get_params(deep=False)
    for param, value in params.items():
        path = f"load_model: {params_where}.{param}"
        if param not in known:
            raise invalid(f"{path}: {name} has no such parameter; {_nearest(param, known)}")
        if param == "n_jobs" and value not in (None, 1):
            # Processes of its own would outlive a worker that is killed.
            raise invalid(f"{path} must be 1: more workers are more processes (pool.size)")
        if not _is_plain(value):
            kind = type(value).__name__
            raise invalid(f"{path} must be a number, a text, a list or an object, not {kind}")
    made.set_params(**params)
    if "random_state" in known and made.random_state is None:
        made.set_params(random_state=DEFAULT_SEED)
    keep_to_one_process(made)
    try:
        # What fit would do first: said now, it costs no data and no training.
        made._validate_params()
    except ValueError as error:
        raise invalid(f"load_model: {params_where}: {error}") from error
    return made


def _is_of(value: object, table: Mapping[str, str]) -> bool:
    kind = type(value)
    module = table.get(kind.__name__)
    return module is not None and getattr(importlib.import_module(module), kind.__name__) is kind


def _is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    return isinstance(value, _PLAIN)


def _nearest(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(sorted(known))}"
