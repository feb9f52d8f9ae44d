from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from caduceus._errors import BridgeError
from caduceus._packages import find_missing, package_missing, requirement_of
from distributions import make_distribution

if TYPE_CHECKING:
    from pathlib import Path


def test_only_what_is_not_installed_is_missing() -> None:
    assert find_missing(["pytest", "no-such-package-anywhere"]) == ["no-such-package-anywhere"]


def test_the_error_says_who_needs_what_where_and_the_command() -> None:
    error = package_missing("mine", ["no-such-thing", "nor-this"])
    assert error.code == "package_missing"
    assert str(error) == (
        "the mine bridge needs no-such-thing, nor-this, which are not installed "
        f"for {sys.executable}; "
        f"install with: {sys.executable} -m pip install no-such-thing nor-this"
    )


def test_a_range_of_versions_counts() -> None:
    assert find_missing(["pytest>=8", "pytest>=8,<9999"]) == []
    assert find_missing(["pytest", "pytest>=9999"]) == ["pytest>=9999"]


def test_the_error_says_which_version_is_there_instead() -> None:
    found = metadata.version("pytest")
    error = package_missing("mine", ["no-such-package-anywhere", "pytest>=9999"])
    assert str(error) == (
        "the mine bridge needs no-such-package-anywhere, which is not installed, "
        f"and pytest>=9999, of which {found} is installed for {sys.executable}; "
        f"install with: {sys.executable} -m pip install no-such-package-anywhere 'pytest>=9999'"
    )


def test_what_is_installed_and_cannot_be_imported_is_installed_anew() -> None:
    error = package_missing("mine", ["pytest"])
    assert "needs pytest, which cannot be imported for" in str(error)
    assert str(error).endswith("-m pip install pytest --force-reinstall")


def test_what_is_no_requirement_is_said_to_be_none() -> None:
    with pytest.raises(BridgeError, match="'py test' is no requirement such as") as caught:
        find_missing(["py test"])
    assert caught.value.code == "package_missing"


@pytest.mark.parametrize(
    ("module", "expected"),
    [("pytest", "pytest>=8"), ("_pytest.nodes", None), ("some_lib.deep", "other-name")],
)
def test_a_module_is_traced_to_the_requirement_that_brings_it(
    module: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    make_distribution(tmp_path, "other-name", "1.0", {"some_lib/__init__.py": ""})
    packages = ["no-such-package-anywhere", "pytest>=8", "other-name"]
    assert requirement_of(module, packages) == expected
