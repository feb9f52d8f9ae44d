"""How are LangChain's objects made: the modules themselves, a chat model, a prompt, a tool?

The only file that knows LangChain's constructors, but for the agents'. What is kept, for whom and
for how long is `langchain.py`'s question.
"""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caduceus._context import current_call
from caduceus._errors import BridgeError
from caduceus._packages import package_missing
from caduceus.bridges._arguments import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MODEL_TYPES = ("openai",)
"""What ``model_type`` may be: whoever speaks OpenAI's protocol is reached by ``api_base``."""

DEFAULT_MODEL = "gpt-4.1-mini"
"""The newest of OpenAI's small models that still obeys ``temperature``, whose default here is 0.7:
later ones reason, and take no temperature. ``gpt-3.5-turbo`` is deprecated, and calls no tools."""

DEFAULT_EMBEDDING_MODEL = "text-embedding-3-small"
"""The cheaper one of OpenAI's current two; its vectors have 1536 numbers."""

DEFAULT_TEMPERATURE = 0.7
"""The ported design's."""

MS_PER_S = 1000

_PACKAGES = ("langchain", "langchain-openai")
_TIMEOUT_S_MIN = 0.001


@dataclass(frozen=True, slots=True)
class LangChain:
    """The modules of LangChain that are used here.

    Attributes
    ----------
    version : str
        Of ``langchain``.
    agents, messages, prompts, tools, openai, sdk : module
        ``langchain.agents``, three of ``langchain_core``, ``langchain_openai``, and OpenAI's own.
    """

    version: str
    agents: Any
    messages: Any
    prompts: Any
    tools: Any
    openai: Any
    sdk: Any


@dataclass(slots=True)
class Llm:
    """A configured language model, and the connections that it has.

    Attributes
    ----------
    model_type, model_name : str
        As configured.
    chat : ChatOpenAI
        LangChain's model.
    embeddings : OpenAIEmbeddings
        The model of texts' vectors at the same server.
    embedding_model : str
        Its name.
    """

    model_type: str
    model_name: str
    chat: Any
    embeddings: Any
    embedding_model: str
    _http: Any
    _users_count: int = 0
    _is_retired: bool = field(default=False)

    @contextmanager
    def used(self) -> Iterator[Llm]:
        """Keep the connections open for the length of a ``with`` block.

        Yields
        ------
        Llm
            The same.
        """
        self._users_count += 1
        try:
            yield self
        finally:
            self._users_count -= 1

    @property
    def is_idle(self) -> bool:
        """Whether it has been replaced and nobody uses it any more."""
        return self._is_retired and self._users_count == 0

    def retire(self) -> None:
        """Note that no further call will begin to use it."""
        self._is_retired = True

    async def close(self) -> None:
        """End its connections."""
        await self._http.aclose()


def import_langchain() -> LangChain:
    """Import what is used of LangChain.

    Returns
    -------
    LangChain
        The modules.

    Raises
    ------
    BridgeError
        With code ``package_missing``, also for a LangChain before 1.0.
    """
    try:
        agents = importlib.import_module("langchain.agents")
        langchain = importlib.import_module("langchain")
        openai = importlib.import_module("langchain_openai")
        messages, prompts, tools = (
            importlib.import_module(f"langchain_core.{name}")
            for name in ("messages", "prompts", "tools")
        )
        sdk = importlib.import_module("openai")
    except ModuleNotFoundError as error:
        top = (error.name or "").partition(".")[0]
        if top not in ("langchain", "langchain_core", "langchain_openai", "langgraph", "openai"):
            raise
        raise package_missing("LangChain", _PACKAGES) from error
    if not hasattr(agents, "create_agent"):
        raise package_missing("LangChain", ("langchain>=1.4", "langchain-openai>=1.6"))
    version = str(langchain.__version__)
    return LangChain(version, agents, messages, prompts, tools, openai, sdk)


