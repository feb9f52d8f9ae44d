"""What was said, as plain data: for callers, for a conversation's memory, and for the usage?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caduceus.bridges._arguments import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from caduceus.bridges._langchain_objects import LangChain

MESSAGES_MAX = 200
"""Messages of one conversation that are remembered, unless an agent says otherwise. A hundred
exchanges are more than most models read with profit, and all of them are paid for in each turn."""

_ROLES = {"user": "human", "human": "human", "assistant": "ai", "ai": "ai", "system": "system"}
_SPEAKERS = {"human": "user", "ai": "assistant"}


def read_messages(lib: LangChain, op: str, given: object) -> list[Any]:
    """Make LangChain's messages of what a caller said.

    Parameters
    ----------
    lib : LangChain
        The modules.
    op : str
        The operation, for the message.
    given : str or list of dict
        What the user says, or messages with ``role`` and ``content``.

    Returns
    -------
    list of BaseMessage
        At least one.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    if isinstance(given, str):
        return [lib.messages.HumanMessage(given)]
    if not isinstance(given, list) or not given:
        raise invalid(f"{op}: input must be a string or a list of messages")
    read = []
    for index, message in enumerate(given):
        role = _ROLES.get(str(message.get("role"))) if isinstance(message, dict) else None
        if role is None or not isinstance(message.get("content"), str):
            raise invalid(
                f"{op}: input[{index}] must have a role (user, assistant or system) "
                "and a content (a string)"
            )
        read.append((role, message["content"]))
    converted: list[Any] = lib.messages.convert_to_messages(read)
    return converted


def plain(message: Any) -> dict[str, Any]:  # noqa: ANN401 - LangChain's
    """Return a message as callers read it.

    Parameters
    ----------
    message : BaseMessage
        Of LangChain.

    Returns
    -------
    dict
        ``role`` and ``content``; ``tool_calls`` where there are any; of a tool's answer also
        ``name``, ``id`` and ``status``.
    """
    described: dict[str, Any] = {
        "role": _SPEAKERS.get(message.type, message.type),
        "content": str(message.text),
    }
    calls = getattr(message, "tool_calls", None)
    if calls:
        described["tool_calls"] = [plain_call(call) for call in calls]
    if message.type == "tool":
        described |= {"name": message.name, "id": message.tool_call_id, "status": message.status}
    return described


def plain_call(call: dict[str, Any]) -> dict[str, Any]:
    """Return what a model wants of a tool: ``id``, ``name`` and ``args``."""
    return {"id": call.get("id"), "name": call["name"], "args": call["args"]}


def usage_of(messages: Iterable[Any], model_name: str) -> dict[str, dict[str, int]]:
    """Count the tokens of what a model said.

    Parameters
    ----------
    messages : iterable of BaseMessage
        Those of a run, or the chunks of a stream.
    model_name : str
        The model, where its answer does not name it.

    Returns
    -------
    dict of str to dict
        For each model ``input_tokens``, ``output_tokens`` and ``total_tokens``; empty where the
        server does not count.
    """
    usage: dict[str, dict[str, int]] = {}
    for message in messages:
        counted = getattr(message, "usage_metadata", None)
        if not counted:
            continue
        name = message.response_metadata.get("model_name") or model_name
        total = usage.setdefault(name, {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0})
        for key in total:
            total[key] += counted.get(key, 0)
    return usage


def kept(messages: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return what of a conversation is remembered.

    Parameters
    ----------
    messages : sequence of dict
        As `dump` gives them, oldest first.
    most : int
        How many messages are kept.

    Returns
    -------
    list of dict
        The latest; it begins with what a user said, for models refuse a tool's answer without its
        question. The last exchange is kept whole, however long it is.
    """
    starts = [index for index, message in enumerate(messages) if message["type"] == "human"]
    if len(messages) <= most or not starts:
        return list(messages)
    fitting = [index for index in starts if len(messages) - index <= most]
    return list(messages[fitting[0] if fitting else starts[-1] :])


def dump(lib: LangChain, messages: Sequence[Any]) -> list[dict[str, Any]]:
    """Return messages as plain dicts that `load` understands.

    Parameters
    ----------
    lib : LangChain
        The modules.
    messages : sequence of BaseMessage
        Of one conversation.

    Returns
    -------
    list of dict
        Nothing of them is lost.
    """
    dumped: list[dict[str, Any]] = lib.messages.messages_to_dict(messages)
    return dumped


def load(lib: LangChain, dumped: Sequence[dict[str, Any]]) -> list[Any]:
    """Return the messages that `dump` made `dumped` of.

    Parameters
    ----------
    lib : LangChain
        The modules.
    dumped : sequence of dict
        From a journal.

    Returns
    -------
    list of BaseMessage
        New ones.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``, if they are something else.
    """
    try:
        loaded: list[Any] = lib.messages.messages_from_dict(dumped)
    except (KeyError, TypeError, ValueError) as error:
        raise invalid(f"set_memory: messages are not what a memory holds: {error}") from error
    return loaded
