from __future__ import annotations

import logging
from typing import Any

import pytest

from caduceus import CallContext
from caduceus._context import entered
from caduceus._logs import MESSAGE_CHARACTERS_MAX, FrameHandler


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def logger(sent: list[dict[str, Any]]) -> logging.Logger:
    made = logging.Logger("part", logging.DEBUG)
    made.addHandler(FrameHandler(sent.append))
    return made


def test_a_record_becomes_a_message(logger: logging.Logger, sent: list[dict[str, Any]]) -> None:
    with entered(CallContext(17, None, "op")):
        logger.warning("%s is %d", "x", 1)
    assert sent[0] == {
        "type": "log",
        "level": "warning",
        "logger": "part",
        "message": "x is 1",
        "callId": 17,
        "timeMs": sent[0]["timeMs"],
    }
    assert isinstance(sent[0]["timeMs"], int)


@pytest.mark.parametrize(
    ("number", "level"),
    [(20, "info"), (25, "info"), (30, "warning"), (40, "error"), (99, "critical")],
)
def test_levels_are_the_protocols(
    number: int, level: str, logger: logging.Logger, sent: list[dict[str, Any]]
) -> None:
    logger.log(number, "x")
    assert sent[0]["level"] == level
    assert sent[0]["callId"] is None


def test_debug_stays_at_home(logger: logging.Logger, sent: list[dict[str, Any]]) -> None:
    logger.debug("x")
    assert sent == []


def test_a_long_message_is_cut(logger: logging.Logger, sent: list[dict[str, Any]]) -> None:
    logger.info("x" * 20_000)
    assert len(sent[0]["message"]) == MESSAGE_CHARACTERS_MAX


def test_an_exception_is_part_of_the_message(
    logger: logging.Logger, sent: list[dict[str, Any]]
) -> None:
    try:
        raise ValueError("bad")
    except ValueError:
        logger.exception("it failed")
    assert sent[0]["message"].startswith("it failed\nTraceback")
    assert sent[0]["message"].endswith("ValueError: bad")


def test_a_bad_format_reaches_nobody(logger: logging.Logger, sent: list[dict[str, Any]]) -> None:
    logger.info("%d", "not a number")
    assert sent == []


def test_a_broken_lane_does_not_reach_the_code_that_logs() -> None:
    def broken(_message: dict[str, Any]) -> None:
        raise BrokenPipeError

    logger = logging.Logger("part")
    logger.addHandler(FrameHandler(broken))
    logger.info("x")
    assert len(logger.handlers) == 1


def test_a_record_whose_text_logs_again_is_sent_once(
    logger: logging.Logger, sent: list[dict[str, Any]]
) -> None:
    class Chatty:
        def __str__(self) -> str:
            logger.info("I am being printed: %s", self)
            return "chatty"

    logger.info("%s", Chatty())
    assert [message["message"] for message in sent] == ["chatty"]
