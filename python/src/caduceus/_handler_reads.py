"""Which arguments does a handler of a table read, and could they be its parameters?"""

from __future__ import annotations

import ast
import keyword
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caduceus._source_edits import Source

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Assign = ast.Assign | ast.AnnAssign

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))  # the second since Python 3.11
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPOUND = (*_LOOPS, *_TRIES, ast.If, ast.With, ast.AsyncWith, ast.Match)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class NotParametersError(Exception):
    """The reads of a handler cannot become parameters; the message says why."""


@dataclass(slots=True)
class Read:
    """One argument that a handler reads.

    Attributes
    ----------
    name : str
        Its name.
    places : list of ast.expr
        The expressions that read it.
    default : ast.expr or None
        What is taken where it is absent; None where it must be there.
    is_required : bool
        Whether the handler fails without it.
    assigned : ast.Assign or ast.AnnAssign or None
        The statement that gives it to a variable of the same name.
    """

    name: str
    places: list[ast.expr] = field(default_factory=list)
    default: ast.expr | None = None
    is_required: bool = False
    assigned: _Assign | None = None

    @property
    def is_plain(self) -> bool:
        """Say whether its default may be that of a parameter: nobody can change it."""
        return self.default is None or _is_constant(self.default)


def reads_of(function: Function, args: str, source: Source) -> list[Read]:
    """Return what a handler reads of its arguments, the required ones first.

    Parameters
    ----------
    function : ast.FunctionDef or ast.AsyncFunctionDef
        The handler.
    args : str
        What it calls the dict of its arguments.
    source : Source
        The text in which it stands.

    Returns
    -------
    list of Read
        In the order in which they are read.

    Raises
    ------
    NotParametersError
        If the dict is used in another way, or a parameter would not mean the same.
    """
    reads: dict[str, Read] = {}
    unconditional = set(_unconditional(function))
    known: set[ast.expr] = set()
    certain: set[str] = set()
    for node in _in_order(function):
        found = _read_in(node, args)
        if found is None:
            continue
        name, holder, default = found
        read = reads.setdefault(name, Read(name, default=default, is_required=default is None))
        if read.is_required != (default is None) or not _same(read.default, default):
            raise NotParametersError(f"{name} is read in two ways")
        read.places.append(node)
        known.add(holder)
        if node in unconditional:
            certain.add(name)
    for use in ast.walk(function):
        if isinstance(use, ast.arg) and use.arg == args and use not in function.args.args:
            raise NotParametersError(f"{args} means something else in line {use.lineno}")
        if isinstance(use, ast.Name) and use.id == args and use not in known:
            raise NotParametersError(f"{args} is used in line {use.lineno} as a whole")
    for read in reads.values():
        if read.is_required and read.name not in certain:
            raise NotParametersError(f"{read.name} is not always read")
        _check_place(read, function, source)
    return sorted(reads.values(), key=lambda each: not each.is_required)


def _check_place(read: Read, function: Function, source: Source) -> None:
    """Refuse what would mean something else as a parameter."""
    name = read.name
    if not name.isidentifier() or keyword.iskeyword(name) or name in ("self", "ctx"):
        raise NotParametersError(f"{name!r} cannot be the name of a parameter")
    if read.default is not None and not _is_repeatable(read.default):
        raise NotParametersError(f"the default of {name} is made anew at each call")
    places = [(place.lineno, place.col_offset) for place in read.places]
    if len(set(places)) < len(places) or not all(map(source.is_where_it_says, read.places)):
        raise NotParametersError(f"{name} is read inside of a formatted string")
    for statement in function.body:
        if _assigns(statement, read) and source.stands_alone(statement):
            assert isinstance(statement, ast.Assign | ast.AnnAssign)
            read.assigned = statement
            break
    uses = Counter(_bindings(function))
    names = [each for each in ast.walk(function) if isinstance(each, ast.Name)]
    loads = {each.id for each in names if isinstance(each.ctx, ast.Load)}
    if read.assigned is not None:
        uses[name] -= 1
    elif name in loads:
        raise NotParametersError(f"{name} means something else there")
    if uses[name] > 0:
        raise NotParametersError(f"{name} is assigned there")


