from __future__ import annotations

import doctest
from typing import Any

import pytest

from caduceus import BaseBridge, BridgeError, base_bridge


class Recorder(BaseBridge):
    def _register_handlers(self) -> None:
        self.order = ["register"]
        self._handlers["fail"] = self._handle_fail

    def _initialize_framework(self) -> None:
        self.order.append("initialize")

    def get_framework_info(self) -> dict[str, Any]:
        return {"name": "recorder", "version": "1", "capabilities": []}

    def _handle_fail(self, _args: dict[str, Any]) -> object:
        raise ValueError("on purpose")


@pytest.fixture
def bridge() -> Recorder:
    return Recorder(mode="pool-worker", worker_id="w/1")


def test_handlers_are_registered_before_the_framework_is_initialized(bridge: Recorder) -> None:
    assert bridge.order == ["register", "initialize"]


def test_the_defaults_are_standalone_and_nameless() -> None:
    made = Recorder()
    assert (made.mode, made.worker_id) == ("standalone", None)


def test_the_built_in_operations_answer_with_these_fields(bridge: Recorder) -> None:
    answers = {}
    for name in ("ping", "get_stats", "get_capabilities", "shutdown"):
        answer = bridge.handle_command(name, {})
        assert isinstance(answer, dict)
        answers[name] = answer
    framework = bridge.get_framework_info()
    assert set(answers["ping"]) == {
        *("status", "timestamp", "uptime", "mode", "worker_id", "framework"),
    }
    assert answers["ping"]["status"] == "ok"
    assert answers["get_stats"] == {
        "command_count": 2,
        "error_count": 0,
        "uptime": answers["get_stats"]["uptime"],
        "framework": framework,
    }
    assert answers["get_capabilities"] == {
        "framework": framework,
        "supported_operations": ["ping", "get_stats", "shutdown", "get_capabilities", "fail"],
        "operations": {},
        "mode": "pool-worker",
    }
    assert answers["shutdown"] == {
        "status": "shutting_down",
        "worker_id": "w/1",
        "mode": "pool-worker",
    }
    assert bridge.shutdown_requested


def test_an_unknown_operation_is_refused_with_what_there_is(bridge: Recorder) -> None:
    with pytest.raises(BridgeError, match="'pong'; supported: ping, get_stats") as caught:
        bridge.handle_command("pong", {})
    assert caught.value.code == "unknown_operation"


def test_arguments_must_be_an_object(bridge: Recorder) -> None:
    with pytest.raises(BridgeError, match="must be an object, not list") as caught:
        bridge.handle_command("ping", [1])  # type: ignore[arg-type]
    assert caught.value.code == "invalid_arguments"


def test_commands_and_errors_are_counted(bridge: Recorder) -> None:
    with pytest.raises(ValueError, match="on purpose"):
        bridge.handle_command("fail", {})
    with pytest.raises(BridgeError):
        bridge.handle_command("pong", {})
    bridge.handle_command("ping", {})
    assert (bridge.command_count, bridge.error_count) == (3, 2)


def test_the_base_class_itself_is_no_bridge() -> None:
    with pytest.raises(TypeError, match="abstract"):
        BaseBridge()  # type: ignore[abstract]


def test_the_example_in_the_documentation_runs() -> None:
    outcome = doctest.testmod(base_bridge)
    assert (outcome.failed, outcome.attempted) == (0, 2)


def test_only_what_runs_by_hand_has_somebody_to_talk_to(bridge: Recorder) -> None:
    with pytest.raises(BridgeError, match="nobody to talk to"):
        bridge._read_message()
    with pytest.raises(BridgeError, match="nobody to talk to"):
        bridge._write_message({})
