"""What does an interpreter tell of itself? Real environments, with distributions made by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

import caduceus
from distributions import make_distribution

PROBE = os.path.join(os.path.dirname(caduceus.__file__), "_probe_start.py")
DEADLINE_S = 60.0
# An import in a fresh process takes a tenth of a second.
AMPLE_MS = 20_000
SHORT_MS = 1_500


class Environment:
    """A virtual environment of its own."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.folder = folder
        self.python = folder / "bin" / "python"
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        self.site = folder / "lib" / version / "site-packages"

    def install(self, name: str, version: str, code: str) -> None:
        module = name.replace("-", "_")
        make_distribution(self.site, name, version, {f"{module}/__init__.py": code})

    def probe(self, *packages: str, timeout_ms: int = AMPLE_MS, **order: object) -> dict[str, Any]:
        return _probe(str(self.python), {"importTimeoutMs": timeout_ms, **order}, *packages)


def _probe(python: str, order: dict[str, object], *packages: str) -> dict[str, Any]:
    ended = subprocess.run(
        [python, PROBE, json.dumps({**order, "packages": packages})],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env={name: text for name, text in os.environ.items() if not name.startswith("PYTHON")},
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("probe") / "environment")
    made.install("good", "1.2.0", "print('what an import prints is not the answer')")
    made.install("broken", "1.0", "raise RuntimeError('broken\\n on purpose')")
    made.install("hanging", "1.0", "import time\nwhile True: time.sleep(1)")
    made.install("crashing", "1.0", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    made.install("leaving", "1.0", "raise SystemExit(3)")
    threads = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()"
    made.install("threaded", "1.0", threads)
    made.install("connected", "1.0", "import socket\nKEPT = socket.socket()")
    make_distribution(made.site, "collection", "1.0", {})
    make_distribution(made.site, "renamed", "1.0", {"other_name.py": ""})
    return made


def test_it_says_who_it_is(environment: Environment) -> None:
    found = environment.probe()
    assert found["executable"] == str(environment.python)
    assert found["venv"] == str(environment.folder)
    assert found["version"] == "{}.{}.{}".format(*sys.version_info[:3])
    assert found["packages"] == []


def test_a_package_is_found_and_imported(environment: Environment) -> None:
    (package,) = environment.probe("good>=1.2,<2")["packages"]
    assert package["found"] == "1.2.0"
    assert package["isSatisfied"] is True
    assert package["modules"] == ["good"]
    assert package["error"] is None
    assert 0 <= package["importMs"] < AMPLE_MS


def test_a_package_is_imported_by_the_name_that_its_metadata_has(environment: Environment) -> None:
    (package,) = environment.probe("renamed")["packages"]
    assert package["modules"] == ["other_name"]
    assert package["error"] is None


def test_a_package_that_only_requires_others_need_not_be_imported(environment: Environment) -> None:
    (package,) = environment.probe("collection")["packages"]
    assert (package["isSatisfied"], package["modules"], package["error"]) == (True, [], None)


def test_another_version_and_none_are_told_apart(environment: Environment) -> None:
    other, none = environment.probe("good>=2", "nowhere>=2")["packages"]
    assert (other["found"], other["isSatisfied"], other["importMs"]) == ("1.2.0", False, None)
    assert (none["found"], none["isSatisfied"]) == (None, False)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("broken", "RuntimeError: broken on purpose"),
        ("crashing", f"the import ended its process: {signal.SIGSEGV.name}"),
        ("leaving", "SystemExit: 3"),
        ("hanging", f"the import did not end within {SHORT_MS} ms, and was killed"),
    ],
)
def test_one_import_that_goes_wrong_is_a_finding_and_spoils_no_other(
    environment: Environment, name: str, error: str
) -> None:
    bad, good = environment.probe(name, "good", timeout_ms=SHORT_MS)["packages"]
    assert (bad["isSatisfied"], bad["error"]) == (True, error)
    assert (good["isSatisfied"], good["error"]) == (True, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_what_makes_a_fork_unsafe_is_told(environment: Environment) -> None:
    good, threaded, connected = environment.probe("good", "threaded", "connected")["packages"]
    assert (good["hazard"], good["threads"]) == (None, 1)
    assert threaded["hazard"].startswith("2 threads: ")
    assert threaded["threads"] == 2
    assert connected["hazard"].startswith("an open connection: ")
    assert good["memoryBytes"] > 0


def test_what_a_zygote_would_import_is_tried_in_one_process(environment: Environment) -> None:
    preload = ["caduceus.bridges", "good"]
    assert environment.probe(preload=preload)["preload"]["error"] is None
    found = environment.probe(preload=["good", "nowhere"])["preload"]
    assert found["error"] == "ModuleNotFoundError: No module named 'nowhere'"


def test_a_bridge_module_is_looked_for(environment: Environment) -> None:
    assert environment.probe(find="caduceus.bridges.dspy")["module"]["error"] is None
    absent = environment.probe(find="caduceus.bridges.nothing")["module"]
    assert absent["error"] == "there is no module caduceus.bridges.nothing"


def test_without_a_time_for_it_nothing_is_imported(environment: Environment) -> None:
    found = _probe(str(environment.python), {"find": "good", "preload": ["good"]}, "hanging")
    assert found["packages"][0]["isSatisfied"] is True
    assert found["preload"] is None
    assert found["module"] is None


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.9", "3.10", "3.12", "3.13"])
def test_it_runs_on_the_pythons_that_scripts_run_on(version: str) -> None:
    found = next(iter(sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))), None)
    if found is None:
        pytest.skip(f"no Python {version} here")
    told = _probe(str(found), {"importTimeoutMs": AMPLE_MS}, "pip>=1", "nowhere")
    assert told["version"].startswith(f"{version}.")
    if version == "3.6":
        assert told["packages"] is None
        return
    pip, nowhere = told["packages"]
    assert (pip["isSatisfied"], pip["modules"], pip["error"]) == (True, ["pip"], None)
    assert nowhere["found"] is None
