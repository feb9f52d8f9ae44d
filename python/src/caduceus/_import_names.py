"""Under which names is a distribution imported?

Its metadata says so, not its name: ``scikit-learn`` is ``sklearn``. Runs on Python 3.8, as
`_requirements` does.
"""

from __future__ import annotations

import csv
import importlib.machinery
from typing import TYPE_CHECKING

from caduceus._requirements import normalized

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import Distribution

_SUFFIXES = sorted(importlib.machinery.all_suffixes(), key=len, reverse=True)

# What careless distributions put beside their package.
_STRAY = {"test", "tests", "doc", "docs", "example", "examples", "benchmarks", "scripts"}


def import_names(distribution: Distribution, name: str) -> list[str]:
    """Return the modules that show, once they are imported, that a distribution works.

    Parameters
    ----------
    distribution : Distribution
        What is installed.
    name : str
        Its name.

    Returns
    -------
    list of str
        One where a module has the distribution's own name, else all of its public ones. Empty for a
        distribution that only requires others.
    """
    record = distribution.read_text("RECORD")
    listed = (distribution.read_text("top_level.txt") or "").split()
    modules = _modules_in(record) if record is not None else []
    public = [module for module in modules if not module.startswith("_")] or [
        module for module in listed if not module.startswith("_")
    ]
    if public:
        return _telling(public, name)
    # An installation without a list of its files: the name is all that there is to go by.
    return modules if record is not None else [normalized(name).replace("-", "_")]


def _modules_in(record: str) -> list[str]:
    """Return the modules that a RECORD lists: the shallowest that are more than a folder."""
    paths = [row[0].split("/") for row in csv.reader(record.splitlines()) if row]
    own = [path for path in paths if _is_module_path(path)]
    modules = {_stem(path[0]) for path in own if len(path) == 1}
    packages = {tuple(path[:-1]) for path in own if _stem(path[-1]) == "__init__"}
    for top in {path[0] for path in own if len(path) > 1}:
        inside = {package for package in packages if package[0] == top}
        if not inside or (top,) in inside:
            modules.add(top)
            continue
        # A namespace, which several distributions share: the folder itself is always importable.
        depth = min(len(package) for package in inside)
        modules.update(".".join(package) for package in inside if len(package) == depth)
    return sorted(module for module in modules if module)


def _is_module_path(path: list[str]) -> bool:
    *folders, file = path
    stem = _stem(file)
    names = [*folders, stem]
    return stem != file and all(name.isidentifier() for name in names)


def _stem(file: str) -> str:
    for suffix in _SUFFIXES:
        if file.endswith(suffix):
            return file[: -len(suffix)]
    return file


def _telling(modules: Iterable[str], name: str) -> list[str]:
    found = list(modules)
    own = normalized(name)
    same = [module for module in found if normalized(module) == own]
    if same:
        return same[:1]
    return [module for module in found if module not in _STRAY] or found
