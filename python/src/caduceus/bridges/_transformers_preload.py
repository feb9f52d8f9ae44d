"""What does a zygote import for the Transformers bridge? All of it, and it computes nothing."""

import caduceus.bridges.transformers as _bridge
from caduceus.bridges._transformers_imports import import_transformers

BRIDGE = _bridge.__name__
FRAMEWORK = import_transformers()
