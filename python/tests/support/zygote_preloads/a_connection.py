"""How does an import leave a connection open?"""

import socket

connection, other = socket.socketpair()
