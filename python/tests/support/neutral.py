"""What do the vectors mean in Python? Their neutral notation, read into values and compared."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from caduceus._arrays import array_from

_FOLDER = Path(__file__).resolve().parents[3] / "test" / "vectors"


def read_vectors(name: str) -> Any:  # noqa: ANN401
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


def segments_of(hexes: list[str]) -> list[memoryview]:
    """Give the segments as a decoder does: views of memory that can be written to."""
    return [memoryview(bytearray.fromhex(one)) for one in hexes]


def from_neutral(neutral: dict[str, Any]) -> Any:  # noqa: ANN401
    kind, found = neutral["kind"], neutral.get("v")
    match kind:
        case "null":
            return None
        case "bool" | "text":
            return found
        case "int":
            return int(str(found))
        case "float":
            return float(str(found))
        case "bytes":
            return bytes.fromhex(str(found))
        case "datetime":
            return datetime.fromisoformat(str(found))
        case "list":
            return [from_neutral(item) for item in found or ()]
        case "object":
            return {key: from_neutral(item) for key, item in found or ()}
        case "nd":
            return array_from(neutral["d"], neutral["s"], memoryview(bytearray.fromhex(str(found))))
    raise AssertionError(f"a vector with the unknown kind {kind!r}")
