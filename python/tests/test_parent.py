"""Does a worker die with its parent?"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fake_node import SOURCE_FOLDER, WAIT_S, FakeNode

ORPHAN = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from caduceus._parent import die_with_parent
ready, told = os.pipe()
parent = os.getpid()
if os.fork() == 0:
    die_with_parent(int(sys.argv[2]) and parent)
    os.write(told, b"tied")
    signal.pause()
os.close(told)
assert os.read(ready, 4) == b"tied"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel can be asked")
@pytest.mark.parametrize("names_parent", ["0", "1"])
def test_the_kernel_ends_the_child_of_a_dead_parent(names_parent: str) -> None:
    # The child holds the pipe: it ends only when both have.
    ended = subprocess.run(
        [sys.executable, "-c", ORPHAN, SOURCE_FOLDER, names_parent],
        capture_output=True,
        timeout=WAIT_S,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_a_worker_whose_parent_has_gone_already_exits() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "from caduceus._parent import die_with_parent; die_with_parent(int(sys.argv[2])); "
        "print('lives')"
    )
    for parent, expected in ((os.getpid(), (0, "lives\n")), (os.getpid() + 1, (1, ""))):
        ended = subprocess.run(
            [sys.executable, "-c", code, SOURCE_FOLDER, str(parent)],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == expected


def test_a_worker_takes_its_parent_from_the_invitation() -> None:
    with FakeNode(parent_pid=os.getpid()) as node:
        assert node.hello()["pid"] == node.process.pid
