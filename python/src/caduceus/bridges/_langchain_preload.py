"""What does a zygote import for the LangChain bridge? All of it, and what is lazy is warmed up.

An agent is run once with a model that answers from a list: building the first graph and running it
imports for most of a second. Nothing is connected, and no thread is left.
"""

import asyncio

import caduceus.bridges.langchain as _bridge
from caduceus.bridges._langchain_objects import import_langchain, make_llm

BRIDGE = _bridge.__name__
LANGCHAIN = import_langchain()


async def _warm_up() -> None:
    from langchain_core.language_models.fake_chat_models import FakeListChatModel

    # What OpenAI's client looks up of the machine at its first use; it is not connected.
    llm = make_llm(LANGCHAIN, {"api_key": "unused", "api_base": "http://127.0.0.1:9/v1"})
    agent = LANGCHAIN.agents.create_agent(FakeListChatModel(responses=["warm"]))
    state = {"messages": [LANGCHAIN.messages.HumanMessage("warm?")]}
    await agent.ainvoke(state)
    async for _ in agent.astream(state, stream_mode=["messages", "updates"]):
        pass
    await llm.close()


asyncio.run(_warm_up())
