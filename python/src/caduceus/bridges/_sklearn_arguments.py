"""What does each operation of the scikit-learn bridge take?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._sklearn_catalog import make_estimator
from caduceus.bridges._sklearn_data import DATA_ARGUMENTS
from caduceus.bridges._sklearn_files import model_from, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODEL_ID = Argument((str,), is_required=True)
LOAD_MODEL = {
    "model_id": _MODEL_ID,
    "estimator": Argument((str,)),
    "params": Argument((dict,)),
    "steps": Argument((list,)),
    "path": Argument((str,)),
    "state": Argument((object,)),
}
TRAIN = {
    "model_id": _MODEL_ID,
    **DATA_ARGUMENTS,
    "epochs": Argument((int,), minimum=1),
    "resume": Argument((bool,)),
    "classes": Argument((object,)),
}
ON_DATA = {"model_id": _MODEL_ID, **DATA_ARGUMENTS}
PREDICT = {name: rule for name, rule in ON_DATA.items() if name != "y"}
SAVE_MODEL = {"model_id": _MODEL_ID, "path": Argument((str,))}
UNLOAD_MODEL = {"model_id": _MODEL_ID}
LOAD_DATASET = {"name": Argument((str,), is_required=True)}
FORGET_SESSION = {"session_id": Argument((str,))}
LOAD_STATE = {"state": Argument((dict,), is_required=True)}


def source_of(args: Mapping[str, Any]) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Make the estimator that the arguments of ``load_model`` mean.

    Parameters
    ----------
    args : mapping
        As they came.

    Returns
    -------
    sklearn.base.BaseEstimator
        A new one (``estimator``, ``params``, ``steps``), that of a file (``path``), or that of
        bytes (``state``).

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``; or as `model_from` and `read_model`.
    """
    check_arguments("load_model", args, LOAD_MODEL)
    sources = [name for name in ("estimator", "path", "state") if args.get(name) is not None]
    if len(sources) != 1:
        given = " and ".join(sources) or "none of them"
        raise invalid(f"load_model needs one of estimator, path and state, not {given}")
    params, steps = args.get("params") or {}, args.get("steps") or []
    if sources == ["estimator"]:
        return make_estimator(args["estimator"], params, steps)
    if params or steps:
        raise invalid(f"load_model: params and steps go with estimator, not with {sources[0]}")
    return read_model(args["path"]) if sources == ["path"] else model_from(args["state"], "state")
