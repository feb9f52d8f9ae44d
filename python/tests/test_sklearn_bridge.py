from __future__ import annotations

import importlib
import os
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError
from caduceus._context import CallContext, entered
from caduceus._link import CallCancelled

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("sklearn", reason="the scikit-learn bridge is tested with the real one")
pytest.importorskip("skops", reason="its models are kept by skops")

numpy: Any = importlib.import_module("numpy")
skops: Any = importlib.import_module("skops.io")
bridges: Any = importlib.import_module("caduceus.bridges.sklearn")
catalog: Any = importlib.import_module("caduceus.bridges._sklearn_catalog")
files: Any = importlib.import_module("caduceus.bridges._sklearn_files")


class Call:
    """A bridge, asked as the worker asks it."""

    def __init__(self) -> None:
        self.bridge: Any = bridges.SklearnBridge()
        self.session_id: str | None = None

    def __call__(self, op: str, **args: object) -> Any:  # noqa: ANN401 - what operations give
        with entered(CallContext(1, self.session_id, op)):
            return self.bridge.handle_command(op, args)

    def refused(self, op: str, **args: object) -> BridgeError:
        with pytest.raises(BridgeError) as caught:
            self(op, **args)
        return caught.value


@pytest.fixture
def call() -> Call:
    return Call()


def test_it_describes_scikit_learn(call: Call) -> None:
    info = call.bridge.get_framework_info()
    assert info["name"] == "sklearn"
    assert info["version"] == importlib.import_module("sklearn").__version__
    # The ported design's template has these four.
    assert {"load_model", "predict", "train", "evaluate"} < set(call.bridge.supported_operations())


@pytest.mark.parametrize("name", sorted(catalog.ESTIMATORS))
def test_each_estimator_learns_is_kept_without_a_pickle_and_answers_alike(
    call: Call, name: str
) -> None:
    params = {"n_estimators": 5} if "n_estimators" in _params(name) else {}
    described = call("load_model", model_id="m", estimator=name, params=params)
    dataset = "diabetes" if described["task"] == "regression" else "iris"
    call("train", model_id="m", dataset=dataset)
    before = call("predict", model_id="m", dataset=dataset)["predictions"]
    state = call("save_model", model_id="m")["state"]
    assert call("load_model", model_id="again", state=state)["is_trained"] is True
    after = call("predict", model_id="again", dataset=dataset)["predictions"]
    assert (before == after).all()
    # Training again comes to the same: that is what a replay does.
    call("train", model_id="m", dataset=dataset)
    assert (call("predict", model_id="m", dataset=dataset)["predictions"] == before).all()


@pytest.mark.filterwarnings("ignore:Maximum number of iterations")
@pytest.mark.parametrize("name", sorted(catalog.TRANSFORMERS))
def test_each_step_may_stand_in_front(call: Call, name: str) -> None:
    call("load_model", model_id="m", estimator="KNeighborsClassifier", steps=[name])
    call("train", model_id="m", dataset="wine")
    state = call("save_model", model_id="m")["state"]
    assert call("load_model", model_id="again", state=state)["steps"] == [name]
    before, after = (
        call("predict", model_id=model_id, dataset="wine")["predictions"]
        for model_id in ("m", "again")
    )
    assert (before == after).all()


def _params(name: str) -> dict[str, Any]:
    made = getattr(importlib.import_module(catalog.ESTIMATORS[name]), name)()
    params: dict[str, Any] = made.get_params(deep=False)
    return params


def test_nothing_runs_more_than_one_process_or_thread(call: Call) -> None:
    error = call.refused(
        "load_model", model_id="m", estimator="RandomForestClassifier", params={"n_jobs": -1}
    )
    assert error.code == "invalid_arguments"
    # Nor does a model that somebody else has made.
    forest = importlib.import_module("sklearn.ensemble").RandomForestClassifier
    state = skops.dumps(forest(n_estimators=2, n_jobs=8))
    described = call("load_model", model_id="m", state=state)
    assert described["params"]["n_jobs"] is None
    pools = importlib.import_module("threadpoolctl").threadpool_info()
    assert {pool["num_threads"] for pool in pools} <= {1}


class _Bomb:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (self.path,)


