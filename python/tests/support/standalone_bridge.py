"""A bridge run by hand that misbehaves in the ways that a reader of its pipe would notice."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from caduceus import Bridge, operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Spoken(Bridge):
    """One operation for each thing that could go wrong on a pipe."""

    def setup(self) -> None:
        """Print, as frameworks do when they are imported."""
        print("printed in setup")
        os.write(1, b"written in setup\n")

    @operation
    def echo(self, value: object) -> object:
        """Give back."""
        return value

    @operation
    def noisy(self) -> str:
        """Print in every way."""
        print("printed")
        sys.stdout.buffer.write(b"buffered\n")
        sys.stdout.flush()
        os.write(1, b"written\n")
        subprocess.run(["echo", "from a child"], check=True)
        return sys.stdin.read()

    @operation
    def unsendable(self, what: str) -> object:
        """Return what JSON lacks."""
        return {"bytes": b"x", "nan": float("nan"), "set": {1}}[what]

    @operation
    def big(self) -> object:
        """Return what needs a tag in version 2 only."""
        return {"$key": 2**70}

    @operation
    def fail(self) -> None:
        """Raise."""
        raise KeyError("on purpose")

    @operation
    def leave(self) -> None:
        """Exit."""
        raise SystemExit(3)

    @operation
    async def later(self) -> str:
        """Be a coroutine."""
        return "later"

    @operation
    def items(self) -> Iterator[int]:
        """Be a generator."""
        yield from (1, 2)

    @operation
    async def aitems(self) -> AsyncIterator[int]:
        """Be an asynchronous one."""
        yield 3


class Seed(Spoken):
    """Read and write as the ported design's own base class does."""

    def _read_message(self) -> dict[str, Any] | None:
        import json
        import struct

        head = sys.stdin.buffer.read(4)
        if len(head) < 4:
            return None
        message: dict[str, Any] = json.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))
        return message

    def _write_message(self, message: dict[str, Any]) -> None:
        import json
        import struct

        data = json.dumps({**message, "seed": True}).encode()
        sys.stdout.buffer.write(struct.pack(">I", len(data)))
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    {"Spoken": Spoken, "Seed": Seed}[sys.argv[1]](mode="by-hand", worker_id="me").run()
