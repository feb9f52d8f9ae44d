from __future__ import annotations

import itertools

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from caduceus._versions import VersionError, is_in_range, parse_range, parse_version

VERSIONS = (
    *(
        "0",
        "0.9",
        "1",
        "1.0",
        "1.0.0",
        "1.0.1",
        "1.0.5",
        "1.1",
        "1.10",
        "1.9",
        "2",
        "2.0.0",
        "10.2",
    ),
    *("1.0.dev1", "1.0a1.dev2", "1.0a1", "1.0-alpha.2", "1.0b3", "1.0c4", "1.0rc1", "1.0.pre2"),
    *("1.0.post1", "1.0-3", "1.0.rev2.dev1", "1.0a1.post2", "1.1.dev0", "1.1rc2", "2.0rc1"),
    *("1.0+cpu", "1.0+cu126.1", "1.0+cu126.10", "1.0.post1+local", "1!0.5", "1!1.0", "v1.0"),
)
LIMITS = ("0.9", "1", "1.0", "1.0.0", "1.0.1", "1.1", "1.0a1", "1.0rc1", "1.0.dev1", "2", "1!0.5")
CLAUSES = (
    *(
        f"{operator}{limit}"
        for operator, limit in itertools.product(
            ("==", "!=", "<=", ">=", "<", ">"), (*LIMITS, "1.0.post1")
        )
    ),
    *("~=1.0", "~=1.0.0", "~=1.0.1", "~=0.9", "~=1.0a1", "~=1!0.5"),
    *("==1.*", "==1.0.*", "!=1.0.*", "==2.0.*", "==1!0.*", "!=1.*"),
    *("==1.0+cpu", "!=1.0+cpu", "==1.0+cu126.1", "===1.0"),
    *(">=1,<2", ">=1.0,!=1.0.5,<1.1", ">= 1.0 , < 1.1", "", " "),
)


@pytest.mark.parametrize("clauses", CLAUSES)
def test_a_range_has_the_versions_in_it_that_pip_finds_in_it(clauses: str) -> None:
    reference = SpecifierSet(clauses)
    expected = [version for version in VERSIONS if reference.contains(version, prereleases=True)]
    assert [version for version in VERSIONS if is_in_range(version, clauses)] == expected


def test_versions_are_ordered_as_pip_orders_them() -> None:
    for left, right in itertools.combinations(VERSIONS, 2):
        # A local version is compared by the clauses that allow one; here the order alone is asked.
        if Version(left).local is None and Version(right).local is None:
            assert is_in_range(left, f"<={right}") == (Version(left) <= Version(right)), (
                left,
                right,
            )


@pytest.mark.parametrize("text", ["", "one", "1.", "1..2", "1.0-", "1.0+", "1.0rc1rc2", "1 2"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(VersionError, match="is no version"):
        parse_version(text)


@pytest.mark.parametrize(
    "clauses", ["1.0", ">", "=>1", ">=1.*", "~=1", "==1.0a1.*", ">=one", ">=1 <2", ">=1;<2"]
)
def test_what_is_no_range_is_refused(clauses: str) -> None:
    with pytest.raises(VersionError):
        parse_range(clauses)
