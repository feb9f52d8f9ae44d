"""How does the process get its five connections, and who holds them?

The only file that opens, moves or closes descriptors. `docs/protocol.md` §1 is the norm.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TextIO

from caduceus._frames import FrameDecoder, FrameError, Message, encode_frame

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

VARIABLE = "CADUCEUS_WORKER"
"""The environment variable that starts a worker."""

# Python allocates a buffer of this size for every read: at 256 KiB that alone costs 40 µs a call.
_READ_BYTES = 64 * 1024
_PARTS_MAX = 1024  # what the kernel takes in one system call (IOV_MAX of Linux and macOS)
_CONNECT_TIMEOUT_S = 10.0


class StartError(Exception):
    """The process cannot become a worker; the message says why."""


class Invitation(NamedTuple):
    """Where to connect to, and the proof that one may.

    Attributes
    ----------
    socket_path : str
        The path of Node's listening unix socket.
    nonce : str
        Good for this process only.
    parent_pid : int or None
        The process whose death must be this one's; 0 is whoever has forked it. None if the kernel
        is not to be asked.
    """

    socket_path: str
    nonce: str
    parent_pid: int | None = None


def take_invitation(environ: MutableMapping[str, str]) -> Invitation:
    """Read the invitation and remove it, so that no child process can use it.

    Parameters
    ----------
    environ : mutable mapping of str to str
        The environment of the process.

    Returns
    -------
    Invitation
        What ``CADUCEUS_WORKER`` said.

    Raises
    ------
    StartError
        If the variable is missing or malformed.
    """
    text = environ.pop(VARIABLE, None)
    if text is None:
        raise StartError(f"{VARIABLE} is not set: this program is started by Caduceus, not by hand")
    try:
        found = json.loads(text)
        path, nonce, parent_pid = found["socket"], found["nonce"], found.get("parentPid")
    except (ValueError, TypeError, KeyError) as error:
        raise StartError(f"{VARIABLE} is malformed: {type(error).__name__}: {error}") from error
    if not isinstance(path, str) or not isinstance(nonce, str):
        raise StartError(f"{VARIABLE} is malformed: socket and nonce must be strings")
    if parent_pid is not None and (type(parent_pid) is not int or parent_pid < 0):
        raise StartError(f"{VARIABLE} is malformed: parentPid must be a process or null")
    return Invitation(path, nonce, parent_pid)


class Lane:
    """One framed connection. Each direction is one thread's at a time; who shares it locks.

    Parameters
    ----------
    connection : socket.socket
        Connected, blocking, introduced by its first frame.
    """

    __slots__ = ("_connection", "_is_stopped", "_waiting", "decoder")

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._is_stopped = False
        self._waiting: deque[Message] = deque()
        self.decoder = FrameDecoder()

    def fileno(self) -> int:
        """Return the descriptor, for waiting until there is something to receive."""
        return self._connection.fileno()

    def receive(self) -> Message | None:
        """Return the next message, waiting for it as long as it takes.

        Returns
        -------
        tuple of dict and sequence of memoryview, or None
            The header and its segments; None at the end of the stream.

        Raises
        ------
        FrameError
            If the bytes are not the protocol's, or the stream ends inside a frame.
        OSError
            If the connection is broken.
        """
        waiting = self._waiting
        while not waiting:
            space = self.decoder.space
            if space is not None:
                # The rest of a large frame goes where it will stay.
                count = self._connection.recv_into(space, 0, socket.MSG_WAITALL)
                message = self.decoder.filled(count) if count else None
                if message is not None:
                    return message
            else:
                data = self._connection.recv(_READ_BYTES)
                count = len(data)
                if count:
                    waiting.extend(self.decoder.receive_bytes(data))
            if not count:
                # Stopped by this side, the rest of a frame is not waited for.
                if self.decoder.is_between_frames or self._is_stopped:
                    return None
                raise FrameError("the stream ends inside a frame")
        return waiting.popleft()

    def receive_nowait(self) -> Message | None:
        """Return the next message if it has been read and decoded already, else None."""
        return self._waiting.popleft() if self._waiting else None

    def send(self, parts: bytes | Sequence[bytes | memoryview]) -> None:
        """Write one message, all of it.

        Parameters
        ----------
        parts : bytes, or sequence of bytes or memoryview
            As made by `encode_frame` or `encode_message`.

        Raises
        ------
        OSError
            If the connection is broken or closed.
        """
        if isinstance(parts, bytes):
            self._connection.sendall(parts)
        elif len(parts) == 1:
            self._connection.sendall(parts[0])
        else:
            self._send_many(parts)

    def _send_many(self, parts: Sequence[bytes | memoryview]) -> None:
        views = [memoryview(part).cast("B") for part in parts if len(part)]
        first = 0
        while first < len(views):
            sent = self._connection.sendmsg(views[first : first + _PARTS_MAX])
            while first < len(views) and sent >= len(views[first]):
                sent -= len(views[first])
                first += 1
            if sent:
                views[first] = views[first][sent:]

    def stop_receiving(self) -> None:
        """Make a `receive` that waits in another thread return None, also inside a frame."""
        self._is_stopped = True
        # Where the other end was faster, the waiting thread has seen the end already.
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Close this process's descriptor; another process that has the connection keeps it."""
        self._connection.close()