def _assigns(statement: ast.stmt, read: Read) -> bool:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return False
    is_same = isinstance(target, ast.Name) and target.id == read.name
    return is_same and statement.value in read.places


def _read_in(node: ast.AST, args: str) -> tuple[str, ast.expr, ast.expr | None] | None:
    """Return the name, the dict and the default of ``args["x"]`` or ``args.get("x", default)``."""
    if isinstance(node, ast.Subscript):
        holder, key = node.value, node.slice
        if not isinstance(node.ctx, ast.Load):
            return None
        default = None
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr != "get" or node.keywords or len(node.args) not in (1, 2):
            return None
        holder, key = node.func.value, node.args[0]
        default = node.args[1] if len(node.args) > 1 else ast.Constant(None)
    else:
        return None
    if not isinstance(holder, ast.Name) or holder.id != args:
        return None
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return None
    return key.value, holder, default


def _same(one: ast.expr | None, other: ast.expr | None) -> bool:
    if one is None or other is None:
        return one is other
    return ast.dump(one) == ast.dump(other)


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Constant)


def _is_repeatable(node: ast.expr) -> bool:
    """Say whether it may be evaluated later, or not at all, without a difference."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(map(_is_repeatable, node.elts))
    if isinstance(node, ast.Dict):
        return all(each is not None and _is_repeatable(each) for each in (*node.keys, *node.values))
    return _is_constant(node)


def _bindings(function: Function) -> Iterator[str]:
    """Yield every name that something in the function is given to, as often as that is so."""
    for node in ast.walk(function):
        if node is function:
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names
        else:
            bound = getattr(node, "rest", None) or getattr(node, "name", None)
            if isinstance(bound, str):
                yield bound


def _in_order(function: Function) -> list[ast.expr]:
    found = [each for each in ast.walk(function) if isinstance(each, ast.expr)]
    return sorted(found, key=lambda each: (each.lineno, each.col_offset))


def _unconditional(function: Function) -> Iterator[ast.expr]:
    """Yield the expressions that are evaluated at every call, whatever it brings."""
    yield from _always_in_block(function.body)


def _always_in_block(statements: list[ast.stmt]) -> Iterator[ast.expr]:
    for statement in statements:
        yield from _always_in(statement)
        if isinstance(statement, _COMPOUND) and _may_return(statement):
            return


def _may_return(statement: ast.stmt) -> bool:
    return any(isinstance(each, ast.Return) for each in ast.walk(statement))


def _always_in(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.expr):
        yield node
    if isinstance(node, ast.With | ast.AsyncWith) and not _may_swallow(node):
        yield from _always_in_block(node.body)
    for part in _certain_parts(node):
        yield from _always_in(part)


def _certain_parts(node: ast.AST) -> list[ast.AST]:
    parts: list[ast.AST]
    if isinstance(node, (*_SCOPES, *_TRIES, ast.Match, ast.Assert)):
        parts = []  # a `try` may have caught what is missing
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        parts = [node.test]
    elif isinstance(node, ast.For | ast.AsyncFor):
        parts = [node.iter]
    elif isinstance(node, _COMPREHENSIONS):
        parts = [node.generators[0].iter]
    elif isinstance(node, ast.BoolOp):
        parts = [node.values[0]]
    elif isinstance(node, ast.Compare):
        parts = [node.left, node.comparators[0]]
    elif isinstance(node, ast.With | ast.AsyncWith):
        parts = list(node.items)
    else:
        parts = list(ast.iter_child_nodes(node))
    return parts


def _may_swallow(node: ast.With | ast.AsyncWith) -> bool:
    """Say whether a ``with`` may go on where something is missing: `contextlib.suppress`."""
    return any("suppress" in ast.dump(item.context_expr) for item in node.items)
