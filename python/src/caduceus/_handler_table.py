"""Which operations does a class register in its table, and which of them could be methods?"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caduceus._handler_reads import Function
from caduceus.bridge import Bridge

if TYPE_CHECKING:
    from caduceus._source_edits import Source

INSTANCE_NAMES = frozenset(
    (
        *("mode", "worker_id", "start_time", "command_count", "error_count", "lock"),
        "shutdown_requested",
    )
)
"""What every object of a bridge has, and its class has not."""


@dataclass(slots=True)
class Entry:
    """One row of a table.

    Attributes
    ----------
    name : str
        The operation.
    value : ast.expr
        What handles it.
    statement : ast.stmt
        Where it is registered.
    key : ast.expr or None
        Its key in a dict; None where the statement is for it alone.
    method : ast.FunctionDef or ast.AsyncFunctionDef or None
        The method of the class that it can be; None where it stays a row.
    why : str
        Why it stays one.
    """

    name: str
    value: ast.expr
    statement: ast.stmt
    key: ast.expr | None = None
    method: Function | None = None
    why: str = ""


@dataclass(slots=True)
class Table:
    """The operations of a class.

    Attributes
    ----------
    cls : ast.ClassDef
        The class.
    base : ast.expr
        The one of its bases that is `BaseBridge`.
    register : ast.FunctionDef
        Its `_register_handlers`.
    entries : list of Entry
        What is registered there.
    initialize : ast.FunctionDef or None
        Its `_initialize_framework`, where that can be called ``setup``.
    attributes : set of str
        What the class and its objects have.
    """

    cls: ast.ClassDef
    base: ast.expr
    register: ast.FunctionDef
    entries: list[Entry] = field(default_factory=list)
    initialize: ast.FunctionDef | None = None
    attributes: set[str] = field(default_factory=set)

    def remove_moved(self, source: Source) -> None:
        """Take the rows away that have become methods, and the whole method if none is left."""
        moved = [entry for entry in self.entries if entry.method is not None]
        statements = {id(entry.statement) for entry in moved}
        kept = [entry for entry in self.entries if entry.method is None]
        still = {id(entry.statement) for entry in kept}
        others = [
            each
            for each in self.register.body
            if id(each) not in statements | still and not _is_idle(each)
        ]
        if not kept and not others:
            source.remove_lines(self.register, with_blank_below=True)
            return
        first = self.register.body[0]
        if not any(map(_is_super_call, self.register.body)):
            source.insert_line_above(first, "super()._register_handlers()")
        for statement in self.register.body:
            if id(statement) in statements and id(statement) not in still:
                source.remove_lines(statement)
            elif id(statement) in statements:
                _keep_rows(source, statement, kept)


def _keep_rows(source: Source, statement: ast.stmt, kept: list[Entry]) -> None:
    rows = _rows_of(statement)
    assert rows is not None
    names = {entry.key for entry in kept}
    keys = [key for key in rows.keys if key is not None]
    ends = [*(source.start(key) for key in keys[1:]), source.end(rows) - 1]
    for key, end in zip(keys, ends, strict=True):
        if key not in names:
            source.replace(source.start(key), end, "")


def find_tables(tree: ast.Module) -> list[Table]:
    """Return the tables of a module.

    Parameters
    ----------
    tree : ast.Module
        The module.

    Returns
    -------
    list of Table
        Those of the classes that derive from `BaseBridge`, or `Bridge`, themselves.
    """
    found = []
    uses = Counter(each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute))
    texts = Counter(each.value for each in ast.walk(tree) if isinstance(each, ast.Constant))
    for cls in [each for each in tree.body if isinstance(each, ast.ClassDef)]:
        base = next((each for each in cls.bases if _is_base(each)), None)
        methods = [each for each in cls.body if isinstance(each, Function)]
        register = next((each for each in methods if each.name == "_register_handlers"), None)
        if base is None or not isinstance(register, ast.FunctionDef):
            continue
        table = Table(cls, base, register, _entries(register))
        table.attributes = _attributes_of(cls)
        defined = {name for each in tree.body if each is not cls for name in _methods_in(each)}
        for entry in table.entries:
            _find_method(entry, table, methods, defined)
            if entry.method is None:
                continue
            method = entry.method.name
            # By name too: `getattr(self, "_handle_x")`.
            if uses[method] > 1 or texts[method] > (method == entry.name):
                entry.method, entry.why = None, f"{method} is used elsewhere too"
        found.append(table)
        initialize = [each for each in methods if each.name == "_initialize_framework"]
        is_free = uses["_initialize_framework"] == 0 and "setup" not in table.attributes
        if len(initialize) == 1 and isinstance(initialize[0], ast.FunctionDef) and is_free:
            table.initialize = initialize[0]
    return found


def _is_base(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)
    return name in ("BaseBridge", "Bridge")


def _methods_in(statement: ast.stmt) -> list[str]:
    return [each.name for each in ast.walk(statement) if isinstance(each, Function)]


def _attributes_of(cls: ast.ClassDef) -> set[str]:
    names = set()
    for node in ast.walk(cls):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names.add(node.attr)
        elif isinstance(node, Function | ast.ClassDef):
            names.add(node.name)
    # What a method calls by its bare name is no attribute.
    for statement in [each for each in cls.body if not isinstance(each, Function)]:
        names |= {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}
    return names


def _entries(register: ast.FunctionDef) -> list[Entry]:
    entries = []
    for statement in register.body:
        rows = _rows_of(statement)
        if rows is not None:
            for key, value in zip(rows.keys, rows.values, strict=True):
                entries.append(Entry(_text_of(key), value, statement, key))
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if not isinstance(target, ast.Subscript) or not _is_text(target.slice):
                continue
            if _is_handlers(target.value):
                entries.append(Entry(_text_of(target.slice), statement.value, statement))
    return entries


def _rows_of(statement: ast.stmt) -> ast.Dict | None:
    """Return the dict of ``self._handlers.update({…})`` or ``self._handlers |= {…}``."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.BitOr):
        rows: ast.expr | None = statement.value if _is_handlers(statement.target) else None
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        is_update = isinstance(call.func, ast.Attribute) and call.func.attr == "update"
        is_ours = is_update and _is_handlers(getattr(call.func, "value", None))
        rows = call.args[0] if is_ours and len(call.args) == 1 and not call.keywords else None
    else:
        return None
    # Rows whose names are not written there stay as they are, and with them the statement.
    return rows if isinstance(rows, ast.Dict) and all(map(_is_text, rows.keys)) else None


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _text_of(node: ast.expr | None) -> str:
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, str)
    return node.value


