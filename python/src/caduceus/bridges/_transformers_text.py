"""How do token numbers become text, piece by piece, and where does the text end?

A character may take several tokens, and a stop string may lie across pieces: text is handed out as
soon as nothing that comes later can change it. Knows no framework: `decode` is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONTEXT_TOKENS = 6
"""How many tokens of the prompt the first piece is decoded with: tokenizers of words drop the space
in front of a text's first word, which here is in the middle of one."""

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"

_HELD_TOKENS_MAX = 16
"""A character has at most four bytes. What is longer unfinished than this is no character, and is
handed out as it is."""


class TextAssembler:
    """Turn tokens into pieces of text.

    Parameters
    ----------
    decode : callable
        Takes token numbers, gives their text.
    prompt : sequence of int
        The tokens before the first one.
    stops : sequence of str
        The text ends before the first of these that it would have.

    Attributes
    ----------
    is_stopped : bool
        Whether a stop string has come: nothing more will be handed out.
    """

    def __init__(
        self,
        decode: Callable[[list[int]], str],
        prompt: Sequence[int] = (),
        stops: Sequence[str] = (),
    ) -> None:
        self.is_stopped = False
        self._decode = decode
        self._stops = tuple(stops)
        self._ids = list(prompt[-CONTEXT_TOKENS:])
        # Tokens before `_read` have been handed out; those from `_start` on are decoded with them.
        self._start, self._read = 0, len(self._ids)
        self._held = ""

    def add(self, token: int) -> str:
        """Take the next token.

        Parameters
        ----------
        token : int
            Its number.

        Returns
        -------
        str
            What is certain now; may be empty.
        """
        if self.is_stopped:
            return ""
        self._ids.append(token)
        text = self._fresh_text()
        if text.endswith(_UNFINISHED) and len(self._ids) - self._read < _HELD_TOKENS_MAX:
            return ""
        self._start, self._read = self._read, len(self._ids)
        return self._release(text)

    def finish(self) -> str:
        """Say that no token follows.

        Returns
        -------
        str
            What was held back.
        """
        if self.is_stopped:
            return ""
        piece = self._release(self._fresh_text())
        self._read = len(self._ids)
        held, self._held = self._held, ""
        return piece if self.is_stopped else piece + held

    def _fresh_text(self) -> str:
        """Return what the tokens that have not been handed out add to those before."""
        if self._read == len(self._ids):
            return ""
        known = self._decode(self._ids[self._start : self._read])
        return self._decode(self._ids[self._start :])[len(known) :]

    def _release(self, text: str) -> str:
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.is_stopped = True
            keep = min(found)
        else:
            keep = len(self._held) - self._beginning_of_stop()
        piece, self._held = self._held[:keep], self._held[keep:]
        return piece

    def _beginning_of_stop(self) -> int:
        """Return how many of the last characters could be the beginning of a stop string."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
