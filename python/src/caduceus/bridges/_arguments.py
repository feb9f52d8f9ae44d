"""Are the arguments of an operation what the operation takes?

One table per operation, one check for all of them, so that every refusal reads the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    dict: "an object",
}


@dataclass(frozen=True, slots=True)
class Argument:
    """What an operation takes under one name.

    Attributes
    ----------
    kinds : tuple of type
        The Python types allowed. ``float`` stands for any number, ``object`` for anything.
    is_required : bool
        Whether it must be there and not null.
    minimum : float or None
        The smallest number allowed.
    """

    kinds: tuple[type, ...]
    is_required: bool = False
    minimum: float | None = None


def check_arguments(op: str, args: Mapping[str, Any], expected: Mapping[str, Argument]) -> None:
    """Refuse arguments that an operation does not take. Null is the same as absent.

    Parameters
    ----------
    op : str
        The operation, for the message.
    args : mapping
        What came.
    expected : mapping of str to Argument
        What the operation takes.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``. The message names arguments and types, never values: one of
        them may be a key.
    """
    unknown = [name for name in args if name not in expected]
    if unknown:
        taken = ", ".join(expected) or "nothing"
        raise invalid(f"{op} does not take {', '.join(unknown)}; it takes {taken}")
    for name, argument in expected.items():
        value = args.get(name)
        if value is None:
            if argument.is_required:
                raise invalid(f"{op} needs {name} ({_describe(argument)})")
        elif not _is_of(value, argument.kinds):
            raise invalid(f"{op}: {name} must be {_describe(argument)}, not {type(value).__name__}")
        elif argument.is_required and value == "":
            raise invalid(f"{op}: {name} must not be empty")
        elif argument.minimum is not None and value < argument.minimum:
            raise invalid(f"{op}: {name} must be at least {argument.minimum:g}, not {value}")


def invalid(message: str) -> BridgeError:
    """Return the error for arguments that cannot be used.

    Parameters
    ----------
    message : str
        What is wrong.

    Returns
    -------
    BridgeError
        With code ``invalid_arguments``; raise it.
    """
    return BridgeError(message, code="invalid_arguments")


def _is_of(value: object, kinds: tuple[type, ...]) -> bool:
    if object in kinds:
        return True
    if isinstance(value, bool):
        # A bool is an int to Python, but not to anyone who calls from elsewhere.
        return bool in kinds
    return isinstance(value, kinds) or (float in kinds and isinstance(value, int))


def _describe(argument: Argument) -> str:
    return " or ".join(_NAMES.get(kind, kind.__name__) for kind in argument.kinds)
