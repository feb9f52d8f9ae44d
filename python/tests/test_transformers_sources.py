from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError
from caduceus.bridges._transformers_sources import find_source

if TYPE_CHECKING:
    from pathlib import Path


def _folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_text(json.dumps({}), encoding="utf-8")
    return path


def _refusal(**args: object) -> tuple[str, str]:
    with pytest.raises(BridgeError) as raised:
        find_source(args)
    return raised.value.code, str(raised.value)


def test_a_directory_is_named_by_path_or_by_a_name_that_is_one(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "m", "config.json", "model.safetensors")
    by_path = find_source({"path": str(folder)})
    by_name = find_source({"model_name": str(folder)})
    assert by_path == by_name
    assert (by_path.folder, by_path.gguf_file) == (str(folder), None)


def test_other_files_are_another_model(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "m", "config.json", "model.safetensors")
    before = find_source({"path": str(folder)})
    (folder / "model.safetensors").write_text("longer than before", encoding="utf-8")
    assert find_source({"path": str(folder)}) != before


def test_a_gguf_file_is_named_beside_its_directory_or_by_its_own_path(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "m", "x.gguf")
    beside = find_source({"path": str(folder), "gguf_file": "x.gguf"})
    alone = find_source({"path": str(folder / "x.gguf")})
    assert (alone.folder, alone.gguf_file) == (beside.folder, beside.gguf_file)
    assert alone.name == str(folder / "x.gguf")


def test_pickles_are_refused_even_when_nothing_else_is_there(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "m", "config.json", "pytorch_model.bin")
    code, message = _refusal(path=str(folder))
    assert code == "invalid_arguments"
    assert "pytorch_model.bin, a pickle" in message
    (folder / "model.safetensors").write_text("", encoding="utf-8")
    assert find_source({"path": str(folder)}).folder == str(folder)


@pytest.mark.parametrize(
    ("names", "args", "finding"),
    [
        (["config.json"], {}, "has no weights: there is no .safetensors file"),
        (["model.safetensors"], {}, "has no config.json"),
        (["a.gguf"], {}, "give gguf_file: a.gguf"),
        (["a.gguf"], {"gguf_file": "b.gguf"}, "has no file b.gguf"),
        (["a.gguf"], {"gguf_file": "../a.gguf"}, "must be the name of a .gguf file"),
        (["a.bin"], {"gguf_file": "a.bin"}, "must be the name of a .gguf file"),
    ],
)
def test_a_directory_that_is_no_model_is_refused_with_the_reason(
    tmp_path: Path, names: list[str], args: dict[str, Any], finding: str
) -> None:
    folder = _folder(tmp_path / "m", *names)
    code, message = _refusal(path=str(folder), **args)
    assert code == "invalid_arguments"
    assert finding in message


def test_a_wrong_path_is_named(tmp_path: Path) -> None:
    code, message = _refusal(path=str(tmp_path / "gone"))
    assert code == "invalid_arguments"
    assert message == f"load_model: {tmp_path / 'gone'} is no directory, it is not there"
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert _refusal(path=str(file))[1].endswith("is no directory, it is a file")


def test_either_a_name_or_a_path_is_needed() -> None:
    assert _refusal()[1] == "load_model needs either model_name or path"
    assert _refusal(path="/a", model_name="b")[1] == "load_model needs either model_name or path"


@pytest.mark.parametrize("name", ["a b", "a/b/c", "https://x.y/z", "..", ""])
def test_what_is_no_name_of_the_hub_never_reaches_it(name: str) -> None:
    code, message = _refusal(model_name=name)
    assert code == "invalid_arguments"
    assert "is no model's name" in message


class TestHub:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        hub = pytest.importorskip("huggingface_hub")
        asked: list[dict[str, Any]] = []

        def snapshot_download(name: str, **options: object) -> str:
            asked.append({"name": name, **options})
            raise errors.LocalEntryNotFoundError("not here")

        errors = importlib.import_module("huggingface_hub.errors")
        monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
        return asked

    def test_nothing_is_downloaded_unless_it_is_allowed(self, asked: list[dict[str, Any]]) -> None:
        code, message = _refusal(model_name="org/model")
        assert code == "model_not_found"
        assert "downloads are off" in message
        assert [order["local_files_only"] for order in asked] == [True]

    def test_a_download_takes_neither_code_nor_pickles(self, asked: list[dict[str, Any]]) -> None:
        code, _ = _refusal(model_name="org/model", allow_download=True, revision="v1")
        assert code == "connection_error"
        assert asked[0]["local_files_only"] is False
        assert asked[0]["revision"] == "v1"
        allowed = asked[0]["allow_patterns"]
        assert "*.safetensors" in allowed
        assert not any(pattern.endswith((".py", ".bin", "*")) for pattern in allowed)

    def test_of_gguf_files_only_the_one_that_is_asked_for_is_taken(
        self, asked: list[dict[str, Any]]
    ) -> None:
        _refusal(model_name="org/model", allow_download=True, gguf_file="m.gguf")
        allowed = asked[0]["allow_patterns"]
        assert "m.gguf" in allowed
        assert "*.safetensors" not in allowed
