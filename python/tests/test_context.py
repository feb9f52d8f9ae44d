from __future__ import annotations

import time

import pytest

from caduceus import CallContext, current_call
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
