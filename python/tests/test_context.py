from __future__ import annotations

import time

import pytest

from caduceus import CallbackError, CallCancelled, CallContext, current_call
from caduceus._context import entered


def test_there_is_no_call_outside_one() -> None:
    assert current_call() is None


def test_the_current_call_ends_with_its_block_even_after_an_exception() -> None:
    call = CallContext(1, "alice", "ping")
    with pytest.raises(RuntimeError, match="stop"), entered(call):
        assert current_call() is call
        raise RuntimeError("stop")
    assert current_call() is None


def test_the_remaining_time_never_falls_below_zero() -> None:
    assert CallContext(1, None, "ping").remaining_ms() is None
    assert CallContext(1, None, "ping", time.monotonic() - 5).remaining_ms() == 0
    remaining = CallContext(1, None, "ping", time.monotonic() + 5).remaining_ms()
    assert remaining is not None
    assert 4_000 < remaining <= 5_000


def test_a_call_without_a_caller_drops_progress_and_refuses_callbacks() -> None:
    call = CallContext(1, None, "ping")
    call.progress({"done": 1})
    with pytest.raises(CallbackError, match="has no caller that could be asked") as caught:
        call.invoke("search")
    assert caught.value.code == "callback_failed"


def test_a_call_that_is_over_makes_no_callbacks() -> None:
    call = CallContext(1, None, "ping")
    call._is_over = True
    with pytest.raises(CallbackError, match="call 1 is over"):
        call.invoke("search")


def test_a_cancelled_call_can_be_ended_where_it_looks() -> None:
    call = CallContext(1, None, "ping")
    call.raise_if_cancelled()
    call._cancel(is_raise_wanted=False)
    with pytest.raises(CallCancelled, match=r"call 1 \(ping\) was cancelled"):
        call.raise_if_cancelled()


def test_a_cancelled_call_is_not_caught_with_ordinary_errors() -> None:
    assert not issubclass(CallCancelled, Exception)


def test_who_waits_is_woken_by_the_cancellation_once_and_also_when_late() -> None:
    call = CallContext(1, None, "ping")
    woken: list[str] = []

    def early() -> None:
        woken.append("early")

    def gone() -> None:
        woken.append("gone")

    call._add_waker(early)
    call._add_waker(gone)
    call._remove_waker(gone)
    call._cancel(is_raise_wanted=False)
    call._add_waker(lambda: woken.append("late"))
    assert woken == ["early", "late"]
