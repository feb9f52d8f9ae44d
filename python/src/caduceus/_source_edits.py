"""How is a Python source changed in places, and all else kept as it was written?"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


class EditError(Exception):
    """A place in the source is not where the parser says, or two changes overlap."""


@dataclass(slots=True)
class Source:
    """A text, and what is to be put where in it.

    Parameters
    ----------
    text : str
        A Python module.

    Attributes
    ----------
    text : str
        As given; it is not changed.
    newline : str
        How its lines end.
    """

    text: str
    newline: str = field(init=False)
    _bytes: bytes = field(init=False, repr=False)
    _starts: list[int] = field(init=False, repr=False)
    _edits: list[tuple[int, int, str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find where the lines begin: positions of the parser are bytes within lines."""
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        self._bytes = self.text.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._edits = []

    def start(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        """Return where a node begins, in bytes."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        """Return where a node ends, in bytes."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def between(self, start: int, end: int) -> str:
        """Return the text between two places."""
        return self._bytes[start:end].decode()

    def segment(self, node: ast.expr | ast.stmt | ast.arg) -> str:
        """Return the text of a node."""
        return self.between(self.start(node), self.end(node))

    def indent(self, node: ast.stmt) -> str:
        """Return what stands before a statement in its line."""
        return self.between(self._starts[node.lineno - 1], self.start(node))

    def is_where_it_says(self, node: ast.expr) -> bool:
        """Say whether an expression is found at its position.

        Inside of formatted strings it may not be, before Python 3.12.
        """
        try:
            found = ast.parse(f"({self.segment(node)})", mode="eval").body
        except (SyntaxError, UnicodeDecodeError):
            return False
        return ast.dump(found) == ast.dump(node)

    def stands_alone(self, node: ast.stmt) -> bool:
        """Say whether no other code is in the lines of a statement."""
        rest = self._rest_of_line(node).strip()
        return self.indent(node).strip() == "" and (rest == "" or rest.startswith("#"))

    def replace(self, start: int, end: int, text: str) -> None:
        """Put `text` in the place of what is between `start` and `end`."""
        self._edits.append((start, end, text))

    def insert_line_above(self, node: ast.stmt, text: str) -> None:
        """Put a line of its own before a statement that stands alone, indented as that is."""
        self._must_stand_alone(node)
        start = self._starts[node.lineno - 1]
        self.replace(start, start, f"{self.indent(node)}{text}{self.newline}")

    def _must_stand_alone(self, node: ast.stmt) -> None:
        if not self.stands_alone(node):
            raise EditError(f"line {node.lineno} has more than one statement")

    def remove_lines(self, first: ast.stmt, *, with_blank_below: bool = False) -> None:
        """Take a statement away that stands alone; a comment behind it stays."""
        assert first.end_lineno is not None
        self._must_stand_alone(first)
        line = min([first.lineno, *(each.lineno for each in getattr(first, "decorator_list", []))])
        if "#" in self._rest_of_line(first):
            end = self.end(first)
            gap = len(self._rest_of_line(first)) - len(self._rest_of_line(first).lstrip())
            self.replace(self.start(first), end + gap, "")
            return
        last = first.end_lineno
        if with_blank_below:
            while last < len(self._starts) - 1 and self._line(last).strip() == "":
                last += 1
        self.replace(self._starts[line - 1], self._starts[last], "")

    def changed(self) -> str:
        """Return the text with all changes.

        Returns
        -------
        str
            The new text.

        Raises
        ------
        EditError
            If two changes overlap.
        """
        parts, at = [], 0
        for start, end, text in sorted(self._edits, key=lambda edit: edit[:2]):
            if start < at:
                raise EditError(f"two changes overlap at byte {start}")
            parts += [self._bytes[at:start].decode(), text]
            at = end
        return "".join([*parts, self._bytes[at:].decode()])

    def _line(self, number: int) -> str:
        return self.between(self._starts[number], self._starts[number + 1])

    def _rest_of_line(self, node: ast.stmt) -> str:
        assert node.end_lineno is not None
        return self.between(self.end(node), self._starts[node.end_lineno])
