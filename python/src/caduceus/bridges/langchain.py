"""How is LangChain used from Node?

Language models, chains and agents, kept per scope: the scope of a call is its session, or the
anonymous scope. All of it runs on one event loop. What an agent remembers is kept in its session,
and changed by an operation of its own, so that Node's journal has it before the caller is told.
"""

from __future__ import annotations

import array
from typing import Any

from caduceus._secrets import conceal
from caduceus.base_bridge import BaseBridge
from caduceus.bridges._arguments import Argument, check_arguments, invalid
from caduceus.bridges._langchain_agent_operations import AgentOperations
from caduceus.bridges._langchain_chain_operations import ChainOperations
from caduceus.bridges._langchain_errors import translated
from caduceus.bridges._langchain_objects import import_langchain, make_llm
from caduceus.bridges._langchain_scopes import Scopes, session_id

_CONFIGURE_LLM = {
    "model_type": Argument((str,)),
    "model_name": Argument((str,)),
    "api_key": Argument((str,)),
    "api_base": Argument((str,)),
    "temperature": Argument((float,), minimum=0),
    "max_tokens": Argument((int,), minimum=1),
    "timeout_s": Argument((float,), minimum=0.001),
    "embedding_model": Argument((str,)),
}
_EMBED = {"texts": Argument((list,), is_required=True)}
_FORGET_SESSION = {"session_id": Argument((str,))}


class LangChainBridge(ChainOperations, AgentOperations, BaseBridge):
    """LangChain 1.x behind its operations: models, chains, agents, memory and embeddings.

    A language model that is configured without a session serves every scope that has none of its
    own.

    Parameters
    ----------
    mode : str, default "standalone"
        See `BaseBridge`.
    worker_id : str, optional
        See `BaseBridge`.

    Raises
    ------
    BridgeError
        With code ``package_missing``, if LangChain is not installed.
    """

    execution = "asyncio"
    # Calls wait for servers, not for this process.
    concurrency = 16

    def _register_handlers(self) -> None:
        self._handlers.update(
            {
                "configure_llm": self._handle_configure_llm,
                "create_chain": self._handle_create_chain,
                "run_chain": self._handle_run_chain,
                "stream_chain": self._handle_stream_chain,
                "list_chains": self._handle_list_chains,
                "delete_chain": self._handle_delete_chain,
                "create_agent": self._handle_create_agent,
                "run_agent": self._handle_run_agent,
                "stream_agent": self._handle_stream_agent,
                "list_agents": self._handle_list_agents,
                "delete_agent": self._handle_delete_agent,
                "get_memory": self._handle_get_memory,
                "set_memory": self._handle_set_memory,
                "clear_memory": self._handle_clear_memory,
                "embed": self._handle_embed,
                "forget_session": self._handle_forget_session,
            }
        )

    def _initialize_framework(self) -> None:
        self._scopes = Scopes()
        self._lib = import_langchain()

    def get_framework_info(self) -> dict[str, Any]:
        """Describe LangChain.

        Returns
        -------
        dict
            ``name``, ``version`` and ``capabilities``.
        """
        return {
            "name": "langchain",
            "version": self._lib.version,
            "capabilities": ["chains", "agents", "prompts", "memory", "tools"],
        }

    def _handle_get_stats(self, args: dict[str, Any]) -> dict[str, Any]:
        scopes = self._scopes.all
        return {
            **super()._handle_get_stats(args),
            "chains_count": sum(len(scope.chains) for scope in scopes.values()),
            "agents_count": sum(len(scope.agents) for scope in scopes.values()),
            "sessions_count": sum(session is not None for session in scopes),
        }

    async def _handle_configure_llm(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("configure_llm", args, _CONFIGURE_LLM)
        if args.get("api_key"):
            conceal(args["api_key"])
        llm = make_llm(self._lib, args)
        await self._scopes.configure(llm)
        return {
            "status": "configured",
            "model_type": llm.model_type,
            "model_name": llm.model_name,
            "scope": "bridge" if session_id() is None else "session",
        }

    async def _handle_embed(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("embed", args, _EMBED)
        texts = args["texts"]
        if not texts or not all(isinstance(text, str) for text in texts):
            raise invalid("embed: texts must be a list of strings that is not empty")
        with self._scopes.llm().used() as llm, translated():
            vectors: list[list[float]] = await llm.embeddings.aembed_documents(texts)
        width = len(vectors[0])
        flat = array.array("d", (number for vector in vectors for number in vector))
        # Crosses as numbers in bulk, and needs no NumPy here.
        table = memoryview(flat).cast("B").cast("d", (len(vectors), width))
        return {"embeddings": table, "dimensions": width, "model": llm.embedding_model}

    async def _handle_forget_session(self, args: dict[str, Any]) -> dict[str, Any]:
        check_arguments("forget_session", args, _FORGET_SESSION)
        session = args.get("session_id") or session_id()
        if session is None:
            raise invalid("forget_session needs session_id, or a call in a session")
        await self._scopes.forget(session)
        return {"session_id": session, "status": "forgotten"}
