from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from caduceus import CallCancelled, CallContext
from caduceus._interrupts import RAISE_SIGNAL, InterruptGate

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def gate() -> Iterator[InterruptGate]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, RAISE_SIGNAL)}
    made = InterruptGate()
    made.install()
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


def _cancelled(*, is_raise_wanted: bool = False) -> CallContext:
    call = CallContext(7, None, "op")
    call._cancel(is_raise_wanted=is_raise_wanted)
    return call


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_nothing_is_interrupted_between_calls(gate: InterruptGate) -> None:
    _interrupt()
    gate.ask_main_thread()
    assert gate.running is None


def test_a_call_that_is_not_cancelled_goes_on(gate: InterruptGate) -> None:
    gate.running = CallContext(7, None, "op")
    _interrupt()
    gate.ask_main_thread()
    assert not gate.running.is_cancelled


def test_a_cancelled_call_is_interrupted(gate: InterruptGate) -> None:
    gate.running = _cancelled()
    with pytest.raises(KeyboardInterrupt, match=r"call 7 \(op\) was cancelled"):
        _interrupt()


def test_the_raising_stage_raises_once(gate: InterruptGate) -> None:
    gate.running = _cancelled(is_raise_wanted=True)
    with pytest.raises(CallCancelled, match="call 7"):
        gate.ask_main_thread()
    gate.ask_main_thread()
    assert gate.running._is_raised


def test_a_call_that_is_only_flagged_is_not_raised_in(gate: InterruptGate) -> None:
    gate.running = _cancelled()
    gate.ask_main_thread()
    assert not gate.running._is_raised


def test_a_shielded_block_is_finished_first(gate: InterruptGate) -> None:
    gate.running = _cancelled()
    steps = []
    with pytest.raises(KeyboardInterrupt), gate:
        with gate:
            _interrupt()
            steps.append("inner")
        steps.append("outer")
    assert steps == ["inner", "outer"]


def test_what_is_being_raised_already_is_not_replaced(gate: InterruptGate) -> None:
    gate.running = _cancelled()
    with pytest.raises(ValueError, match="mine"), gate:
        _interrupt()
        raise ValueError("mine")


def test_a_deferred_interrupt_is_forgotten_when_the_handler_has_returned(
    gate: InterruptGate,
) -> None:
    gate.running = _cancelled()
    with gate:
        _interrupt()
        gate.running = None
    gate.running = _cancelled()
    with gate:
        pass
    assert gate.shields == 0


def test_another_threads_block_shields_nothing(gate: InterruptGate) -> None:
    counts = []

    def enter() -> None:
        with gate:
            counts.append(gate.shields)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert counts == [0]
