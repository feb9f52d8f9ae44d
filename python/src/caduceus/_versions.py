"""Does a version lie in a range, as PEP 440 orders them?

Read where `packaging` is not installed: a worker requires no package, and an interpreter of nothing
but its standard library must be able to say what it lacks. Runs on Python 3.8, since it also looks
for the packages of scripts that run there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(
    r"""\s*v?
    (?:(?P<epoch>[0-9]+)!)?
    (?P<release>[0-9]+(?:\.[0-9]+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>[0-9]*))?
    (?:-(?P<bare_post>[0-9]+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_number>[0-9]*))?
    (?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>[0-9]*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_CLAUSE = re.compile(r"(~=|===|==|!=|<=|>=|<|>)\s*([^\s,]+)")
_PRE_LETTERS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}

# What sorts before, and what after, everything that has a letter and a number.
_BEFORE = (0, "", 0)
_AFTER = (2, "", 0)


class VersionError(ValueError):
    """A text is no version, or no range of versions; the message says which."""


class Version(NamedTuple):
    """The parts of a version.

    Attributes
    ----------
    epoch : int
        0 for nearly all.
    release : tuple of int
        Without the zeros at its end.
    pre : tuple of str and int, or None
        ``a``, ``b`` or ``rc``, and its number.
    post, dev : int or None
        Their numbers.
    local : str or None
        What stands behind the ``+``.
    """

    epoch: int
    release: tuple[int, ...]
    pre: tuple[str, int] | None
    post: int | None
    dev: int | None
    local: str | None


def parse_version(text: str) -> Version:
    """Read a version.

    Parameters
    ----------
    text : str
        E.g. ``1.2rc1`` or ``2.13.0+cpu``.

    Returns
    -------
    Version
        Its parts.

    Raises
    ------
    VersionError
        If it is none.
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        raise VersionError(f"{text!r} is no version")
    pre, post, dev, local = found["pre"], found["post"], found["dev"], found["local"]
    post_number = found["bare_post"] or found["post_number"]
    has_post = post is not None or found["bare_post"] is not None
    letter = "" if pre is None else pre.lower()
    return Version(
        epoch=int(found["epoch"] or 0),
        release=_stripped(tuple(int(part) for part in found["release"].split("."))),
        pre=None
        if pre is None
        else (_PRE_LETTERS.get(letter, letter), int(found["pre_number"] or 0)),
        post=int(post_number or 0) if has_post else None,
        dev=None if dev is None else int(found["dev_number"] or 0),
        local=None if local is None else re.sub("[-_]", ".", local.lower()),
    )


def is_in_range(version: str, clauses: str) -> bool:
    """Return whether a version meets all clauses of a range. Pre-releases count like any other.

    Parameters
    ----------
    version : str
        That of what is installed.
    clauses : str
        E.g. ``>=3.4.1,<3.5``; an empty text allows all.

    Returns
    -------
    bool
        Whether it does.

    Raises
    ------
    VersionError
        If one of the two cannot be read.
    """
    found = parse_version(version)
    return all(
        _meets(found, version, operator, wanted) for operator, wanted in parse_range(clauses)
    )


def parse_range(clauses: str) -> list[tuple[str, str]]:
    """Read the clauses of a range.

    Parameters
    ----------
    clauses : str
        As for `is_in_range`.

    Returns
    -------
    list of tuple
        Operator and version of each; all of them can be read.

    Raises
    ------
    VersionError
        Naming the clause that cannot.
    """
    found = []
    for clause in (part.strip() for part in clauses.split(",")):
        if not clause:
            continue
        parts = _CLAUSE.fullmatch(clause)
        if parts is None:
            raise VersionError(f"{clause!r} is no clause such as >=1.7")
        operator, wanted = parts.groups()
        _check_clause(operator, wanted)
        found.append((operator, wanted))
    return found


def _check_clause(operator: str, wanted: str) -> None:
    if operator == "===":
        return
    has_star = wanted.endswith(".*")
    if has_star and operator not in ("==", "!="):
        raise VersionError(f"{operator}{wanted}: .* is for == and != alone")
    version = parse_version(wanted[:-2] if has_star else wanted)
    if has_star and version[2:] != (None, None, None, None):
        raise VersionError(f"{operator}{wanted}: .* stands behind numbers alone")
    if operator == "~=" and len(_release_of(wanted)) == 1:
        raise VersionError(f"{operator}{wanted}: ~= needs at least two numbers")


def _meets(found: Version, text: str, operator: str, wanted: str) -> bool:
    if operator == "===":
        return text.strip().lower() == wanted.lower()
    if wanted.endswith(".*"):
        return _has_prefix(found, wanted[:-2]) == (operator == "==")
    limit = parse_version(wanted)
    public = found._replace(local=None)
    if operator in ("==", "!="):
        same = _key(found if limit.local is not None else public) == _key(limit)
        return same == (operator == "==")
    if operator == "~=":
        epoch = f"{limit.epoch}!" if limit.epoch else ""
        prefix = epoch + ".".join(str(part) for part in _release_of(wanted)[:-1])
        return _key(public) >= _key(limit) and _has_prefix(found, prefix)
    if operator == ">=":
        return _key(public) >= _key(limit)
    if operator == "<=":
        return _key(public) <= _key(limit)
    if operator == "<":
        # <3.5 does not let 3.5rc1 in, which comes before it.
        return _key(public) < _key(limit if _is_early(limit) else limit._replace(dev=0))
    if limit.dev is not None:
        return _key(public) >= _key(limit._replace(dev=limit.dev + 1))
    if limit.post is not None:
        return _key(public) >= _key(limit._replace(post=limit.post + 1, dev=0))
    # Nor does >1.0 let 1.0.post1 or 1.0+cpu in, which come after it.
    is_post = found.post is not None and found[:3] == limit[:3]
    return _key(public) > _key(limit) and not is_post


def _is_early(version: Version) -> bool:
    return version.pre is not None or version.dev is not None


def _has_prefix(found: Version, prefix: str) -> bool:
    wanted = _release_of(prefix)
    padded = found.release + (0,) * (len(wanted) - len(found.release))
    return found.epoch == parse_version(prefix).epoch and padded[: len(wanted)] == wanted


def _release_of(text: str) -> tuple[int, ...]:
    """Return the numbers as written, the zeros at the end among them."""
    found = _VERSION.fullmatch(text)
    if found is None:
        raise VersionError(f"{text!r} is no version")
    return tuple(int(part) for part in found["release"].split("."))


def _stripped(release: tuple[int, ...]) -> tuple[int, ...]:
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    return release


def _key(version: Version) -> tuple[object, ...]:
    if version.pre is not None:
        pre: tuple[int, str, int] = (1, *version.pre)
    elif version.post is None and version.dev is not None:
        # 1.0.dev1 comes before 1.0a1.
        pre = _BEFORE
    else:
        pre = _AFTER
    return (
        version.epoch,
        version.release,
        pre,
        -1 if version.post is None else version.post,
        (1, 0) if version.dev is None else (0, version.dev),
        _local_key(version.local),
    )


def _local_key(local: str | None) -> tuple[tuple[int, int, str], ...]:
    if local is None:
        return ()
    parts = local.split(".")
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)
