from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from caduceus._import_names import import_names
from distributions import make_distribution

if TYPE_CHECKING:
    from pathlib import Path


def _names(folder: Path, name: str, files: dict[str, str] | None) -> list[str]:
    make_distribution(folder, name, "1.0", files)
    (found,) = metadata.distributions(name=name, path=[str(folder)])
    return import_names(found, name)


@pytest.mark.parametrize(
    ("name", "paths", "expected"),
    [
        ("scikit-learn", ["sklearn/__init__.py", "sklearn/svm/__init__.py"], ["sklearn"]),
        ("torch", ["functorch/__init__.py", "torch/__init__.py", "torchgen/a.py"], ["torch"]),
        ("PyYAML", ["yaml/__init__.py", "_yaml/__init__.py"], ["yaml"]),
        ("six", ["six.py"], ["six"]),
        ("two", ["one.py", "other/__init__.py", "tests/__init__.py"], ["one", "other"]),
        ("my-thing", ["my/thing/__init__.py", "my/thing/deep/__init__.py"], ["my.thing"]),
        ("shared", ["space/a/__init__.py", "space/b/__init__.py"], ["space.a", "space.b"]),
        ("bare", ["bare_folder/module.py"], ["bare_folder"]),
        ("only-data", ["share/readme.txt", "README"], []),
        ("hidden", ["_hidden.abi3.so"], ["_hidden"]),
        (
            "odd",
            ["odd.libs/x.so", "odd-files/a.py", "../../bin/odd.py", "odd/__init__.py"],
            ["odd"],
        ),
    ],
)
def test_names_are_those_of_the_files(
    tmp_path: Path, name: str, paths: list[str], expected: list[str]
) -> None:
    assert _names(tmp_path / "site", name, dict.fromkeys(paths, "")) == expected


def test_without_a_list_of_files_the_name_is_all_there_is(tmp_path: Path) -> None:
    assert _names(tmp_path, "Some.Thing", None) == ["some_thing"]


def test_an_editable_installation_says_its_names_itself(tmp_path: Path) -> None:
    files = {"__editable___mine_finder.py": "", "mine-1.0.dist-info/top_level.txt": "mine_lib\n"}
    assert _names(tmp_path, "mine", files) == ["mine_lib"]
