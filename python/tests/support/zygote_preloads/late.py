"""How does a hazard come up after an import that was harmless? A signal opens a connection."""

import signal
import socket

kept: list[tuple[socket.socket, socket.socket]] = []

signal.signal(signal.SIGUSR2, lambda *_: kept.append(socket.socketpair()))