def test_a_pickle_is_refused_and_not_run(call: Call, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    content = pickle.dumps(_Bomb(str(proof)))
    for name in ("m.pkl", "m.joblib", "m.skops"):
        (tmp_path / name).write_bytes(content)
        error = call.refused("load_model", model_id="m", path=str(tmp_path / name))
        assert error.code == "unsafe_format"
    assert call.refused("load_model", model_id="m", state=content).code == "unsafe_format"
    assert not proof.exists()
    pickle.loads(content)
    assert proof.exists()


def test_what_is_not_in_the_catalogue_is_not_loaded(call: Call) -> None:
    transformer = importlib.import_module("sklearn.preprocessing").FunctionTransformer
    counter = importlib.import_module("sklearn.feature_extraction.text").CountVectorizer
    for thing in ({"a": 1}, counter(), transformer(func=numpy.exp)):
        error = call.refused("load_model", model_id="m", state=skops.dumps(thing))
        assert error.code == "untrusted_model"
    error = call.refused("load_model", model_id="m", state=skops.dumps(transformer(func=os.mkdir)))
    assert error.code == "untrusted_model"
    assert "mkdir" in str(error)


def test_a_file_that_unpacks_to_too_much_is_refused_before_it_is(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MODEL_BYTES_MAX", 10_000)
    path = tmp_path / "bomb.skops"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", b" " * 20_000)
    assert path.stat().st_size < 1_000
    assert call.refused("load_model", model_id="m", path=str(path)).code == "model_too_large"


def test_a_model_of_another_version_is_refused(call: Call) -> None:
    ridge = importlib.import_module("sklearn.linear_model").Ridge()
    content = skops.dumps(ridge)
    version = importlib.import_module("sklearn").__version__
    assert version.encode() in _schema_of(content)
    changed = _with_schema(content, _schema_of(content).replace(version.encode(), b"0.1.0"))
    error = call.refused("load_model", model_id="m", state=changed)
    assert error.code == "model_version_mismatch"
    assert "0.1.0" in str(error)


def _schema_of(content: bytes) -> bytes:
    io = importlib.import_module("io")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("schema.json")


def _with_schema(content: bytes, schema: bytes) -> bytes:
    io = importlib.import_module("io")
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as archive,
        zipfile.ZipFile(target, "w") as changed,
    ):
        for name in archive.namelist():
            changed.writestr(name, schema if name == "schema.json" else archive.read(name))
    made: bytes = target.getvalue()
    return made


def test_a_file_is_written_whole_or_not_at_all(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.skops"
    call("load_model", model_id="m", estimator="Ridge")
    call("save_model", model_id="m", path=str(path))
    before = path.read_bytes()

    def fail(_number: int) -> None:
        raise OSError("the disk is full")

    call("train", model_id="m", dataset="diabetes")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk is full"):
        call("save_model", model_id="m", path=str(path))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["m.skops"]


def test_training_that_fails_leaves_the_model_as_it_was(call: Call) -> None:
    call("load_model", model_id="m", estimator="GaussianNB")
    call("train", model_id="m", dataset="iris")
    before = call("predict", model_id="m", dataset="iris")["predictions"]
    error = call.refused("train", model_id="m", X=[[float("nan")], [1]], y=[0, 1])
    assert error.code == "invalid_arguments"
    assert (call("predict", model_id="m", dataset="iris")["predictions"] == before).all()


def test_a_cancelled_training_ends_before_its_next_epoch(call: Call) -> None:
    call("load_model", model_id="m", estimator="SGDRegressor")
    context = CallContext(1, None, "train")
    context.is_cancelled = True
    with entered(context), pytest.raises(CallCancelled):
        call.bridge.handle_command("train", {"model_id": "m", "dataset": "diabetes", "epochs": 9})
    assert call.refused("predict", model_id="m", dataset="diabetes").code == "not_trained"


def test_warnings_are_told_and_not_printed(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    params = {"max_iter": 1}
    call("load_model", model_id="m", estimator="LogisticRegression", params=params)
    (warning,) = call("train", model_id="m", dataset="digits")["warnings"]
    assert warning.startswith("ConvergenceWarning: lbfgs failed to converge")
    assert capsys.readouterr() == ("", "")


def test_the_same_seed_holds_out_the_same_rows(call: Call) -> None:
    call("load_model", model_id="m", estimator="DecisionTreeClassifier")
    split = {"dataset": "digits", "test_size": 0.3}
    trained = call("train", model_id="m", seed=1, **split)
    same = call("evaluate", model_id="m", seed=1, **split)["metrics"]
    other = call("evaluate", model_id="m", seed=2, **split)["metrics"]
    assert same["accuracy"] == trained["held_out"]["accuracy"]
    # Of other rows most were learned by heart.
    assert other["accuracy"] > same["accuracy"] + 0.05


def test_a_snapshot_holds_every_model_of_a_scope_and_no_other(call: Call) -> None:
    call("load_model", model_id="open", estimator="Ridge")
    call.session_id = "ada"
    call("load_model", model_id="a", estimator="Lasso", params={"alpha": 0.5})
    call("load_model", model_id="b", estimator="Ridge")
    call("train", model_id="b", dataset="diabetes")
    state = call("dump_state")
    other = Call()
    other.session_id = "ada"
    other("load_model", model_id="z", estimator="Ridge")
    assert other("load_state", state=state) == {"status": "restored", "total_count": 2}
    models = {model["model_id"]: model for model in other("list_models")["models"]}
    assert list(models) == ["a", "b"]
    assert models["a"]["params"]["alpha"] == 0.5
    assert (models["a"]["is_trained"], models["b"]["is_trained"]) == (False, True)
    assert other.refused("load_state", state={"models": [1]}).code == "invalid_arguments"


def test_a_model_is_looked_for_in_its_scope_alone(call: Call) -> None:
    call("load_model", model_id="open", estimator="Ridge")
    call.session_id = "ada"
    call("load_model", model_id="hers", estimator="Ridge")
    assert "without a session" in str(call.refused("train", model_id="open", dataset="iris"))
    call.session_id = None
    error = call.refused("train", model_id="hers", dataset="iris")
    assert error.code == "model_not_found"
    assert "ada" not in str(error)
    assert call("forget_session", session_id="ada")["status"] == "forgotten"
    assert call("get_stats")["models_count"] == 1


def test_rows_that_lie_at_odd_addresses_are_used_all_the_same(call: Call) -> None:
    call("load_model", model_id="m", estimator="GradientBoostingRegressor")
    call("train", model_id="m", dataset="diabetes")
    x = call("load_dataset", name="diabetes")["X"]
    odd = numpy.frombuffer(b"." + x.tobytes(), dtype=x.dtype, offset=1).reshape(x.shape)
    assert odd.flags.aligned is False
    expected = call("predict", model_id="m", X=x)["predictions"]
    assert (call("predict", model_id="m", X=odd)["predictions"] == expected).all()
