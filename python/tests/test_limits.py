"""Are limits set, and is a limit that cannot be set a failed start?"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from caduceus._limits import LimitError, apply_limits
from fake_node import SAMPLE, SOURCE_FOLDER, WAIT_S

if TYPE_CHECKING:
    from pathlib import Path

    from fake_node import FakeNode

SHOW = (
    "import json, resource, sys; sys.path.insert(0, sys.argv[1]); "
    "from caduceus._limits import apply_limits; apply_limits(json.loads(sys.argv[2])); "
    "print([resource.getrlimit(kind) for kind in "
    "(resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_AS)])"
)


def test_no_limits_set_nothing() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    apply_limits(None)
    apply_limits({"somethingNew": 1})
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


@pytest.mark.parametrize(
    ("limits", "finding"),
    [
        ([], "limits must be an object"),
        ({"openFilesMax": 0}, "limits.openFilesMax must be a whole number from 1, found 0"),
        ({"cpuMsMax": 1.5}, "limits.cpuMsMax must be a whole number"),
        ({"addressSpaceBytesMax": True}, "limits.addressSpaceBytesMax must be a whole number"),
    ],
)
def test_a_malformed_limit_is_named(limits: object, finding: str) -> None:
    with pytest.raises(LimitError, match=finding):
        apply_limits(limits)


def test_limits_are_what_was_asked_for() -> None:
    limits = '{"openFilesMax": 99, "cpuMsMax": 2001, "addressSpaceBytesMax": 4294967296}'
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, SOURCE_FOLDER, limits],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=True,
    )
    # Processor time counts in seconds: rounded up, and one more until SIGKILL.
    assert shown.stdout == "[(99, 99), (3, 4), (4294967296, 4294967296)]\n"


def test_a_limit_that_is_not_granted_is_a_failed_start(fresh: FakeNode) -> None:
    failed = fresh.start(SAMPLE, limits={"openFilesMax": 2**62})
    assert failed["type"] == "failed"
    assert failed["error"]["type"] == "LimitError"
    assert "limits.openFilesMax cannot be set to" in failed["error"]["message"]
    assert fresh.exit_status() == 1


def test_limits_hold_before_the_first_line_of_the_bridge(fresh: FakeNode, tmp_path: Path) -> None:
    script = tmp_path / "greedy_bridge.py"
    script.write_text(
        "import resource\n"
        "found = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "raise RuntimeError(f'found {found}')\n"
    )
    failed = fresh.start({"script": str(script)}, limits={"openFilesMax": 64})
    assert failed["error"]["message"] == "found (64, 64)"


def test_a_worker_that_has_used_up_its_time_is_ended_by_the_kernel(fresh: FakeNode) -> None:
    fresh.start(SAMPLE, limits={"cpuMsMax": 1_000})
    fresh.send_call("spin")
    assert fresh.exit_status() in (-signal.SIGXCPU, -signal.SIGKILL)
