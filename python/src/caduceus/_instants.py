"""How does a moment in time become a number, and a number a moment?

`docs/protocol.md` §5: milliseconds since 1970 UTC.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
# The years 1 to 9999: what Python has, and so what is sent.
_MS_MIN = -62_135_596_800_000
_MS_MAX = 253_402_300_799_999


def ms_of(value: datetime) -> int | float:
    """Return the number that stands for `value`.

    Parameters
    ----------
    value : datetime
        With a time zone.

    Returns
    -------
    int or float
        Milliseconds, with a fraction if there is one that a float can hold.

    Raises
    ------
    ValueError
        If it names no instant, or one that cannot be read again; the message is the finding.
    """
    if value.utcoffset() is None:
        raise ValueError("a datetime without a time zone cannot be sent: it names no instant")
    microseconds = (value - _EPOCH) // _MICROSECOND
    whole_ms, rest = divmod(microseconds, 1000)
    if not _MS_MIN <= whole_ms <= _MS_MAX:
        raise ValueError("a datetime that is outside of the years 1 to 9999 in UTC")
    # Far from 1970 a float is too coarse for the rest, and may round up to the next millisecond.
    exact_ms = microseconds / 1000
    return exact_ms if rest and int(exact_ms // 1) == whole_ms else whole_ms


def instant_from(ms: object) -> datetime:
    """Return the moment that a number stands for.

    Parameters
    ----------
    ms : object
        What the message says.

    Returns
    -------
    datetime
        In UTC, to the microsecond.

    Raises
    ------
    ValueError
        If it is no such number; the message is the finding.
    """
    if isinstance(ms, bool) or not isinstance(ms, (int, float)):
        raise ValueError("a date that is none")
    if not _MS_MIN <= ms < _MS_MAX + 1:
        raise ValueError("a date outside of the years 1 to 9999")
    # Down to the last one: rounding must not lead out of the years.
    return _EPOCH + timedelta(microseconds=min(round(ms * 1000), _MS_MAX * 1000 + 999))
