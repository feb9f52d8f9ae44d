from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from caduceus._requirements import RequirementError, allows, look_for, parse_requirement
from distributions import make_distribution

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "name", "clauses"),
    [
        ("dspy", "dspy", ""),
        ("scikit-learn>=1.7,<2", "scikit-learn", ">=1.7,<2"),
        (" torch ~= 2.13 ", "torch", "~= 2.13"),
        ("ray[default, serve]>=2", "ray", ">=2"),
        ("a.b_c==1.*", "a.b_c", "==1.*"),
    ],
)
def test_a_requirement_is_a_name_and_a_range(text: str, name: str, clauses: str) -> None:
    found = parse_requirement(text)
    assert (found.text, found.name, found.clauses) == (text.strip(), name, clauses)


@pytest.mark.parametrize(
    "text",
    ["", "-x", "a b", "a>=", "a=1", "a @ https://x.org/a.whl", "a; python_version<'3'", "a>=1.*"],
)
def test_what_is_no_requirement_is_quoted(text: str) -> None:
    with pytest.raises(RequirementError) as caught:
        parse_requirement(text)
    assert repr(text) in str(caught.value)
    assert "scikit-learn>=1.7,<2" in str(caught.value)


def test_what_is_installed_is_found_by_its_metadata(site: Path) -> None:
    make_distribution(site, "some-thing", "1.2.0")
    for text in ("some-thing", "Some_Thing>=1.2", "some-thing>=1,<2"):
        assert look_for(text)[1:] == (look_for(text).distribution, "1.2.0", True)
    assert look_for("some-thing>=1.3") == ("some-thing>=1.3", "some-thing", "1.2.0", False)
    assert look_for("no-such-thing") == ("no-such-thing", "no-such-thing", None, False)


def test_dspy_is_dspy_under_its_old_name_too(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing but what is made here.
    monkeypatch.setattr(sys, "path", [str(site)])
    make_distribution(site, "dspy-ai", "2.4.1")
    assert look_for("dspy") == ("dspy", "dspy-ai", "2.4.1", True)
    assert look_for("dspy>=3").version == "2.4.1"
    make_distribution(site, "dspy", "3.4.1")
    assert look_for("dspy-ai>=3") == ("dspy-ai>=3", "dspy", "3.4.1", True)


def test_a_distribution_without_a_version_is_not_there(site: Path) -> None:
    (site / "half_gone-1.0.dist-info").mkdir()
    assert look_for("half-gone").version is None


@pytest.mark.parametrize("has_packaging", [True, False])
def test_a_range_is_read_with_and_without_packaging(
    has_packaging: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_packaging:
        monkeypatch.setitem(sys.modules, "packaging.specifiers", None)
    assert allows(">=3.4.1,<3.5", "3.4.1")
    assert allows(">=2.13,<2.14", "2.13.0+cpu")
    assert not allows(">=3.4.1,<3.5", "3.5")
    assert allows("", "whatever it is")
    assert not allows(">=1", "whatever it is")
