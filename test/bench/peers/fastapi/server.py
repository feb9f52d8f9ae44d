"""What runs behind HTTP? The smallest FastAPI application, as its documentation writes one."""

import os
import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Echo(BaseModel):
    """The body, both ways."""

    text: str


app = FastAPI()


@app.post("/echo")
async def echo(body: Echo) -> Echo:
    """Give the text back."""
    return body


def end_with_stdin():
    """End when whoever started us is gone."""
    sys.stdin.buffer.read()
    os._exit(0)


listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
threading.Thread(target=end_with_stdin, daemon=True).start()
print("listening", flush=True)
config = uvicorn.Config(
    app, loop="uvloop", http="httptools", ws="none", access_log=False, log_level="warning"
)
uvicorn.Server(config).run(sockets=[listener])
