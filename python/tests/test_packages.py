from __future__ import annotations

import sys

from caduceus._packages import find_missing, package_missing


def test_only_what_is_not_installed_is_missing() -> None:
    assert find_missing(["pytest", "no-such-package-anywhere"]) == ["no-such-package-anywhere"]


def test_the_error_says_who_needs_what_where_and_the_command() -> None:
    error = package_missing("dspy", ["dspy", "gepa"])
    assert error.code == "package_missing"
    assert str(error) == (
        f"the dspy bridge needs dspy, gepa, which are not installed for {sys.executable}; "
        f"install with: {sys.executable} -m pip install dspy gepa"
    )
