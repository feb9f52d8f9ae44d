"""How is a handler of a table written as a method with `operation`?"""

from __future__ import annotations

import ast
import keyword
import re
from typing import TYPE_CHECKING

from caduceus._handler_reads import NotParametersError, Read, reads_of
from caduceus._handler_table import INSTANCE_NAMES
from caduceus.bridge import Bridge

if TYPE_CHECKING:
    from caduceus._handler_reads import Function
    from caduceus._handler_table import Entry, Table
    from caduceus._source_edits import Source

_LINE_MAX = 100
"""Characters in a line before parameters get lines of their own."""


def write_operation(source: Source, table: Table, entry: Entry) -> list[str]:
    """Turn the handler of a row into a method.

    Parameters
    ----------
    source : Source
        The text, which takes the changes.
    table : Table
        Of its class.
    entry : Entry
        The row; its `method` is there.

    Returns
    -------
    list of str
        What the author should know of it.
    """
    method = entry.method
    assert method is not None
    name = _name_for(method.name, entry.name, table)
    mark = "@operation" if name == entry.name else f'@operation(name="{entry.name}")'
    start = source.start(method)
    source.replace(start, start, f"{mark}{source.newline}{source.indent(method)}")
    head = source.between(start, source.start(method.args.args[0]))
    found = re.search(rf"\b{re.escape(method.name)}\b", head)
    if found is not None and name != method.name:
        source.replace(start + found.start(), start + found.end(), name)
    notes = _write_parameters(source, method, len(name) - len(method.name))
    return [*notes, *_write_result(source, method)]


def _name_for(method: str, operation: str, table: Table) -> str:
    """Return what the method is called: as its operation where that is free."""
    is_taken = (
        hasattr(Bridge, operation)
        or operation in INSTANCE_NAMES
        or (operation in table.attributes and operation != method)
    )
    is_name = operation.isidentifier() and not keyword.iskeyword(operation)
    has_own = not method.startswith("_")
    return method if is_taken or has_own or not is_name else operation


def _write_parameters(source: Source, method: Function, longer: int) -> list[str]:
    taken = method.args.args
    start, end = source.start(taken[0]), source.end(taken[1])
    args = taken[1].arg
    try:
        reads = reads_of(method, args, source)
    except NotParametersError as why:
        source.replace(start, end, f"self, **{args}")
        return [f"takes **{args} as before: {why}"]
    if not reads:
        source.replace(start, end, f"self, **{args}")
        return [f"takes any arguments, as before, and reads none: **{args}"]
    parameters = [taken[0].arg, *(_parameter(source, read) for read in reads)]
    one_line = ", ".join(parameters)
    after = source.between(end, source.end(method)).splitlines()[0]
    before = len(source.indent(method)) + len(source.between(source.start(method), start))
    if before + longer + len(one_line) + len(after) > _LINE_MAX:
        inner = f"{source.newline}{source.indent(method)}    "
        last = f",{source.newline}{source.indent(method)}"
        one_line = inner + f",{inner}".join(parameters) + last
    source.replace(start, end, one_line)
    _write_body(source, method, reads)
    return _notes_on(reads)


def _parameter(source: Source, read: Read) -> str:
    hint = ""
    if isinstance(read.assigned, ast.AnnAssign):
        hint = f": {source.segment(read.assigned.annotation)}"
        if not read.is_plain:
            hint = f"{hint} | None"
    if read.is_required:
        return f"{read.name}{hint}"
    plain = _default_of(source, read)
    return f"{read.name}{hint} = {plain}" if hint else f"{read.name}={plain}"


def _default_of(source: Source, read: Read) -> str:
    if read.default is None or not read.is_plain or not hasattr(read.default, "lineno"):
        return "None"  # it is written nowhere, or not for a parameter
    return source.segment(read.default)


def _write_body(source: Source, method: Function, reads: list[Read]) -> None:
    gone = []
    for read in reads:
        for place in read.places:
            if read.assigned is None or read.assigned.value is not place:
                text = read.name if read.is_plain else _or_default(source, read)
                source.replace(source.start(place), source.end(place), text)
        if read.assigned is None:
            continue
        if read.is_plain:
            gone.append(read.assigned)
            continue
        assert read.default is not None
        inner = f"{source.newline}{source.indent(read.assigned)}    "
        new = f"if {read.name} is None:{inner}{read.name} = {source.segment(read.default)}"
        source.replace(source.start(read.assigned), source.end(read.assigned), new)
    if len(gone) == len(method.body):
        first = gone.pop(0)
        source.replace(source.start(first), source.end(first), "pass")
    for statement in gone:
        source.remove_lines(statement, with_blank_below=statement is method.body[0])


def _or_default(source: Source, read: Read) -> str:
    assert read.default is not None
    return f"({source.segment(read.default)} if {read.name} is None else {read.name})"


def _notes_on(reads: list[Read]) -> list[str]:
    notes = []
    anew = [read.name for read in reads if not read.is_plain]
    if anew:
        notes.append(f"null for {', '.join(anew)} is taken as absent")
    if any(read.name == "session_id" for read in reads):
        notes.append("a session's name is no argument of a worker: ask current_call().session_id")
    return notes


def _write_result(source: Source, method: Function) -> list[str]:
    """Take a promise away that the method does not keep: results are checked now."""
    promised = method.returns
    if promised is None or ast.unparse(promised) == "None":
        return []
    kinds = (ast.Return, ast.Yield, ast.YieldFrom)
    if any(isinstance(each, kinds) for each in ast.walk(method)) or isinstance(
        method.body[-1], ast.Raise
    ):
        return []
    close = source.end(method.args.args[-1])
    between = source.between(close, source.start(promised))
    arrow = close + len(between[: between.rindex("->")].rstrip().encode())
    source.replace(arrow, source.end(promised), "")
    return [f"gives nothing, though it promises {source.segment(promised)}: that is gone"]