def make_llm(lib: LangChain, args: Mapping[str, Any]) -> Llm:
    """Make a language model; nothing is sent to it.

    Parameters
    ----------
    lib : LangChain
        The modules.
    args : mapping
        The arguments of ``configure_llm``, checked.

    Returns
    -------
    Llm
        The model.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    model_type = args.get("model_type") or MODEL_TYPES[0]
    if model_type not in MODEL_TYPES:
        raise invalid(f"configure_llm: model_type must be one of {', '.join(MODEL_TYPES)}")
    model_name = args.get("model_name") or DEFAULT_MODEL
    embedding_model = args.get("embedding_model") or DEFAULT_EMBEDDING_MODEL
    temperature = args.get("temperature")
    http = lib.sdk.DefaultAsyncHttpxClient(event_hooks={"request": [_bound_by_deadline]})
    shared: dict[str, Any] = {
        "api_key": _key_of(args),
        "timeout": args.get("timeout_s"),
        # Node repeats a call, if anyone does: it knows the deadline and whether that is safe.
        "max_retries": 0,
        "http_async_client": http,
    }
    if args.get("api_base") is not None:
        shared["base_url"] = args["api_base"]
    try:
        chat = lib.openai.ChatOpenAI(
            model=model_name,
            temperature=DEFAULT_TEMPERATURE if temperature is None else temperature,
            max_tokens=args.get("max_tokens"),
            # Else the tokens of streams are not counted for a server with an address of its own,
            # and some names of models mean a protocol that such servers do not speak.
            stream_usage=True,
            use_responses_api=False,
            **shared,
        )
        embeddings = lib.openai.OpenAIEmbeddings(
            model=embedding_model,
            # Else a table of tokens is downloaded, and token numbers are sent in place of texts.
            check_embedding_ctx_length=False,
            **shared,
        )
    except (ValueError, TypeError, lib.sdk.OpenAIError) as error:
        raise invalid(f"configure_llm: {error}") from error
    return Llm(model_type, model_name, chat, embeddings, embedding_model, http)


def make_prompt(lib: LangChain, template: str, system: str | None) -> Any:  # noqa: ANN401
    """Make a prompt of a template.

    Parameters
    ----------
    lib : LangChain
        The modules.
    template : str
        What the human says: an f-string.
    system : str or None
        What the system says before it: an f-string too.

    Returns
    -------
    ChatPromptTemplate
        Its ``input_variables`` are those of both.

    Raises
    ------
    BridgeError
        With code ``invalid_template``.
    """
    turns = [("human", template)] if system is None else [("system", system), ("human", template)]
    try:
        prompt = lib.prompts.ChatPromptTemplate.from_messages(turns, template_format="f-string")
    except ValueError as error:
        raise BridgeError(f"invalid template: {error}", code="invalid_template") from error
    if "" in prompt.input_variables:
        raise BridgeError(
            "invalid template: {} has no name; braces that are meant as such are doubled",
            code="invalid_template",
        )
    return prompt


async def _bound_by_deadline(request: Any) -> None:  # noqa: ANN401 - httpx or httpx2
    """Let no request wait longer than whoever wants its answer."""
    call = current_call()
    remaining_ms = None if call is None else call.remaining_ms()
    if remaining_ms is None:
        return
    most_s = max(remaining_ms / MS_PER_S, _TIMEOUT_S_MIN)
    timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        name: most_s if timeouts.get(name) is None else min(timeouts[name] or most_s, most_s)
        for name in ("connect", "read", "write", "pool")
    }


def _key_of(args: Mapping[str, Any]) -> str:
    key: str | None = args.get("api_key")
    if key is not None:
        return key
    if args.get("api_base") is not None:
        # A server named by its address may need none; the environment's key is not for it.
        return "unused"
    key = os.environ.get("OPENAI_API_KEY")
    if not key:
        raise invalid("configure_llm: api_key is required where no api_base is given")
    return key
