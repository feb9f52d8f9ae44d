from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from caduceus._interrupts import InterruptGate

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def gate() -> Iterator[InterruptGate]:
    before = signal.getsignal(signal.SIGINT)
    made = InterruptGate()
    made.install()
    yield made
    signal.signal(signal.SIGINT, before)


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_nothing_is_interrupted_between_calls(gate: InterruptGate) -> None:
    _interrupt()
    assert not gate.is_open


def test_a_running_handler_is_interrupted(gate: InterruptGate) -> None:
    gate.is_open = True
    with pytest.raises(KeyboardInterrupt):
        _interrupt()


def test_a_shielded_block_is_finished_first(gate: InterruptGate) -> None:
    gate.is_open = True
    steps = []
    with pytest.raises(KeyboardInterrupt), gate.shield():
        _interrupt()
        steps.append("finished")
    assert steps == ["finished"]


def test_a_deferred_interrupt_is_forgotten_when_the_handler_has_returned(
    gate: InterruptGate,
) -> None:
    gate.is_open = True
    with gate.shield():
        _interrupt()
        gate.is_open = False
    with gate.shield():
        gate.is_open = True
