"""What does a worker say of its bridge when it is ready for calls?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus._frames import encode_json
from caduceus._values import encode_value

if TYPE_CHECKING:
    from caduceus._loader import BridgeSpec
    from caduceus._modes import Execution
    from caduceus.base_bridge import BaseBridge

# Beyond it not every integer is a number of JavaScript.
_SAFE_INTEGER_MAX = 2**53 - 1


def ready_message(bridge: BaseBridge, spec: BridgeSpec, execution: Execution) -> dict[str, Any]:
    """Return the ``ready`` message.

    Parameters
    ----------
    bridge : BaseBridge
        The bridge, built.
    spec : BridgeSpec
        What was asked for.
    execution : Execution
        How its calls are going to run.

    Returns
    -------
    dict
        The message, encodable.

    Raises
    ------
    BridgeError
        If the bridge describes itself in a way that cannot be sent.
    """
    framework = bridge.get_framework_info()
    _check_plain(framework, "framework")
    _check_framework(framework)
    operations = bridge.supported_operations()
    schemas = bridge.operation_schemas()
    _check_plain(schemas, "schemas")
    return {
        "type": "ready",
        "bridge": spec.framework or str(framework.get("name") or spec.name),
        "framework": framework,
        "operations": operations,
        "schemas": schemas,
        "schemaHash": schema_hash(operations, schemas),
        "execution": execution.mode,
        "concurrency": execution.concurrency,
    }


def schema_hash(operations: list[str], schemas: dict[str, Any]) -> str:
    """Return what two bridges share that offer the same.

    Parameters
    ----------
    operations : list of str
        In any order.
    schemas : dict
        What is known of single operations.

    Returns
    -------
    str
        SHA-256 in lower-case hex.
    """
    text = encode_json([sorted(operations), _with_sorted_keys(schemas)])
    return str(_sha256()(text.encode()).hexdigest())


def _with_sorted_keys(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _with_sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_with_sorted_keys(item) for item in value]
    return value


def _sha256() -> Any:  # noqa: ANN401 - a constructor of one of three modules
    """Find SHA-256 without loading OpenSSL, which `hashlib` does for all its algorithms."""
    try:
        from _sha2 import sha256  # type: ignore[import-not-found]
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found]
        except ImportError:
            from hashlib import sha256
    return sha256


def _check_plain(value: object, root: str) -> None:
    """Refuse what only a tag could carry: a control message has none."""
    # Keys such as `$ref` are escaped in a value; where nothing is tagged they cross as they are.
    if encode_value(value, root).tagged and not _is_plain(value):
        raise BridgeError(f"{root} must be plain JSON", code="unencodable")


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(each) for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) <= _SAFE_INTEGER_MAX
    return value is None or isinstance(value, str)


def _check_framework(framework: dict[str, Any]) -> None:
    """Say in the bridge's own words what Node would else find in the frame."""
    for field, kind in (("name", str), ("version", str), ("capabilities", list)):
        if not isinstance(framework.get(field), kind):
            raise BridgeError(
                f"get_framework_info must give {field!r} as a {kind.__name__}, "
                f"found {framework.get(field)!r:.100}",
                code="invalid_arguments",
            )
