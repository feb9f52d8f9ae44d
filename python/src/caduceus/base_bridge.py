"""What does every bridge have in common?

The table of operations, the four that every bridge answers, and the counters. Under a runtime, how
calls arrive and replies leave is the worker's question; `run` serves a bridge that is run by hand.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, cast

from caduceus._errors import BridgeError
from caduceus._handlers import DescribedHandler, is_batched, is_generator

if TYPE_CHECKING:
    from caduceus._standalone import Wire

Handler = Callable[[dict[str, Any]], object]


class BaseBridge(ABC):
    """The base class of all bridges: a framework behind a table of named operations.

    A subclass adds its operations in `_register_handlers`, sets up its framework in
    `_initialize_framework`, and describes it in `get_framework_info`.

    Parameters
    ----------
    mode : str, default "standalone"
        How the process is used; ``"pool-worker"`` under a pool.
    worker_id : str, optional
        The name of the worker, as the operator sees it.

    Attributes
    ----------
    execution : {"sync", "threads", "asyncio"}
        How the worker runs the handlers: one at a time in the main thread; several at a time in
        threads; or as tasks of one event loop. To be set by a subclass, as a class attribute.
    concurrency : int or None
        How many calls run at a time, unless Node asks for fewer. None is 1 for ``"sync"``, where it
        is always 1, and 8 for the other two.
    mode : str
        As given.
    worker_id : str or None
        As given.
    start_time : float
        When the bridge was made, in seconds since the epoch.
    command_count, error_count : int
        How many commands arrived, and how many of them failed.
    lock : threading.Lock
        Guards the counters.
    shutdown_requested : bool
        Whether the ``shutdown`` operation has been called. The worker ends after that reply.

    Examples
    --------
    >>> class Greeter(BaseBridge):
    ...     def _register_handlers(self):
    ...         self._handlers["greet"] = lambda args: f"Hello, {args['name']}"
    ...
    ...     def _initialize_framework(self):
    ...         pass
    ...
    ...     def get_framework_info(self):
    ...         return {"name": "greeter", "version": "1.0.0", "capabilities": []}
    >>> Greeter().handle_command("greet", {"name": "Ada"})
    'Hello, Ada'
    """

    execution: str = "sync"
    concurrency: int | None = None

    def __init__(self, mode: str = "standalone", worker_id: str | None = None) -> None:
        self.mode = mode
        self.worker_id = worker_id
        self.start_time = time.time()
        self.command_count = 0
        self.error_count = 0
        self.lock = threading.Lock()
        self.shutdown_requested = False
        self._handlers: dict[str, Handler] = {
            "ping": self._handle_ping,
            "get_stats": self._handle_get_stats,
            "shutdown": self._handle_shutdown,
            "get_capabilities": self._handle_get_capabilities,
        }
        self._wire: Wire | None = None
        with _quiet_stdout() if type(self).__module__ == "__main__" else nullcontext():
            self._register_handlers()
            self._initialize_framework()

    @abstractmethod
    def _register_handlers(self) -> None:
        """Add operations to ``self._handlers``; runs before `_initialize_framework`."""

    @abstractmethod
    def _initialize_framework(self) -> None:
        """Import and set up the framework."""

    @abstractmethod
    def get_framework_info(self) -> dict[str, Any]:
        """Describe the framework.

        Returns
        -------
        dict
            ``name``, ``version`` and ``capabilities`` (a list of str).
        """

    def handle_command(self, command: str, args: dict[str, Any]) -> object:
        """Run the operation `command` and return its result.

        Parameters
        ----------
        command : str
            The name of an operation.
        args : dict
            Its arguments.

        Returns
        -------
        object
            What the handler returned.

        Raises
        ------
        BridgeError
            With code ``unknown_operation`` or ``invalid_arguments``. Whatever else the handler
            raises is passed on.
        """
        with self.lock:
            self.command_count += 1
        try:
            handler = self._handlers.get(command)
            if handler is None:
                supported = ", ".join(self._handlers)
                raise BridgeError(
                    f"unknown operation {command!r}; supported: {supported}",
                    code="unknown_operation",
                )
            if not isinstance(args, dict):
                raise BridgeError(
                    f"the arguments of {command} must be an object, not {type(args).__name__}",
                    code="invalid_arguments",
                )
            return handler(args)
        except BaseException:
            self.count_error()
            raise

    def is_batched(self, command: str) -> bool:
        """Say whether the operation `command` takes several calls at once.

        Parameters
        ----------
        command : str
            The name of an operation, or of none.

        Returns
        -------
        bool
            True if its handler was decorated with `batched`.
        """
        return is_batched(self._handlers.get(command))

    def handle_batch(self, command: str, calls: list[dict[str, Any]]) -> object:
        """Run the operation `command`, which `is_batched`, for several calls at once.

        Failures are counted by the worker, since each call may have its own.

        Parameters
        ----------
        command : str
            The name of an operation.
        calls : list of dict
            The arguments of each.

        Returns
        -------
        object
            What the handler returned. Whatever it raises is passed on.
        """
        with self.lock:
            self.command_count += len(calls)
        handler: Callable[[list[dict[str, Any]]], object] = cast("Any", self._handlers[command])
        return handler(calls)

    def count_error(self) -> None:
        """Count one failed command.

        `handle_command` does so for what it raises; the worker does for what fails later, in a
        coroutine or a generator that a handler has returned.
        """
        with self.lock:
            self.error_count += 1

    def operation_schemas(self) -> dict[str, Any]:
        """Say more of single operations than their names.

        Returns
        -------
        dict
            For each operation that there is more to say of, a JSON object. Generators have
            ``{"stream": True}``, batched handlers ``{"batch": True}``; what has hints says ``args``
            and ``result`` too. A subclass may add what it likes; callers are told when it changes.
        """
        schemas: dict[str, Any] = {}
        for name, handler in self._handlers.items():
            if isinstance(handler, DescribedHandler):
                schemas[name] = handler.describe()
            elif is_generator(handler):
                schemas[name] = {"stream": True}
            elif is_batched(handler):
                schemas[name] = {"batch": True}
        return schemas

    def supported_operations(self) -> list[str]:
        """Return the names of all operations.

        Returns
        -------
        list of str
            In the order of their registration.
        """
        return list(self._handlers)

    def run(self) -> None:
        """Serve commands on stdin and stdout, in protocol version 1, until the input ends.

        For a file that is run by hand, or by a runtime with ``protocol: 'v1'``. A command that
        fails is answered with ``error``, ``error_type`` and ``traceback``, and so is a message that
        cannot be read. After ``shutdown`` has been answered it returns. What is printed meanwhile
        goes to stderr.
        """
        # A worker never comes here, and pays for none of it.
        from caduceus._standalone import claim_stdio, serve

        cls = type(self)
        self._wire = claim_stdio(
            is_read_elsewhere=cls._read_message is not BaseBridge._read_message,
            is_written_elsewhere=cls._write_message is not BaseBridge._write_message,
        )
        serve(self)

    def _read_message(self) -> dict[str, Any] | None:
        """Return the next message of `run`; None at the end of the input. May be overridden."""
        return cast("dict[str, Any] | None", self._running_wire().read())

    def _write_message(self, message: dict[str, Any]) -> None:
        """Write one reply of `run`. May be overridden."""
        self._running_wire().write(message)

    def _running_wire(self) -> Wire:
        if self._wire is None:
            raise BridgeError("there is nobody to talk to: the bridge does not run by hand")
        return self._wire

    def _handle_ping(self, _args: dict[str, Any]) -> dict[str, Any]:
        now = time.time()
        return {
            "status": "ok",
            "timestamp": now,
            "uptime": now - self.start_time,
            "mode": self.mode,
            "worker_id": self.worker_id,
            "framework": self.get_framework_info(),
        }

    def _handle_get_stats(self, _args: dict[str, Any]) -> dict[str, Any]:
        return {
            "command_count": self.command_count,
            "error_count": self.error_count,
            "uptime": time.time() - self.start_time,
            "framework": self.get_framework_info(),
        }

    def _handle_shutdown(self, _args: dict[str, Any]) -> dict[str, Any]:
        self.shutdown_requested = True
        return {"status": "shutting_down", "worker_id": self.worker_id, "mode": self.mode}

    def _handle_get_capabilities(self, _args: dict[str, Any]) -> dict[str, Any]:
        return {
            "framework": self.get_framework_info(),
            "supported_operations": self.supported_operations(),
            "operations": self.operation_schemas(),
            "mode": self.mode,
        }


def _quiet_stdout() -> AbstractContextManager[None]:
    """Keep what a framework prints at its import off a stdout that is going to be the wire."""
    from caduceus._standalone import printing_to_stderr

    return printing_to_stderr()
