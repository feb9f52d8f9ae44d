"""Which of the known names was meant? For whoever has misspelt one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIKENESS_MIN = 0.6
"""How much of a name must be right, from 0 to 1, for it to be taken for another one."""


def suggestion(given: str, known: Sequence[str]) -> str:
    """Return what to say at the end of a sentence about an unknown name.

    Parameters
    ----------
    given : str
        What was said.
    known : sequence of str
        What there is.

    Returns
    -------
    str
        The nearest name as a question; all of them if none is near.
    """
    # Only who has misspelt something pays for it.
    from difflib import get_close_matches

    nearest = get_close_matches(given, known, n=1, cutoff=_LIKENESS_MIN)
    if nearest:
        return f"did you mean {nearest[0]}?"
    return f"there are {', '.join(known)}" if known else "there are none"
