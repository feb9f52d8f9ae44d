"""Which packages that a bridge needs are missing, and how does one say so usefully?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterable


def find_missing(packages: Iterable[str]) -> list[str]:
    """Return those distributions that are not installed for this interpreter.

    Parameters
    ----------
    packages : iterable of str
        Distribution names, as one gives them to pip.

    Returns
    -------
    list of str
        The missing ones, in the order given.
    """
    return [name for name in packages if not _is_installed(name)]


def package_missing(framework: str, missing: Iterable[str]) -> BridgeError:
    """Return the error that says what is missing and which command installs it.

    Parameters
    ----------
    framework : str
        The bridge or framework that needs them.
    missing : iterable of str
        Distribution names.

    Returns
    -------
    BridgeError
        With code ``package_missing``; raise it.
    """
    import shlex

    names = list(missing)
    command = shlex.join([sys.executable, "-m", "pip", "install", *names])
    verb = "is" if len(names) == 1 else "are"
    return BridgeError(
        f"the {framework} bridge needs {', '.join(names)}, "
        f"which {verb} not installed for {sys.executable}; "
        f"install with: {command}",
        code="package_missing",
    )


# What was found stays found; a forked worker knows what its zygote has found.
_found: set[str] = set()


def _is_installed(name: str) -> bool:
    if name in _found:
        return True
    # Tens of milliseconds to import, and most bridges name no packages.
    from importlib import metadata

    try:
        # A half removed distribution has no version, and cannot be imported either.
        found: str | None = metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    if found is None:
        return False
    _found.add(name)
    return True
