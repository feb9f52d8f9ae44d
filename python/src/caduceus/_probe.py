"""What can an interpreter tell of itself: who it is, and which packages it really has?

Run by `_probe_start.py`, which `src/registry/probe.ts` starts. Prints one JSON object. Runs on
Python 3.8, for the scripts that run there.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from caduceus._import_names import import_names
from caduceus._import_trial import run_child, try_find, try_import
from caduceus._requirements import Finding, RequirementError, look_for


def main(order: dict[str, Any]) -> None:
    """Do what is asked for, and print the answer.

    Parameters
    ----------
    order : dict
        ``packages`` (requirements), ``preload`` (modules, tried together in one process), ``find``
        (a module that is only looked for), ``importTimeoutMs`` for each process; without it nothing
        is imported. All but the first may be absent. Or ``trial``, for a process of one import.
    """
    if "trial" in order:
        run_child(order["trial"])
    timeout_ms = order.get("importTimeoutMs")
    preload, find = order.get("preload"), order.get("find")
    answer = {
        **identity(),
        "packages": [_package(text, timeout_ms) for text in order["packages"]],
        "preload": try_import(preload, timeout_ms) if preload and timeout_ms else None,
        "module": try_find(find, timeout_ms) if find and timeout_ms else None,
    }
    print(json.dumps(answer))


def identity() -> dict[str, Any]:
    """Return who this interpreter is.

    Returns
    -------
    dict
        ``version``, ``executable``, and ``venv``: the folder of its virtual environment, or None.
    """
    return {
        "version": ".".join(map(str, sys.version_info[:3])),
        "executable": sys.executable,
        "venv": sys.prefix if sys.prefix != sys.base_prefix else None,
    }


def _package(text: str, timeout_ms: int | None) -> dict[str, Any]:
    try:
        finding = look_for(text)
    except RequirementError as error:
        return _described(Finding(text, text, None, is_satisfied=False), [], str(error))
    if not finding.is_satisfied or timeout_ms is None:
        return _described(finding, [], None)
    from importlib import metadata

    name = finding.distribution
    modules = import_names(metadata.distribution(name), name)
    if not modules:
        return _described(finding, modules, None)
    return {**_described(finding, modules, None), **try_import(modules, timeout_ms)}


def _described(finding: Finding, modules: list[str], error: str | None) -> dict[str, Any]:
    return {
        "requirement": finding.requirement,
        "name": finding.distribution,
        "found": finding.version,
        "isSatisfied": finding.is_satisfied,
        "modules": modules,
        **{"error": error, "importMs": None, "threads": None},
        **{"hazard": None, "memoryBytes": None},
    }
