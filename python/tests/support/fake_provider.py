"""What does DSPy see of a provider?

An HTTP server that answers chat completions in the format that DSPy's prompt asks for. Nothing
leaves the machine.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_REPLY_FIELDS = re.compile(r"(?:starting with the field|then) `\[\[ ## (\w+) ## \]\]`")


class FakeProvider:
    """Answer every output field with ``<model>:<field>``, or with what `answers` has for it."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.failure: tuple[int, str] | None = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                request = json.loads(self.rfile.read(length))
                provider.requests.append(request)
                provider.keys.append(self.headers["authorization"])
                status, body = provider.respond(request)
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                # In one write with the body: two would wait for each other's acknowledgement.
                self._headers_buffer.append(b"\r\n" + data)  # type: ignore[attr-defined]
                self.flush_headers()

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def respond(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.failure is not None:
            status, message = self.failure
            return status, {"error": {"message": message, "type": "fake", "code": None}}
        model: str = request["model"]
        fields = _REPLY_FIELDS.findall(request["messages"][-1]["content"])
        lines = [f"[[ ## {f} ## ]]\n{self.answers.get(f, f'{model}:{f}')}\n" for f in fields]
        return 200, {
            "id": "chat-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {
                        "role": "assistant",
                        "content": "\n".join([*lines, "[[ ## completed ## ]]"]),
                    },
                }
            ],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
        }
