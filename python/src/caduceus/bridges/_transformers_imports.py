"""How is Transformers imported, so that it neither asks the network nor pays for it later?

Everything that loading and running a model needs is imported here, before the worker is ready: the
first call does not wait for it. Nothing is computed: a process that has run torch cannot be forked,
while one that has only imported it with one thread can (its OpenMP has no threads yet that a child
would wait for).
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, NamedTuple

from caduceus._packages import package_missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

_PACKAGES = ("torch", "transformers", "safetensors")

_SETTINGS = {
    # A worker says what it does on the wire, and nobody looks at its terminal.
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TQDM_DISABLE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Threads of the tokenizer are of no use beside those of torch, and forbid a fork.
    "TOKENIZERS_PARALLELISM": "false",
}

# Transformers imports what is behind a name when it is asked for it: so these are asked for.
_WARM = (
    *("AutoConfig", "AutoModel", "AutoModelForCausalLM", "AutoModelForSequenceClassification"),
    *("AutoTokenizer", "GenerationConfig", "PreTrainedModel", "PreTrainedTokenizerFast"),
)
_WARM_MODULES = (
    "safetensors.torch",
    "transformers.cache_utils",
    "transformers.generation.utils",
    "transformers.masking_utils",
    "transformers.modeling_layers",
    "transformers.modeling_rope_utils",
)


class Framework(NamedTuple):
    """The two modules that every operation needs.

    Attributes
    ----------
    torch, transformers : module
        As imported.
    """

    torch: ModuleType
    transformers: ModuleType


def import_transformers() -> Framework:
    """Import torch and Transformers, with all that loading a model would import.

    Returns
    -------
    Framework
        Both modules; their log records take the way of all records.

    Raises
    ------
    BridgeError
        With code ``package_missing``.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        torch = importlib.import_module("torch")
        transformers = importlib.import_module("transformers")
        for name in _WARM:
            getattr(transformers, name)
        for name in _WARM_MODULES:
            importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in _PACKAGES:
            raise
        raise package_missing("the Transformers bridge", [missing]) from error
    logging = importlib.import_module("transformers.utils.logging")
    logging.disable_progress_bar()
    logging.disable_default_handler()
    logging.enable_propagation()
    return Framework(torch, transformers)


def threads_of(environ: Mapping[str, str]) -> int | None:
    """Return how many threads torch is to compute with.

    Parameters
    ----------
    environ : mapping of str to str
        The worker's environment.

    Returns
    -------
    int or None
        What ``OMP_NUM_THREADS`` says; None if it says nothing, which leaves it to torch: all cores.
    """
    text = environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(text) if text.isascii() and text.isdecimal() and int(text) > 0 else None
