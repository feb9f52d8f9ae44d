"""Which distribution of which version does a requirement name, and what is installed of it?

Runs on Python 3.8, and imports nothing of the worker: it also looks for the packages of scripts
that run without one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from caduceus._versions import VersionError, is_in_range, parse_range

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    r"\s*(?P<extras>\[[\w\s,.-]*\])?\s*(?P<clauses>[^;@\[\]]*)"
)

# One framework under two names: the old one has been an empty package that requires the new one.
_ALIASES = {"dspy-ai": ("dspy", "dspy-ai"), "dspy": ("dspy", "dspy-ai")}


class RequirementError(ValueError):
    """A text is no requirement; the message quotes it."""


class Requirement(NamedTuple):
    """A distribution, and which versions of it.

    Attributes
    ----------
    text : str
        As it was given, and as pip takes it.
    name : str
        That of the distribution.
    clauses : str
        The range of versions, e.g. ``>=1.7,<2``; empty where every one will do.
    """

    text: str
    name: str
    clauses: str


class Finding(NamedTuple):
    """What is installed of a requirement.

    Attributes
    ----------
    requirement : str
        As it was given.
    distribution : str
        The name under which it was found, or looked for.
    version : str or None
        The one that is installed; None without any.
    is_satisfied : bool
        Whether it is one of those that are required.
    """

    requirement: str
    distribution: str
    version: str | None
    is_satisfied: bool


def parse_requirement(text: str) -> Requirement:
    """Read a requirement.

    Parameters
    ----------
    text : str
        A distribution's name, with extras and a range of versions if need be.

    Returns
    -------
    Requirement
        Its parts.

    Raises
    ------
    RequirementError
        If it is none. Markers and addresses are not read.
    """
    found = _REQUIREMENT.fullmatch(text)
    if found is None:
        raise RequirementError(_refusal(text))
    clauses = found["clauses"].strip()
    try:
        parse_range(clauses)
    except VersionError as error:
        raise RequirementError(f"{_refusal(text)}: {error}") from None
    return Requirement(text.strip(), found["name"], clauses)


def look_for(text: str) -> Finding:
    """Look for a requirement by its metadata. Nothing is imported.

    Parameters
    ----------
    text : str
        The requirement.

    Returns
    -------
    Finding
        What there is.

    Raises
    ------
    RequirementError
        If the text is none.
    """
    requirement = parse_requirement(text)
    names = _ALIASES.get(normalized(requirement.name), (requirement.name,))
    found = [(name, version) for name in names for version in [_version_of(name)] if version]
    for name, version in found:
        if allows(requirement.clauses, version):
            return Finding(requirement.text, name, version, is_satisfied=True)
    name, other = found[0] if found else (names[0], None)
    return Finding(requirement.text, name, other, is_satisfied=False)


def allows(clauses: str, version: str) -> bool:
    """Return whether a range of versions has this one in it.

    Parameters
    ----------
    clauses : str
        The range.
    version : str
        What is installed.

    Returns
    -------
    bool
        Asked of `packaging` where it is installed, else of our own reading. A version that nobody
        can read is in no range but the empty one.
    """
    if not clauses:
        return True
    try:
        # The reading of pip itself. Whatever is wrong with a copy of it is not our finding.
        from packaging.specifiers import SpecifierSet

        return bool(SpecifierSet(clauses).contains(version, prereleases=True))
    except Exception:
        pass
    try:
        return is_in_range(version, clauses)
    except VersionError:
        return False


def normalized(name: str) -> str:
    """Return a name as distributions' names are compared.

    Parameters
    ----------
    name : str
        Of a distribution.

    Returns
    -------
    str
        In lower case, with ``-`` for every run of ``-``, ``_`` and ``.``.
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _version_of(name: str) -> str | None:
    # Tens of milliseconds to import, and most bridges name no packages.
    from importlib import metadata

    try:
        # A half removed distribution has no version, and cannot be imported either.
        found: str | None = metadata.version(name)
    except Exception:
        # Not there; or with metadata that cannot be read, which is the same to whoever imports it.
        return None
    return found


def _refusal(text: str) -> str:
    return f"{text!r} is no requirement such as scikit-learn>=1.7,<2"
