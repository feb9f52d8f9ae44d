"""How much may this process take from its host?

The ``limits`` of a ``welcome``, set with `setrlimit` before any user import. A limit that cannot be
set is a start failure: a worker that only seems to be bounded is worse than none.
"""

from __future__ import annotations

from typing import Any

CPU_GRACE_S = 1
"""Between SIGXCPU, which tells, and the SIGKILL of the hard limit. The kernel counts in seconds."""

_MS_PER_S = 1_000
_FIELDS = ("openFilesMax", "cpuMsMax", "addressSpaceBytesMax")


class LimitError(Exception):
    """A limit cannot be set; the message says which and why."""


def apply_limits(limits: object) -> None:
    """Set the limits that `limits` names on this process and what it will start.

    Parameters
    ----------
    limits : object
        The ``limits`` of a ``welcome``: an object with any of ``openFilesMax``, ``cpuMsMax`` and
        ``addressSpaceBytesMax``. None sets nothing.

    Raises
    ------
    LimitError
        If a limit is not a whole number of at least 1, or the system does not grant it.
    """
    if limits is None:
        return
    if not isinstance(limits, dict):
        raise LimitError(f"limits must be an object, found a {type(limits).__name__}")
    for field in _FIELDS:
        wanted = limits.get(field)
        if wanted is not None:
            if type(wanted) is not int or wanted < 1:
                raise LimitError(f"limits.{field} must be a whole number from 1, found {wanted!r}")
            _set(field, wanted)


def _set(field: str, wanted: int) -> None:
    # Costs nothing to whoever sets no limits.
    import resource

    kind, soft, hard = _bounds(resource, field, wanted)
    granted = resource.getrlimit(kind)[1]
    try:
        resource.setrlimit(kind, (soft, hard))
    except (ValueError, OSError) as error:
        bound = "none" if granted == resource.RLIM_INFINITY else str(granted)
        raise LimitError(
            f"limits.{field} cannot be set to {wanted}: {error} (the hard limit here: {bound})"
        ) from error


def _bounds(resource: Any, field: str, wanted: int) -> tuple[int, int, int]:  # noqa: ANN401 - a module
    if field == "openFilesMax":
        return resource.RLIMIT_NOFILE, wanted, wanted
    if field == "cpuMsMax":
        seconds = -(-wanted // _MS_PER_S)
        return resource.RLIMIT_CPU, seconds, seconds + CPU_GRACE_S
    return resource.RLIMIT_AS, wanted, wanted
