"""Which numbers does a call mean: those of a data set that is shipped, or those that it brings?"""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caduceus.bridges._arguments import Argument, invalid
from caduceus.bridges._sklearn_catalog import DEFAULT_SEED

if TYPE_CHECKING:
    from collections.abc import Mapping

DATASETS = {
    "iris": "classification",
    "wine": "classification",
    "breast_cancer": "classification",
    "digits": "classification",
    "diabetes": "regression",
    "linnerud": "regression",
}
"""The data sets that scikit-learn ships, with what they are for. No other one needs no network."""

DATA_ARGUMENTS = {
    "dataset": Argument((str,)),
    "X": Argument((object,)),
    "y": Argument((object,)),
    "test_size": Argument((float,), minimum=0),
    "seed": Argument((int,), minimum=0),
    "split": Argument((str,)),
}
"""What an operation takes that works on data."""

_SPLITS = ("train", "test", "all")


@dataclass(frozen=True, slots=True)
class Data:
    """The rows that a call is about.

    Attributes
    ----------
    x : numpy.ndarray
        Rows and columns of numbers.
    y : numpy.ndarray or None
        What belongs to each row; numbers or texts.
    held_out : tuple of numpy.ndarray or None
        Rows and targets that ``test_size`` keeps out of training.
    """

    x: Any
    y: Any
    held_out: tuple[Any, Any] | None = None


def load_bunch(name: str) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Load a data set that scikit-learn ships.

    Parameters
    ----------
    name : str
        One of `DATASETS`.

    Returns
    -------
    sklearn.utils.Bunch
        ``data``, ``target``, ``feature_names``, and what else it has.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    if name not in DATASETS:
        close = difflib.get_close_matches(name, DATASETS, n=1)
        advice = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(DATASETS)}"
        raise invalid(f"dataset: there is no {name!r}; {advice}")
    return getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")()


def data_of(
    op: str, args: Mapping[str, Any], *, needs_y: bool, is_classification: bool, default_split: str
) -> Data:
    """Find the rows that a call means.

    Parameters
    ----------
    op : str
        The operation, for messages.
    args : mapping
        Its arguments, checked against `DATA_ARGUMENTS`.
    needs_y : bool
        Whether nothing can be done without targets.
    is_classification : bool
        Whether both parts of a split shall have each class in the same proportion, if they can.
    default_split : str
        Which part is meant if the call says ``test_size`` and not ``split``.

    Returns
    -------
    Data
        The rows.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, naming the argument.
    """
    name, given_x, given_y = (args.get(key) for key in ("dataset", "X", "y"))
    if (name is None) == (given_x is None):
        raise invalid(f"{op} needs either dataset or X, not both and not neither")
    if name is not None:
        if given_y is not None:
            raise invalid(f"{op}: y goes with X; the data set {name!r} has its own")
        bunch = load_bunch(name)
        x, y = bunch.data, bunch.target
    else:
        x = matrix_of(op, given_x)
        y = None if given_y is None else _targets_of(op, given_y)
    if y is None and needs_y:
        raise invalid(f"{op} needs y, what belongs to each row of X")
    if y is not None and len(y) != len(x):
        raise invalid(f"{op}: X has {len(x)} rows and y has {len(y)}")
    return _split(op, args, Data(x, y), is_classification, default_split)


def matrix_of(op: str, value: object) -> Any:  # noqa: ANN401 - NumPy is no dependency
    """Take rows and columns of numbers, from an array or from lists of lists.

    Parameters
    ----------
    op : str
        The operation, for messages.
    value : object
        What came as ``X``.

    Returns
    -------
    numpy.ndarray
        Of two dimensions; an array that came as one keeps its dtype.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    matrix = _array_of(op, "X", value)
    if matrix.dtype.kind not in "biuf":
        raise invalid(f"{op}: X must have numbers, not {_kind_of(matrix)}")
    if matrix.ndim != 2:
        shape = "×".join(str(n) for n in matrix.shape) or "one number"
        raise invalid(
            f"{op}: X must have rows and columns, not shape {shape}; one row is [[…]], not […]"
        )
    if 0 in matrix.shape:
        raise invalid(f"{op}: X has {matrix.shape[0]} rows and {matrix.shape[1]} columns")
    return matrix


def sendable(array: Any) -> Any:  # noqa: ANN401 - NumPy is no dependency
    """Return an array as it can be sent: numbers as an array, texts as a list."""
    return array if array.dtype.kind in "biuf" else [str(item) for item in array.tolist()]


def _targets_of(op: str, value: object) -> Any:  # noqa: ANN401 - NumPy is no dependency
    targets = _array_of(op, "y", value)
    if targets.dtype.kind not in "biufU":
        raise invalid(f"{op}: y must have numbers or texts, not {_kind_of(targets)}")
    if targets.ndim not in (1, 2):
        raise invalid(f"{op}: y must have one or two dimensions, not {targets.ndim}")
    return targets


def _array_of(op: str, name: str, value: object) -> Any:  # noqa: ANN401 - NumPy is no dependency
    numpy = importlib.import_module("numpy")
    if isinstance(value, numpy.ndarray):
        # It lies where the frame put it, and compiled code wants it at even addresses.
        return numpy.require(value, requirements=["ALIGNED", "C_CONTIGUOUS"])
    if not isinstance(value, (list, tuple)):
        raise invalid(f"{op}: {name} must be an array or lists, not {type(value).__name__}")
    if name == "y" and any(isinstance(item, str) for item in value) and not _all_texts(value):
        # NumPy would make texts of the numbers among them.
        raise invalid(f"{op}: y has texts and other things; it must be of one kind")
    try:
        return numpy.asarray(value)
    except ValueError as error:
        raise invalid(f"{op}: {name} has rows of different lengths or kinds") from error


def _all_texts(value: list[Any] | tuple[Any, ...]) -> bool:
    return all(isinstance(item, str) for item in value)


def _kind_of(array: Any) -> str:  # noqa: ANN401 - NumPy is no dependency
    return "texts" if array.dtype.kind == "U" else str(array.dtype)


def _split(
    op: str, args: Mapping[str, Any], data: Data, is_classification: bool, default_split: str
) -> Data:
    test_size, split = args.get("test_size"), args.get("split")
    if split is not None and split not in _SPLITS:
        raise invalid(f"{op}: split must be one of {', '.join(_SPLITS)}")
    if test_size is None:
        if split in ("train", "test"):
            raise invalid(f"{op}: split {split!r} needs test_size, the share that is held out")
        return data
    if not 0 < test_size < 1:
        raise invalid(f"{op}: test_size must be between 0 and 1, not {test_size:g}")
    if data.y is None:
        raise invalid(f"{op}: test_size needs y")
    x_train, x_test, y_train, y_test = importlib.import_module(
        "sklearn.model_selection"
    ).train_test_split(
        data.x,
        data.y,
        test_size=test_size,
        random_state=DEFAULT_SEED if args.get("seed") is None else args["seed"],
        stratify=data.y if is_classification and _can_stratify(data.y, test_size) else None,
    )
    part = split or default_split
    if part == "all":
        return data
    if part == "test":
        return Data(x_test, y_test)
    return Data(x_train, y_train, (x_test, y_test))


def _can_stratify(y: Any, test_size: float) -> bool:  # noqa: ANN401 - NumPy is no dependency
    if y.ndim != 1:
        return False
    counts = importlib.import_module("numpy").unique(y, return_counts=True)[1]
    smallest_part = int(len(y) * min(test_size, 1 - test_size))
    return bool(counts.min() >= 2) and smallest_part >= len(counts)
