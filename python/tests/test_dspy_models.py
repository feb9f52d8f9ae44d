"""What do failures of a model mean, and which of its answers are kept?"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from caduceus import BridgeError
from caduceus.bridges._dspy_errors import ModelError, code_of, translated
from caduceus.bridges._dspy_programs import plain

if TYPE_CHECKING:
    from pathlib import Path

    from dspy_caller import Caller

pytest.importorskip("dspy", reason="the DSPy bridge is tested with the real DSPy")


@pytest.mark.parametrize(
    ("args", "finding"),
    [
        ({"cache": "ram"}, "one of off, memory, disk"),
        ({"cache": "disk"}, "belong together"),
        ({"cache_dir": "/tmp/x"}, "belong together"),
        ({"cache": "disk", "cache_dir": "here"}, "an absolute path"),
    ],
)
def test_caches_that_cannot_be_are_refused(
    call: Caller, args: dict[str, Any], finding: str
) -> None:
    error = call.refused("configure_lm", model="openai/m", **args)
    assert error.code == "invalid_arguments"
    assert finding in str(error)


@pytest.mark.parametrize(
    ("cache", "requests"), [("off", 2), (False, 2), ("memory", 1), (True, 1), ("disk", 1)]
)
def test_answers_are_kept_as_configured(
    call: Caller, tmp_path: Path, cache: object, requests: int
) -> None:
    dspy = importlib.import_module("dspy")
    before = dspy.cache
    more = {"cache_dir": str(tmp_path / "answers")} if cache == "disk" else {}
    call("configure_lm", model="openai/m", api_base=call.provider.api_base, cache=cache, **more)
    call("create_program", id="p", signature="q -> a")
    for _ in range(2):
        call("execute_program", program_id="p", inputs={"q": "?"})
    assert len(call.provider.requests) == requests
    # The process's own cache is what it was.
    assert dspy.cache is before
    call("configure_lm", model="openai/m")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("LMRateLimitError", "rate_limited"),
        ("LMTimeoutError", "timeout"),
        ("LMServerError", "unavailable"),
        ("LMTransportError", "connection_error"),
        ("LMAuthError", "unauthorized"),
        ("LMBillingError", "quota_exceeded"),
        ("LMUnsupportedModelError", "invalid_request"),
        ("LMNotConfiguredError", "not_configured"),
        ("LMProviderError", "invalid_answer"),
        ("LMConfigurationError", None),
    ],
)
def test_errors_of_a_model_have_codes(name: str, code: str | None) -> None:
    dspy = importlib.import_module("dspy")
    exceptions = importlib.import_module("dspy.utils.exceptions")
    error = getattr(dspy, name, None) or getattr(exceptions, name)
    assert code_of(error("broken")) == code


def test_a_window_that_is_too_small_has_its_own_code() -> None:
    exceptions = importlib.import_module("dspy.utils.exceptions")
    assert code_of(exceptions.ContextWindowExceededError()) == "context_too_long"


def test_a_slow_server_is_told_from_one_that_is_gone() -> None:
    exceptions = importlib.import_module("dspy.utils.exceptions")
    error = exceptions.LMTransportError("timed out")
    error.__cause__ = TimeoutError()
    assert code_of(error) == "timeout"


def test_when_to_come_again_is_quoted() -> None:
    exceptions = importlib.import_module("dspy.utils.exceptions")
    with pytest.raises(ModelError, match=r"try again in 2\.5 s") as caught, translated():
        raise exceptions.LMRateLimitError("slow down", retry_after=2.5)
    assert isinstance(caught.value.__cause__, exceptions.LMRateLimitError)


def test_what_is_not_dspys_passes_as_it_is() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("x")
    with pytest.raises(BridgeError) as caught, translated():
        raise BridgeError("x", code="invalid_arguments")
    assert caught.value.code == "invalid_arguments"


def test_results_become_json() -> None:
    dspy = importlib.import_module("dspy")
    example = dspy.Example(a=1, b=[dspy.Example(c={"d": (1, None)})])
    assert plain({1: example, "s": {1.5}}) == {
        "1": {"a": 1, "b": [{"c": {"d": [1, None]}}]},
        "s": [1.5],
    }
