"""What does a zygote import for the DSPy bridge? All of it, set up as every worker would do it."""

import importlib

from caduceus.bridges import dspy as _bridge
from caduceus.bridges._dspy_objects import import_dspy, make_lm, make_module
from caduceus.bridges._signatures import parse_signature

BRIDGE = _bridge.__name__
DSPY = import_dspy()

# What DSPy loads when it is first used. Nothing is sent anywhere.
LM = make_lm(DSPY, {"model": "openai/none", "api_base": "http://127.0.0.1:9/v1"})
PROGRAM = make_module(DSPY, "chain_of_thought", parse_signature("question -> answer"))
LAZY = [
    importlib.import_module(name) for name in ("dspy.clients.execution", "anyio._backends._asyncio")
]
