"""What does a zygote import for the DSPy bridge? All of it, set up as every worker would do it."""

from caduceus.bridges import dspy as _bridge
from caduceus.bridges._dspy_objects import import_dspy

BRIDGE = _bridge.__name__
DSPY = import_dspy()
