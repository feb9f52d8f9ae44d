from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caduceus.bridges._transformers_text import TextAssembler

if TYPE_CHECKING:
    from collections.abc import Sequence


def _bytes(ids: list[int]) -> str:
    """Decode tokens that are single bytes."""
    return bytes(ids).decode("utf-8", errors="replace")


def _words(ids: list[int]) -> str:
    """Decode tokens that are words, as SentencePiece does: without the space in front of them."""
    return "".join(f" w{number}" for number in ids).removeprefix(" ")


def _pieces(text: TextAssembler, ids: Sequence[int]) -> list[str]:
    return [*(text.add(number) for number in ids), text.finish()]


def test_each_token_gives_its_text() -> None:
    assert _pieces(TextAssembler(_bytes), b"abc") == ["a", "b", "c", ""]


def test_a_character_of_several_tokens_comes_whole() -> None:
    pieces = _pieces(TextAssembler(_bytes), "a€🐍b".encode())
    assert pieces == ["a", "", "", "€", "", "", "", "🐍", "b", ""]


def test_the_space_between_prompt_and_text_is_kept() -> None:
    assert _pieces(TextAssembler(_words, prompt=[1, 2]), [3, 4]) == [" w3", " w4", ""]
    assert _pieces(TextAssembler(_words), [3, 4]) == ["w3", " w4", ""]


def test_what_is_no_character_is_handed_out_at_last() -> None:
    text = TextAssembler(_bytes)
    assert "".join(_pieces(text, b"a\x80")) == "a\N{REPLACEMENT CHARACTER}"
    endless = TextAssembler(_bytes)
    assert any(endless.add(0x80) for _ in range(16))


@pytest.mark.parametrize("stops", [["STOP"], ["nothing", "STOP"], ["OPxx", "STOP"]])
def test_the_text_ends_before_a_stop_string(stops: list[str]) -> None:
    text = TextAssembler(_bytes, stops=stops)
    assert "".join(text.add(number) for number in b"go on. STOP it") == "go on. "
    assert text.is_stopped
    assert text.add(ord("x")) == ""
    assert text.finish() == ""


def test_what_could_be_the_beginning_of_a_stop_string_is_held_back() -> None:
    text = TextAssembler(_bytes, stops=["ABC"])
    assert [text.add(number) for number in b"xABABD"] == ["x", "", "", "AB", "", "ABD"]
    assert text.add(ord("A")) == ""
    assert text.finish() == "A"
    assert not text.is_stopped


def test_of_two_stop_strings_the_first_in_the_text_counts() -> None:
    text = TextAssembler(_words, stops=["w4 w5", "w4"])
    assert "".join(_pieces(text, [3, 4, 5])) == "w3 "


def test_a_stop_string_inside_one_token_is_found() -> None:
    text = TextAssembler(_words, stops=["7"])
    assert "".join(_pieces(text, [1, 1789, 2])) == "w1 w1"
    assert text.is_stopped
