"""What does the Python side of an echo cost with nothing around it? Used by raw-echo.ts."""

import json
import socket
import struct
import sys
import time

lengths = struct.Struct(">II")
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
calls, replies = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
calls.connect(sys.argv[1])
replies.connect(sys.argv[1])
buffer = b""
while data := calls.recv(65536):
    buffer, offset, answers = buffer + data, 0, []
    while (start := offset + 8) <= len(buffer):
        if (end := start + lengths.unpack_from(buffer, offset)[0]) > len(buffer):
            break
        call = json.loads(buffer[start:end])
        result = call["args"] if call["op"] == "echo" else time.process_time()
        body = encode({"type": "reply", "id": call["id"], "ok": True, "result": result}).encode()
        answers.append(lengths.pack(len(body), len(body)) + body)
        offset = end
    buffer = buffer[offset:]
    replies.sendall(b"".join(answers))
