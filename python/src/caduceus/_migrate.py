"""How does a bridge with a table of handlers become one whose methods are its operations?

Run by ``caduceus migrate``. Prints one JSON object. Changes the text only where it must, so that
comments and layout stay.
"""

from __future__ import annotations

import ast
import difflib
import json
import sys
from dataclasses import dataclass, field
from typing import Any

from caduceus._handler_table import Table, find_tables
from caduceus._method_operations import write_operation
from caduceus._source_edits import EditError, Source

_OWN_MODULES = ("base_bridge", "caduceus", "caduceus.base_bridge")
_WANTED = ("Bridge", "operation")


class MigrationError(Exception):
    """Nothing of the file can be rewritten; the message says why."""


@dataclass(slots=True)
class Migration:
    """What becomes of a bridge.

    Attributes
    ----------
    text : str
        The new source.
    operations : list of str
        Those that are methods now.
    left : list of str
        Those that stay in a table.
    notes : list of str
        What its author should know.
    """

    text: str
    operations: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def migrate(text: str) -> Migration:
    """Rewrite the source of a bridge.

    Parameters
    ----------
    text : str
        A module with subclasses of `BaseBridge` that fill ``self._handlers``.

    Returns
    -------
    Migration
        With a text that has the same operations.

    Raises
    ------
    MigrationError
        If there is nothing that can be rewritten.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise MigrationError(f"it is no Python: {error}") from None
    tables = find_tables(tree)
    if not tables:
        raise MigrationError("no class in it derives from BaseBridge and registers handlers")
    source, migration = Source(text), Migration(text)
    try:
        moved = [table for table in tables if _rewrite(source, table, migration)]
        if not moved:
            raise MigrationError("; ".join(migration.notes) or "its tables are empty")
        _rewrite_imports(source, tree, moved)
        migration.text = source.changed()
        after = ast.parse(migration.text)
    except EditError as error:
        raise MigrationError(f"it cannot be changed in place: {error}") from None
    except SyntaxError as error:
        raise MigrationError(f"what would become of it is no Python: {error}") from None
    _check_same(migration, tables, after)
    return migration


def _rewrite(source: Source, table: Table, migration: Migration) -> bool:
    """Turn one class's handlers into operations. Say whether there were any."""
    for entry in table.entries:
        if entry.method is None:
            migration.left.append(entry.name)
            migration.notes.append(f"{entry.name} stays in the table: {entry.why}")
        else:
            notes = write_operation(source, table, entry)
            migration.operations.append(entry.name)
            migration.notes += [f"{entry.name}: {note}" for note in notes]
    if all(entry.method is None for entry in table.entries):
        return False
    table.remove_moved(source)
    source.replace(source.start(table.base), source.end(table.base), "Bridge")
    if table.initialize is not None:
        start = source.start(table.initialize)
        head = source.between(start, source.end(table.initialize)).index("_initialize_framework")
        source.replace(start + head, start + head + len("_initialize_framework"), "setup")
    return True


def _rewrite_imports(source: Source, tree: ast.Module, moved: list[Table]) -> None:
    """Import what the new text needs, and no more what it needs no longer."""
    bound = {name for each in tree.body for name in _bound_by(each)}
    taken = [name for name in _WANTED if name in bound and not _is_ours(tree, name)]
    if taken:
        raise MigrationError(f"the name {taken[0]} is something else in it")
    missing = [name for name in _WANTED if name not in bound]
    if not missing:
        return
    gone = {table.base for table in moved}
    names = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
    is_needed = any(each.id == "BaseBridge" and each not in gone for each in names)
    for statement in tree.body:
        if not isinstance(statement, ast.ImportFrom) or statement.module not in _OWN_MODULES:
            continue
        if all(alias.name != "BaseBridge" for alias in statement.names):
            continue
        others = [each for each in statement.names if each.name != "BaseBridge" or is_needed]
        lines = [f"from caduceus import {', '.join(missing)}"]
        if others and statement.module == "caduceus":
            ours = [*others, *(ast.alias(name) for name in missing)]
            ours.sort(key=lambda alias: (alias.name.lower() == alias.name, alias.name))
            lines = [ast.unparse(ast.ImportFrom("caduceus", ours, 0))]
        elif others:
            lines.append(ast.unparse(ast.ImportFrom(statement.module, others, 0)))
        source.replace(source.start(statement), source.end(statement), source.newline.join(lines))
        return
    # What stands before it has to: the module's docstring, and what is from the future.
    place = next(each for each in tree.body if not _comes_first(each))
    line = f"from caduceus import {', '.join(missing)}{source.newline}"
    source.replace(source.start(place), source.start(place), line)


def _comes_first(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _bound_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in statement.names]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    found = [each for each in ast.walk(statement) if isinstance(each, ast.Name)]
    return [each.id for each in found if isinstance(each.ctx, ast.Store)]


def _is_ours(tree: ast.Module, name: str) -> bool:
    imports = [each for each in tree.body if isinstance(each, ast.ImportFrom)]
    return any(
        each.module in ("caduceus", "caduceus.bridge")
        and any(alias.name == name and alias.asname is None for alias in each.names)
        for each in imports
    )


def _check_same(migration: Migration, before: list[Table], after: ast.Module) -> None:
    """Refuse a text that has lost an operation, or has one more."""
    wanted = sorted(entry.name for table in before for entry in table.entries)
    rows = [entry.name for table in find_tables(after) for entry in table.entries]
    found = sorted([*_declared(after), *rows])
    if wanted != found:
        lost = ", ".join(sorted(set(wanted) ^ set(found)))
        raise MigrationError(f"what would become of it has not the same operations: {lost}")
    assert sorted([*migration.operations, *migration.left]) == wanted


def _declared(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Name) and mark.id == "operation":
                names.append(node.name)
            elif isinstance(mark, ast.Call) and ast.unparse(mark.func) == "operation":
                given = {each.arg: each.value for each in mark.keywords}
                name = given.get("name")
                names.append(str(getattr(name, "value", node.name)))
    return names


def describe(file: str, text: str) -> dict[str, Any]:
    """Return what is printed of a file.

    Parameters
    ----------
    file : str
        Its path, as the diff shows it.
    text : str
        Its source.

    Returns
    -------
    dict
        ``text``, ``diff``, ``operations``, ``left`` and ``notes``; or ``problem`` alone.
    """
    try:
        found = migrate(text)
    except MigrationError as error:
        return {"problem": str(error)}
    lines = difflib.unified_diff(
        text.splitlines(keepends=True),
        found.text.splitlines(keepends=True),
        *(f"a/{file}", f"b/{file}"),
    )
    open_end = "\n\\ No newline at end of file\n"
    ended = (line if line.endswith("\n") else f"{line}{open_end}" for line in lines)
    return {
        **{"text": found.text, "diff": "".join(ended)},
        **{"operations": found.operations, "left": found.left, "notes": found.notes},
    }


def main() -> None:
    """Rewrite the file that is named, and print what becomes of it."""
    file = sys.argv[1]
    try:
        # As it is: its line ends are its own.
        with open(file, encoding="utf-8", newline="") as opened:
            text = opened.read()
    except (OSError, UnicodeDecodeError) as error:
        print(json.dumps({"problem": f"it cannot be read: {error}"}))
        return
    print(json.dumps(describe(file, text)))
