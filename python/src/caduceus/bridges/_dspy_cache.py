"""Are answers of a language model kept, and where?

Each configured model says so for itself: not at all, in the memory of its worker, or in a folder
that workers share. DSPy has one cache for its process, so the one that is meant is put in place for
the length of a call.
"""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from caduceus.bridges._arguments import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

MEMORY_ENTRIES_MAX = 1_000
"""Answers kept in memory for one model: some MiB."""

DISK_BYTES_MAX = 1024**3
"""The size of a folder of answers, beyond which the oldest go: 1 GiB."""

_KINDS = ("off", "memory", "disk")


def cache_kind(args: Mapping[str, Any]) -> str:
    """Say which cache ``configure_lm`` asks for.

    Parameters
    ----------
    args : mapping
        Its arguments: ``cache`` is a boolean or one of ``off``, ``memory``, ``disk``, and
        ``cache_dir`` the folder of the last.

    Returns
    -------
    str
        ``off``, ``memory`` or ``disk``.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    given = args.get("cache")
    kind = "off" if given is None else given
    if isinstance(kind, bool):
        kind = "memory" if kind else "off"
    if kind not in _KINDS:
        raise invalid(f"configure_lm: cache must be true, false or one of {', '.join(_KINDS)}")
    folder = args.get("cache_dir")
    if (kind == "disk") != (folder is not None):
        raise invalid("configure_lm: cache 'disk' and cache_dir belong together")
    if folder is not None and not os.path.isabs(folder):
        raise invalid("configure_lm: cache_dir must be an absolute path")
    return str(kind)


def make_cache(kind: str, folder: str | None) -> object | None:
    """Make the cache of one model.

    Parameters
    ----------
    kind : str
        As `cache_kind` says.
    folder : str or None
        Where answers are kept on disk.

    Returns
    -------
    Cache or None
        None if nothing is kept.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, if the folder cannot be used.
    """
    if kind == "off":
        return None
    # Not importing it by name, because its package has no types.
    cache: Any = importlib.import_module("dspy.clients.cache")
    try:
        made: object = cache.Cache(
            enable_disk_cache=kind == "disk",
            enable_memory_cache=kind == "memory",
            disk_cache_dir=folder,
            disk_size_limit_bytes=DISK_BYTES_MAX,
            memory_max_entries=MEMORY_ENTRIES_MAX,
            # Whoever can write into the folder must not be able to run code here.
            restrict_pickle=True,
        )
    except OSError as error:
        raise invalid(f"configure_lm: cache_dir {folder}: {error.strerror}") from error
    return made


@contextmanager
def cache_in_place(dspy: ModuleType, cache: object | None) -> Iterator[None]:
    """Have DSPy use `cache` inside a ``with`` block; nested calls put back what was there.

    Parameters
    ----------
    dspy : module
        DSPy.
    cache : Cache or None
        None leaves the cache that is there, which a model without a cache does not ask.

    Yields
    ------
    None
    """
    if cache is None:
        yield
        return
    module: Any = dspy
    before = module.cache
    module.cache = cache
    try:
        yield
    finally:
        module.cache = before


def close_cache(cache: Any) -> None:  # noqa: ANN401 - DSPy's, which has no type
    """Close the files of a cache, if it has any.

    Parameters
    ----------
    cache : Cache or None
        What `make_cache` made.
    """
    close = getattr(getattr(cache, "disk_cache", None), "close", None)
    if close is not None:
        close()
