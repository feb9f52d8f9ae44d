"""How does a trained model become bytes, and bytes a model, without running anything of the bytes?

By skops: it names the type of each object, and builds only those that are trusted. A pickle is a
program, and is refused whatever it is called.
"""

from __future__ import annotations

import importlib
import io
import os
import tempfile
import warnings
import zipfile
from contextlib import suppress
from typing import Any

from caduceus._errors import BridgeError
from caduceus.bridges._arguments import invalid
from caduceus.bridges._sklearn_catalog import is_allowed, keep_to_one_process

MODEL_BYTES_MAX = 192 * 1024 * 1024
"""The largest model, as a file and unpacked: what one frame of the wire can still carry."""

_SUFFIX = ".skops"
_PICKLES = (".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle")

# What skops does not trust by itself, and what the estimators of the catalogue are made of. Only
# data: none of them has code that is run when it is built.
_TRUSTED = (
    "numpy.dtype",
    "scipy.sparse._csr.csr_matrix",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
)


def model_bytes(estimator: Any) -> bytes:  # noqa: ANN401 - scikit-learn has no types
    """Write a model into bytes.

    Parameters
    ----------
    estimator : sklearn.base.BaseEstimator
        The model, trained or not.

    Returns
    -------
    bytes
        A skops file.

    Raises
    ------
    BridgeError
        With code ``model_too_large``.
    """
    data: bytes = _skops().dumps(estimator, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    unpacked = sum(info.file_size for info in zipfile.ZipFile(io.BytesIO(data)).infolist())
    if unpacked > MODEL_BYTES_MAX:
        raise _too_large(unpacked)
    return data


def model_from(data: object, where: str) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Make a model of bytes that need not be trusted.

    Parameters
    ----------
    data : bytes-like
        A skops file.
    where : str
        Where it came from, for messages.

    Returns
    -------
    sklearn.base.BaseEstimator
        An estimator that `make_estimator` could have made.

    Raises
    ------
    BridgeError
        With code ``untrusted_model``, ``model_too_large``, ``model_version_mismatch`` or
        ``invalid_arguments``.
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise invalid(f"load_model: {where} must be bytes, not {type(data).__name__}")
    content = bytes(data)
    _check_content(content, where)
    skops = _skops()
    mismatch = importlib.import_module("sklearn.exceptions").InconsistentVersionWarning
    try:
        untrusted = set(skops.get_untrusted_types(data=content)) - set(_TRUSTED)
        if untrusted:
            names = ", ".join(sorted(untrusted))
            raise BridgeError(f"load_model: {where} has {names}", code="untrusted_model")
        with warnings.catch_warnings():
            warnings.simplefilter("error", mismatch)
            estimator = skops.loads(content, trusted=list(_TRUSTED))
    except mismatch as error:
        raise BridgeError(
            f"load_model: {where} was made by another version: {error}",
            code="model_version_mismatch",
        ) from error
    except BridgeError:
        raise
    except Exception as error:
        # A file that was tampered with fails anywhere inside skops.
        raise invalid(f"load_model: {where} is no model: {error}") from error
    if not is_allowed(estimator):
        kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
        raise BridgeError(
            f"load_model: {where} holds {kind}, which is not made of what may be named here",
            code="untrusted_model",
        )
    keep_to_one_process(estimator)
    return estimator


def read_model(path: str) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Make a model of a file.

    Parameters
    ----------
    path : str
        An absolute path that ends in ``.skops``.

    Returns
    -------
    sklearn.base.BaseEstimator
        As `model_from`.

    Raises
    ------
    BridgeError
        As `model_from`; ``model_file_not_found`` if there is no such file.
    """
    _check_path("load_model", path)
    try:
        with open(path, "rb") as file:
            content = file.read(MODEL_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise BridgeError(
            f"load_model: there is no file {path}", code="model_file_not_found"
        ) from error
    return model_from(content, path)


def write_model(estimator: Any, path: str) -> int:  # noqa: ANN401 - scikit-learn has no types
    """Write a model into a file: whole, or not at all.

    Parameters
    ----------
    estimator : sklearn.base.BaseEstimator
        The model.
    path : str
        An absolute path that ends in ``.skops``; what is there is replaced.

    Returns
    -------
    int
        The size of the file, in bytes.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments`` or ``model_too_large``.
    """
    _check_path("save_model", path)
    data = model_bytes(estimator)
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise invalid(f"save_model: path: there is no folder {folder}")
    # A worker that is killed meanwhile leaves the old file.
    number, unfinished = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    return len(data)


def _check_path(op: str, path: str) -> None:
    if path.lower().endswith(_PICKLES):
        raise BridgeError(
            f"{op}: {path} is a pickle by its name, and a pickle is a program; "
            f"models are kept as {_SUFFIX} files",
            code="unsafe_format",
        )
    if not path.endswith(_SUFFIX):
        raise invalid(f"{op}: path must end in {_SUFFIX}")
    if not os.path.isabs(path):
        # A worker's folder is its own business.
        raise invalid(f"{op}: path must be absolute")


def _check_content(content: bytes, where: str) -> None:
    if len(content) > MODEL_BYTES_MAX:
        raise _too_large(len(content))
    if content[:1] == b"\x80":
        raise BridgeError(
            f"load_model: {where} is a pickle, and a pickle is a program; "
            "save models with save_model",
            code="unsafe_format",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # What is unpacked is never more than it says.
            unpacked = sum(info.file_size for info in archive.infolist())
    except zipfile.BadZipFile as error:
        raise invalid(f"load_model: {where} is no skops file: {error}") from error
    if unpacked > MODEL_BYTES_MAX:
        raise _too_large(unpacked)


def _too_large(size_bytes: int) -> BridgeError:
    return BridgeError(
        f"a model of {size_bytes} bytes, and at most {MODEL_BYTES_MAX} are taken",
        code="model_too_large",
    )


def _skops() -> Any:  # noqa: ANN401 - skops has no types
    return importlib.import_module("skops.io")
