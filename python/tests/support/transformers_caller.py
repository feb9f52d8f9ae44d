"""How do the tests call a Transformers bridge, and where are their models?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from caduceus import BridgeError, CallContext
from caduceus._context import entered
from caduceus.bridges.transformers import TransformersBridge

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIXTURE = Path(__file__).resolve().parents[3] / "test" / "fixtures" / "tiny_models.py"
_MAKING_S = 180


def shared_caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Give the bridge of one test file; the models are made once for all of them."""
    folder = tmp_path_factory.getbasetemp() / "tiny-models"
    if not folder.exists():
        # In a process of its own: what it imports is not this one's.
        command = [sys.executable, str(_FIXTURE), str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=_MAKING_S)
    # Two threads on cores that others use wait for each other more than they compute.
    with mock.patch.dict(os.environ, {"OMP_NUM_THREADS": "1"}):
        bridge = TransformersBridge(mode="pool-worker", worker_id="transformers/0")
        yield Caller(bridge, folder)


class Caller:
    """One bridge, called as the worker would call it."""

    def __init__(self, bridge: TransformersBridge, folder: Path) -> None:
        self.bridge = bridge
        self.folder = folder

    def __call__(self, op: str, session: str | None = None, **args: object) -> Any:  # noqa: ANN401
        with entered(CallContext(1, session, op)):
            return self.bridge.handle_command(op, args)

    def load(self, name: str, model_id: str, session: str | None = None, **more: object) -> Any:  # noqa: ANN401
        path = str(self.folder / name)
        return self("load_model", session, id=model_id, path=path, **more)

    def refusal(self, op: str, session: str | None = None, **args: object) -> tuple[str, str]:
        with pytest.raises(BridgeError) as raised:
            self(op, session, **args)
        return raised.value.code, str(raised.value)

    def forget_all(self) -> None:
        for session, models in tuple(self.bridge._scopes.items()):
            for model_id in tuple(models):
                self("unload", session, model_id=model_id)
