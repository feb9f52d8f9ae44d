"""What do several test files start from? A worker to talk to, and a DSPy bridge to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caduceus import _secrets
from caduceus.bridges.dspy import DSPyBridge
from dspy_caller import Caller
from fake_node import MODES, SAMPLE, FakeNode
from fake_provider import FakeProvider

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def fresh() -> Iterator[FakeNode]:
    """Give a worker that has connected and nothing more."""
    with FakeNode() as node:
        yield node


@pytest.fixture
def node(fresh: FakeNode) -> FakeNode:
    """Give a worker that is ready for calls."""
    ready = fresh.start(SAMPLE)
    assert ready["type"] == "ready", ready
    return fresh


def _started(fresh: FakeNode, mode: str) -> FakeNode:
    ready = fresh.start(MODES[mode])
    assert ready["type"] == "ready", ready
    return fresh


@pytest.fixture
def sync_node(fresh: FakeNode) -> FakeNode:
    """Give a worker that runs one call at a time."""
    return _started(fresh, "sync")


@pytest.fixture
def threads_node(fresh: FakeNode) -> FakeNode:
    """Give a worker that runs up to four calls at a time in threads."""
    return _started(fresh, "threads")


@pytest.fixture
def asyncio_node(fresh: FakeNode) -> FakeNode:
    """Give a worker that runs calls as tasks."""
    return _started(fresh, "asyncio")


@pytest.fixture(params=["sync", "threads", "asyncio"])
def any_node(fresh: FakeNode, request: pytest.FixtureRequest) -> FakeNode:
    """Give a worker in each of the three modes."""
    return _started(fresh, request.param)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    monkeypatch.setenv("CADUCEUS_SCRATCH_DIR", str(tmp_path))
    # The bridge sets these for its process; here that is pytest's.
    monkeypatch.setenv("DSPY_CACHEDIR", "")
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(_secrets, "_secrets", ())
    with FakeProvider() as provider:
        yield Caller(DSPyBridge(mode="pool-worker", worker_id="dspy/0"), provider)