class Lanes(NamedTuple):
    """The framed connections of a worker, named as in the protocol."""

    control: Lane
    calls: Lane
    replies: Lane

    def close(self) -> None:
        """Close all three; in a forked child, whose life is not the worker's."""
        self.control.close()
        self.calls.close()
        self.replies.close()


def open_lanes(invitation: Invitation) -> Lanes:
    """Open the five connections and put descriptors 0, 1 and 2 where they belong.

    After it, standard input is the null device, everything that this process, a C library in it or
    a grandchild prints goes to the output lanes, and a forked child does not hold the framed lanes.

    Parameters
    ----------
    invitation : Invitation
        From `take_invitation`.

    Returns
    -------
    Lanes
        The framed connections.

    Raises
    ------
    StartError
        If the socket cannot be reached within ten seconds.
    """
    lanes = Lanes(
        control=Lane(connect(invitation, "control")),
        calls=Lane(connect(invitation, "calls")),
        replies=Lane(connect(invitation, "replies")),
    )
    output = connect(invitation, "stdout")
    errors = connect(invitation, "stderr")
    _take_over_standard_streams(output, errors)
    os.register_at_fork(after_in_child=lanes.close)
    return lanes


def connect(invitation: Invitation, lane: str) -> socket.socket:
    """Open one connection and introduce it; it is not inheritable across `exec`.

    Parameters
    ----------
    invitation : Invitation
        From `take_invitation`.
    lane : str
        Its name in the protocol.

    Returns
    -------
    socket.socket
        Connected and blocking.

    Raises
    ------
    StartError
        If the socket cannot be reached within ten seconds.
    """
    # Python's sockets are not inheritable across exec unless asked to be.
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_CONNECT_TIMEOUT_S)
        connection.connect(invitation.socket_path)
        connection.sendall(encode_frame({"type": "lane", "nonce": invitation.nonce, "lane": lane}))
        connection.settimeout(None)
    except OSError as error:
        connection.close()
        raise StartError(
            f"cannot open the {lane} lane at {invitation.socket_path}: {error}"
        ) from error
    return connection


def _take_over_standard_streams(output: socket.socket, errors: socket.socket) -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if null != 0:
        os.close(null)
    # dup2 makes its copies inheritable: grandchildren print to the same lanes.
    for number, connection in ((1, output), (2, errors)):
        os.dup2(connection.fileno(), number)
        connection.close()
    sys.stdout = _line_buffered(sys.stdout, 1)
    sys.stderr = _line_buffered(sys.stderr, 2)


def _line_buffered(stream: TextIO | None, descriptor: int) -> TextIO:
    """Return `stream`, made to send each line as it ends and never to fail for a character."""
    reconfigure = getattr(stream, "reconfigure", None)
    if stream is None or reconfigure is None:
        # The process was started without this descriptor.
        return open(
            descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )
    reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return stream
