from __future__ import annotations

import pytest

from caduceus import _secrets


@pytest.fixture(autouse=True)
def _no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_secrets, "_secrets", ())


def test_every_occurrence_is_replaced() -> None:
    _secrets.conceal("abcdef")
    assert _secrets.redact("abcdef, xabcdefx") == "[secret], x[secret]x"


def test_a_secret_inside_a_longer_one_leaves_no_rest() -> None:
    _secrets.conceal("abcdef")
    _secrets.conceal("abcdef-ghi")
    assert _secrets.redact("abcdef-ghi") == "[secret]"


def test_short_strings_are_not_concealed() -> None:
    _secrets.conceal("x")
    assert _secrets.redact("xylophone") == "xylophone"
