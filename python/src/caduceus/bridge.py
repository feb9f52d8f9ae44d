"""How is a bridge written as a class whose methods are its operations?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from caduceus._handlers import OPERATION_MARK, is_coroutine
from caduceus.base_bridge import BaseBridge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Function = TypeVar("Function")

StateChange = Literal["configure", "create", "update", "delete"]

_INSTANCE_ATTRIBUTES = frozenset(
    (
        *("mode", "worker_id", "start_time", "command_count", "error_count", "lock"),
        "shutdown_requested",
    )
)

_CHANGES = ("configure", "create", "update", "delete")


@overload
def operation(function: Function, /) -> Function: ...


@overload
def operation(
    *,
    name: str | None = None,
    change: StateChange | None = None,
    key: str | None = None,
    idempotent: bool | None = None,
    description: str | None = None,
) -> Callable[[Function], Function]: ...


def operation(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    change: StateChange | None = None,
    key: str | None = None,
    idempotent: bool | None = None,
    description: str | None = None,
) -> Any:
    """Declare that a method of a `Bridge` is an operation.

    Its parameters are the arguments, by name; its hints say what they are. Arguments are checked
    and built before it runs, and its result is checked after it. It may be ``async def``, a
    generator (which streams), an asynchronous generator, or `batched`.

    Parameters
    ----------
    function : callable
        The method, or a function of a module. Without options, ``@operation`` is enough.
    name : str, optional
        What callers call it. Default: the method's name.
    change : {"configure", "create", "update", "delete"}, optional
        What it does to the state of its scope.
    key : str, optional
        The argument that names the thing that it creates, updates or deletes.
    idempotent : bool, optional
        Whether running it twice is as good as once.
    description : str, optional
        What it is for. Default: the first paragraph of its docstring.

    Returns
    -------
    callable
        The same function.

    Raises
    ------
    TypeError
        If the options contradict each other.

    Examples
    --------
    >>> class Words(Bridge):
    ...     @operation
    ...     def count(self, text: str) -> int:
    ...         return len(text.split())
    >>> Words().handle_command("count", {"text": "one two"})
    2
    """
    options = {
        "name": name,
        "change": change,
        "key": key,
        "idempotent": idempotent,
        "description": description,
    }
    if change is not None and change not in _CHANGES:
        raise TypeError(f"operation: change must be one of {', '.join(_CHANGES)}, not {change!r}")
    if change not in (None, "configure") and key is None:
        raise TypeError(f"operation: key is needed: the argument that names what it {change}s")

    def mark(marked: Any) -> Any:  # noqa: ANN401 - any function, and back it goes
        if not callable(marked):
            raise TypeError(f"operation decorates a method, not a {type(marked).__name__}")
        setattr(marked, OPERATION_MARK, options)
        return marked

    return mark if function is None else mark(function)


class Bridge(BaseBridge):
    """A bridge whose operations are its methods with `operation`.

    Parameters
    ----------
    mode : str, default "standalone"
        See `BaseBridge`.
    worker_id : str, optional
        See `BaseBridge`.

    Attributes
    ----------
    name : str
        What it is called. Default: the class's name in snake case, without ``_bridge``.
    version : str
        Its version.
    capabilities : sequence of str
        What it can do, in words for people.

    Examples
    --------
    >>> class Greeter(Bridge):
    ...     version = "1.0.0"
    ...
    ...     @operation
    ...     def greet(self, name: str, *, loud: bool = False) -> str:
    ...         return f"Hello, {name}{'!' if loud else ''}"
    >>> bridge = Greeter()
    >>> bridge.get_framework_info()
    {'name': 'greeter', 'version': '1.0.0', 'capabilities': []}
    >>> bridge.handle_command("greet", {"name": "Ada", "loud": True})
    'Hello, Ada!'
    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = "0"
    capabilities: ClassVar[Sequence[str]] = ()

    def __init_subclass__(cls, **more: Any) -> None:  # noqa: ANN401 - the class's own keywords
        """Refuse a class whose operations would take the place of what a bridge is made of."""
        super().__init_subclass__(**more)
        if is_coroutine(cls.setup):
            raise TypeError(f"{cls.__name__}.setup must not be async: nothing runs before it")
        taken = [
            attribute
            for attribute, _options in _marked(cls)
            if hasattr(Bridge, attribute) or attribute in _INSTANCE_ATTRIBUTES
        ]
        if taken:
            raise TypeError(
                f"{cls.__name__}.{taken[0]} is what every bridge has; call the method otherwise, "
                f'and give the operation its name: @operation(name="{taken[0]}")'
            )

    def setup(self) -> None:
        """Import and load what the operations need; runs once for each process."""

    def get_framework_info(self) -> dict[str, Any]:
        """Describe the bridge.

        Returns
        -------
        dict
            ``name``, ``version`` and ``capabilities``, from the class's attributes.
        """
        return {
            "name": self.name or snake_case(type(self).__name__),
            "version": self.version,
            "capabilities": list(self.capabilities),
        }

    def _register_handlers(self) -> None:
        # Looking at signatures and hints needs modules that a table of handlers does not.
        from caduceus._operations import OperationHandler

        attributes: dict[str, str] = {}
        for attribute, options in _marked(type(self)):
            name = options["name"] or attribute
            if name in attributes:
                raise TypeError(f"operation {name}: {attributes[name]} and {attribute} are both it")
            attributes[name] = attribute
            self._handlers[name] = OperationHandler(name, getattr(self, attribute), options)

    def _initialize_framework(self) -> None:
        self.setup()


def snake_case(class_name: str) -> str:
    """Return what a bridge is called by its class: ``word_count`` for ``WordCountBridge``.

    Parameters
    ----------
    class_name : str
        The name of a class.

    Returns
    -------
    str
        In snake case, without ``_bridge`` at its end.
    """
    import re  # a worker does without it until it needs a name

    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name).lower()
    return words.removesuffix("_bridge").strip("_") or words


def _marked(cls: type) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the operations of a class in the order of their definition.

    A method that takes the place of an operation is one too, with the options that it had.
    """
    seen = set()
    for base in reversed(cls.__mro__):
        for attribute, value in vars(base).items():
            if attribute in seen or not hasattr(value, OPERATION_MARK):
                continue
            seen.add(attribute)
            holders = [vars(each).get(attribute) for each in cls.__mro__ if attribute in vars(each)]
            if holders[0] is None:
                continue  # taken back: `count = None`
            options = next(
                getattr(holder, OPERATION_MARK)
                for holder in holders
                if hasattr(holder, OPERATION_MARK)
            )
            yield attribute, options
