from __future__ import annotations

from typing import Any

import pytest

from caduceus import BridgeError, _secrets
from caduceus._errors import CAUSE_DEPTH_MAX, TEXT_CHARACTERS_MAX, error_object


def _caught(error: BaseException) -> dict[str, Any]:
    try:
        raise error
    except BaseException as raised:
        return error_object(raised)


def test_an_exception_becomes_type_message_traceback_and_code() -> None:
    described = _caught(ValueError("bad"))
    assert described["type"] == "ValueError"
    assert described["message"] == "bad"
    assert described["code"] == "python_error"
    assert described["traceback"].startswith("Traceback (most recent call last):\n")
    assert described["traceback"].endswith("ValueError: bad\n")
    assert "cause" not in described


def test_a_bridge_error_keeps_its_code() -> None:
    assert _caught(BridgeError("no", code="not_configured"))["code"] == "not_configured"


def test_a_foreign_code_attribute_is_not_ours() -> None:
    assert _caught(SystemExit(3))["code"] == "python_error"


def test_causes_are_nested_and_bounded() -> None:
    error = ValueError("0")
    for number in range(1, 20):
        outer = ValueError(str(number))
        outer.__cause__ = error
        error = outer
    described: dict[str, Any] | None = _caught(error)
    messages = []
    while described is not None:
        messages.append(described["message"])
        described = described.get("cause")
    assert messages == [str(number) for number in range(19, 19 - CAUSE_DEPTH_MAX - 1, -1)]


def test_a_context_counts_unless_it_is_suppressed() -> None:
    with pytest.raises(ValueError, match="outer") as seen:
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer")  # noqa: B904 - the implicit context is the point
    assert error_object(seen.value)["cause"]["type"] == "KeyError"
    seen.value.__suppress_context__ = True
    assert "cause" not in error_object(seen.value)


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    described = error_object(first)
    assert described["cause"]["message"] == "second"
    assert "cause" not in described["cause"]


def test_long_texts_are_cut() -> None:
    described = _caught(ValueError("x" * 300_000))
    assert len(described["message"]) == TEXT_CHARACTERS_MAX
    assert described["message"].endswith("(300000 characters)")
    assert len(described["traceback"]) <= TEXT_CHARACTERS_MAX
    assert described["traceback"].startswith("Traceback")


def test_an_exception_that_cannot_be_printed_is_described_all_the_same() -> None:
    class Rude(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert _caught(Rude())["message"] == "<the message of Rude raised RuntimeError>"


def test_a_concealed_secret_is_in_neither_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_secrets, "_secrets", ())
    _secrets.conceal("sk-very-secret")
    described = _caught(ValueError("bad key sk-very-secret"))
    assert described["message"] == "bad key [secret]"
    assert "sk-very-secret" not in described["traceback"]


def test_a_wait_that_a_provider_asks_for_is_told_in_milliseconds() -> None:
    assert _caught(BridgeError("slow down", retry_after_s=1.5))["retryAfterMs"] == 1_500
    for nothing in (None, -1.0, float("inf"), float("nan")):
        assert "retryAfterMs" not in _caught(BridgeError("slow down", retry_after_s=nothing))
