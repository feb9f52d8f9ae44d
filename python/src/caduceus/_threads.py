"""With how many threads do the libraries of this process compute, and how is that changed?

A zygote imports them with one thread each, since a process that has started more cannot be forked.
In its children they get back what the worker's environment says, or one for each core. A count that
is set is read again: a library that did not take it is told of.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SINGLE_THREADED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What a zygote's environment says before anything is imported."""


@dataclass(frozen=True, slots=True)
class ThreadCount:
    """How many threads one library was to have, and has.

    Attributes
    ----------
    library : str
        A package, or the file name of a shared library.
    wanted, found : int
        What was set, and what the library says of itself after it.
    """

    library: str
    wanted: int
    found: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """A family of shared libraries: how they are called, which variables they obey."""

    files: re.Pattern[str]
    variables: tuple[str, ...]
    functions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library of this process that computes with threads.

    Attributes
    ----------
    name : str
        Its file name.
    variables : tuple of str
        The environment variables that it obeys, the strongest first.
    set_count, get_count : callable
        Its own functions.
    """

    name: str
    variables: tuple[str, ...]
    set_count: Callable[[int], object]
    get_count: Callable[[], int]


_KINDS = (
    _Kind(
        re.compile(r"openblas"),
        ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"),
        tuple(
            (f"{before}openblas_set_num_threads{after}", f"{before}openblas_get_num_threads{after}")
            for before in ("", "scipy_")
            for after in ("", "64_", "_64", "_64_")
        ),
    ),
    _Kind(
        re.compile(r"^lib(gomp|iomp5|omp)\b"),
        ("OMP_NUM_THREADS",),
        (("omp_set_num_threads", "omp_get_max_threads"),),
    ),
    _Kind(
        re.compile(r"^libmkl_rt\b"),
        ("MKL_NUM_THREADS", "OMP_NUM_THREADS"),
        (("MKL_Set_Num_Threads", "MKL_Get_Max_Threads"),),
    ),
)


def find_libraries() -> list[Library]:
    """Return the shared libraries of this process that compute with threads.

    Returns
    -------
    list of Library
        To be kept for `restore_threads`: the search takes longer than all that follows it.
    """
    found = []
    for path in _loaded_libraries():
        name = os.path.basename(path)
        kind = next((kind for kind in _KINDS if kind.files.search(name)), None)
        library = None if kind is None else _open_library(path, kind)
        if library is not None:
            found.append(library)
    return found


def restore_threads(
    environ: Mapping[str, str], libraries: Sequence[Library] | None = None
) -> list[ThreadCount]:
    """Give the libraries that are loaded the threads that a fresh worker would have.

    OpenMP keeps its count for each thread that uses it: what is set here holds in the calling
    thread.

    Parameters
    ----------
    environ : mapping of str to str
        The worker's environment.
    libraries : sequence of Library, optional
        From `find_libraries`, where they have been found before.

    Returns
    -------
    list of ThreadCount
        Of each library that could be asked; where the two numbers differ it did not obey.
    """
    counts = []
    for library in find_libraries() if libraries is None else libraries:
        wanted = _wanted(environ, library.variables)
        library.set_count(wanted)
        counts.append(ThreadCount(library.name, wanted, library.get_count()))
    return [*counts, *_restore_packages(environ)]


def _wanted(environ: Mapping[str, str], variables: tuple[str, ...]) -> int:
    for variable in variables:
        # OpenMP takes a list, one number for each level of nesting.
        text = environ.get(variable, "").partition(",")[0].strip()
        if text.isascii() and text.isdecimal() and int(text) > 0:
            return int(text)
    return len(os.sched_getaffinity(0))


def _loaded_libraries() -> list[str]:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        paths = (line.rstrip("\n").partition("/")[2] for line in file)
        return sorted({f"/{path}" for path in paths if ".so" in os.path.basename(path)})


def _open_library(path: str, kind: _Kind) -> Library | None:
    try:
        # Loaded already: this gives the same library, not a second one.
        library = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return None
    for setter, getter in kind.functions:
        if hasattr(library, setter) and hasattr(library, getter):
            pair = getattr(library, setter), getattr(library, getter)
            return Library(os.path.basename(path), kind.variables, *pair)
    return None


def _restore_packages(environ: Mapping[str, str]) -> Iterator[ThreadCount]:
    """Ask the packages that count for themselves; none is imported for it."""
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        wanted = _wanted(environ, ("OMP_NUM_THREADS", "MKL_NUM_THREADS"))
        torch.set_num_threads(wanted)
        yield ThreadCount("torch", wanted, torch.get_num_threads())
    numexpr: Any = sys.modules.get("numexpr")
    if numexpr is not None:
        wanted = _wanted(environ, ("NUMEXPR_NUM_THREADS", "OMP_NUM_THREADS"))
        numexpr.set_num_threads(wanted)
        yield ThreadCount("numexpr", wanted, numexpr.get_num_threads())
