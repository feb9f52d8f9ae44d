from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

import pytest

from caduceus import BridgeError, base_bridge
from caduceus._loader import BridgeSpec, LoadError, build_bridge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = """
    def _register_handlers(self): pass
    def _initialize_framework(self): pass
    def get_framework_info(self): return {"name": "x", "version": "1", "capabilities": []}
"""
ONE = f"from base_bridge import BaseBridge\nclass One(BaseBridge):{BODY}"


@pytest.fixture(autouse=True)
def _clean_imports() -> Iterator[None]:
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def _build(path: Path, text: str, **more: object) -> base_bridge.BaseBridge:
    path.write_text(text)
    spec = BridgeSpec.from_message({"script": str(path), **more})
    return build_bridge(spec, mode="pool-worker", worker_id="w/0")


def test_a_script_is_registered_under_its_name_and_its_folder_is_importable(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("VALUE = 42")
    made = _build(tmp_path / "my_bridge.py", f"{ONE}\nimport beside_it")
    assert type(made) is vars(sys.modules["my_bridge"])["One"]
    assert vars(sys.modules["beside_it"])["VALUE"] == 42
    assert (made.mode, made.worker_id) == ("pool-worker", "w/0")


def test_base_bridge_is_ours_even_beside_a_copy(tmp_path: Path) -> None:
    (tmp_path / "base_bridge.py").write_text("raise AssertionError('the copy was imported')")
    assert isinstance(_build(tmp_path / "my_bridge.py", ONE), base_bridge.BaseBridge)


def test_an_importable_module_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "importable_bridge.py").write_text(ONE)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = build_bridge(BridgeSpec(module="importable_bridge"), mode="standalone", worker_id=None)
    assert type(made).__name__ == "One"


def test_one_of_several_classes_is_named(tmp_path: Path) -> None:
    text = f"{ONE}\nclass Two(BaseBridge):{BODY}"
    assert type(_build(tmp_path / "several.py", text, **{"class": "Two"})).__name__ == "Two"


@pytest.mark.parametrize(
    ("text", "class_name", "finding"),
    [
        (f"{ONE}\nclass Two(BaseBridge):{BODY}", None, "several bridges, say which one: One, Two"),
        ("x = 1", None, "neither a subclass of BaseBridge nor a public function$"),
        ("from caduceus import BaseBridge\nclass Half(BaseBridge): pass", None, "Half lacks _init"),
        (ONE, "Three", "Three is no class"),
        (f"{ONE}\nclass Four: pass", "Four", "Four has no public method"),
        (
            "class Five:\n def __init__(self, path): pass",
            "Five",
            "missing a required argument: 'pa",
        ),
        ("__all__ = ['gone']", None, "__all__ names what is not there: .*gone"),
    ],
)
def test_a_class_that_cannot_be_found_is_explained(
    tmp_path: Path, text: str, class_name: str | None, finding: str
) -> None:
    with pytest.raises(LoadError, match=finding):
        _build(tmp_path / "faulty.py", text, **{"class": class_name})


def test_a_script_that_would_hide_another_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="has the name of the module json"):
        _build(tmp_path / "json.py", ONE)


@pytest.mark.parametrize("message", [{}, {"module": "a", "script": "/b.py"}])
def test_a_bridge_is_either_a_module_or_a_script(message: dict[str, str]) -> None:
    with pytest.raises(LoadError, match="either a module or a script"):
        BridgeSpec.from_message(message)


@pytest.mark.parametrize(
    ("script", "finding"), [("relative.py", "absolute path"), ("/no/such.py", "there is no file")]
)
def test_a_script_must_be_there(script: str, finding: str) -> None:
    with pytest.raises(LoadError, match=finding):
        build_bridge(BridgeSpec(script=script), mode="standalone", worker_id=None)


def test_required_packages_are_checked_before_the_import(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="frame bridge needs no-such-package") as caught:
        _build(
            tmp_path / "never_run.py",
            "raise AssertionError('it was imported')",
            requiredPackages=["pytest", "no-such-package-anywhere"],
            framework="frame",
        )
    assert caught.value.code == "package_missing"


def test_a_requirement_that_cannot_be_imported_is_missing_too(tmp_path: Path) -> None:
    # Its metadata is there, since pytest runs; the module is made to be absent.
    text = "raise ModuleNotFoundError(\"No module named 'pytest'\", name='pytest.sub')"
    with pytest.raises(BridgeError, match="pip install pytest") as caught:
        _build(tmp_path / "broken_import.py", text, requiredPackages=["pytest"])
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_module_that_nobody_announced_is_an_ordinary_import_error(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        _build(
            tmp_path / "careless.py", "import no_such_module_anywhere", requiredPackages=["pytest"]
        )


def test_a_named_class_need_not_know_of_bridges(tmp_path: Path) -> None:
    text = """
    class Model:
        def __init__(self): self.loaded = True
        def predict(self, rows: list[float]) -> float: return sum(rows)
        def _secret(self): ...
    """
    made = _build(tmp_path / "a_model.py", inspect.cleandoc(text), **{"class": "Model"})
    assert made.get_framework_info() == {"name": "model", "version": "0", "capabilities": []}
    assert made.supported_operations()[4:] == ["predict"]
    assert made.handle_command("predict", {"*": [[1, 2.5]]}) == 3.5
    assert (made.mode, made.worker_id) == ("pool-worker", "w/0")


def test_a_module_without_a_bridge_is_one_itself(tmp_path: Path) -> None:
    text = """
    from json import dumps
    __version__ = "2.1"
    def double(n: int) -> int: return 2 * n
    def _hidden(): ...
    class Shape: ...
    """
    made = _build(tmp_path / "plain_functions.py", inspect.cleandoc(text))
    assert made.supported_operations()[4:] == ["double"]
    assert made.handle_command("double", {"n": 21}) == 42
    assert made.get_framework_info()["name"] == "plain_functions"
    assert made.get_framework_info()["version"] == "2.1"


def test_all_says_what_a_module_offers(tmp_path: Path) -> None:
    text = """
    from json import dumps, JSONEncoder
    __all__ = ["dumps", "JSONEncoder"]
    def not_named(): ...
    """
    made = _build(tmp_path / "picky_functions.py", inspect.cleandoc(text))
    assert made.supported_operations()[4:] == ["dumps"]
    assert made.handle_command("dumps", {"obj": [1], "indent": None}) == "[1]"


def test_a_bridge_that_was_only_imported_is_not_that_of_the_module(tmp_path: Path) -> None:
    (tmp_path / "first_bridge.py").write_text(ONE)
    made = _build(tmp_path / "second_bridge.py", "from first_bridge import One\ndef f(): ...")
    assert made.supported_operations()[4:] == ["f"]
