"""Which packages that a bridge needs are missing, and how does one say so usefully?

The same words as `actors/port/missing-packages.ts` has for what is found without a worker.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from caduceus._errors import BridgeError
from caduceus._requirements import RequirementError, look_for, normalized, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable


def find_missing(packages: Iterable[str]) -> list[str]:
    """Return those requirements that this interpreter does not meet.

    Parameters
    ----------
    packages : iterable of str
        Distribution names with an optional range of versions, as one gives them to pip.

    Returns
    -------
    list of str
        The missing ones, in the order given: absent, or of another version.

    Raises
    ------
    BridgeError
        With code ``package_missing``, if one of the texts is no requirement.
    """
    return [name for name in packages if not _is_installed(name)]


def package_missing(framework: str, missing: Iterable[str]) -> BridgeError:
    """Return the error that says what is missing and which command installs it.

    Parameters
    ----------
    framework : str
        The bridge or framework that needs them.
    missing : iterable of str
        Requirements. One that is met by what is installed counts as one that cannot be imported.

    Returns
    -------
    BridgeError
        With code ``package_missing``; raise it.
    """
    import shlex

    wanted = list(missing)
    absent: list[str] = []
    broken: list[str] = []
    others: list[str] = []
    for name in wanted:
        found = look_for(name)
        if found.version is None:
            absent.append(name)
        elif found.is_satisfied:
            broken.append(name)
        else:
            others.append(f"{name}, of which {found.version} is installed")
    clauses = [
        *([f"{', '.join(absent)}, which {_verb(absent)} not installed"] if absent else []),
        *others,
        *([f"{', '.join(broken)}, which cannot be imported"] if broken else []),
    ]
    # What is there by its metadata, pip would leave as it is.
    force = ["--force-reinstall"] if broken else []
    command = shlex.join([sys.executable, "-m", "pip", "install", *wanted, *force])
    return BridgeError(
        f"the {framework} bridge needs {', and '.join(clauses)} for {sys.executable}; "
        f"install with: {command}",
        code="package_missing",
    )


def requirement_of(module: str, packages: Iterable[str]) -> str | None:
    """Return the requirement that brings a module.

    Parameters
    ----------
    module : str
        What could not be imported, e.g. ``sklearn.pipeline``.
    packages : iterable of str
        Requirements that can be read.

    Returns
    -------
    str or None
        The one among them; None if the module is of none of these.
    """
    top_level = module.partition(".")[0]
    return next((text for text in packages if _brings(text, top_level)), None)


def _brings(text: str, module: str) -> bool:
    from importlib import metadata

    from caduceus._import_names import import_names

    name = parse_requirement(text).name
    if normalized(name) == normalized(module):
        return True
    try:
        names = import_names(metadata.distribution(name), name)
    except metadata.PackageNotFoundError:
        return False
    return module in {each.partition(".")[0] for each in names}


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


# What was found stays found; a forked worker knows what its zygote has found.
_found: set[str] = set()


def _is_installed(name: str) -> bool:
    if name in _found:
        return True
    try:
        finding = look_for(name)
    except RequirementError as error:
        raise BridgeError(str(error), code="package_missing") from None
    if finding.is_satisfied:
        _found.add(name)
    return finding.is_satisfied
