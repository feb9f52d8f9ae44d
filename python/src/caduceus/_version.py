"""Which version is this?"""

from __future__ import annotations

__version__ = "0.1.0"

PROTOCOL_VERSION = "2.2"
"""The newest version of `docs/protocol.md` that this package speaks."""

PROTOCOL_MINOR_MIN = 1
"""The lowest minor version of the same major one that it can speak."""


def is_spoken(protocol: object) -> bool:
    """Say whether `protocol`, as a ``welcome`` gives it, is one that this package can speak.

    Parameters
    ----------
    protocol : object
        For example ``"2.1"``.

    Returns
    -------
    bool
        True if the major version is ours and the minor one is not below what is needed and not
        above what was offered.
    """
    if not isinstance(protocol, str):
        return False
    major, _, minor = protocol.partition(".")
    own_major, _, own_minor = PROTOCOL_VERSION.partition(".")
    if major != own_major or not (minor.isascii() and minor.isdigit()):
        return False
    return PROTOCOL_MINOR_MIN <= int(minor) <= int(own_minor)
