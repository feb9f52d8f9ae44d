"""What does it cost Python to give bytes back, with nothing around it? Used by raw-bytes.ts."""

import socket
import struct
import sys

length = struct.Struct(">Q")
calls, replies = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
calls.connect(sys.argv[1])
replies.connect(sys.argv[1])
while chunk := calls.recv(65536):
    end = length.size + length.unpack_from(chunk)[0]
    if len(chunk) < end:
        whole = bytearray(end)
        view, filled = memoryview(whole), len(chunk)
        view[:filled] = chunk
        while filled < end:
            filled += calls.recv_into(view[filled:])
        replies.sendall(view)
    else:
        replies.sendall(chunk)