def _is_handlers(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "self._handlers"


def _find_method(entry: Entry, table: Table, methods: list[Function], defined: set[str]) -> None:
    value = entry.value
    names = [each.name for each in table.entries]
    handlers = [ast.dump(each.value) for each in table.entries]
    if names.count(entry.name) > 1:
        entry.why = "it is registered twice"
    elif handlers.count(ast.dump(value)) > 1:
        entry.why = "its handler has several operations"
    elif not isinstance(value, ast.Attribute) or ast.unparse(value.value) != "self":
        entry.why = "its handler is no method"
    else:
        found = [each for each in methods if each.name == value.attr]
        entry.why = _lack_of(value.attr, found, defined)
        entry.method = found[-1] if entry.why == "" else None


def _lack_of(name: str, found: list[Function], defined: set[str]) -> str:
    if not found:
        return f"{name} is not defined in its class"
    if hasattr(Bridge, name) or name in INSTANCE_NAMES:
        return f"{name} is what every bridge has"
    if name in defined:
        return f"{name} is defined in another class too"
    method = found[-1]
    given = method.args
    is_usual = len(given.args) == 2 and not given.defaults and given.args[1].arg != "ctx"
    if method.decorator_list:
        return f"{name} has a decorator"
    if not is_usual or given.posonlyargs or given.kwonlyargs or given.vararg or given.kwarg:
        return f"{name} does not take self and its arguments"
    return ""


def _is_idle(statement: ast.stmt) -> bool:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_text or isinstance(statement, ast.Pass) or _is_super_call(statement)


def _is_super_call(statement: ast.stmt) -> bool:
    return ast.unparse(statement) == "super()._register_handlers()"
