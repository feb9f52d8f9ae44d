"""What went wrong in the depths of torch and Transformers, in a word that a caller can branch on?

No memory is a code of its own. What leaves a GPU's context broken keeps its text: Node knows it by
that, and replaces the worker.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from caduceus._errors import BridgeError
from caduceus._packages import package_missing
from caduceus.bridges._arguments import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caduceus.bridges._transformers_imports import Framework
    from caduceus.bridges._transformers_models import ModelSpec

_NO_MEMORY = (
    "out of memory",
    # torch's allocator for the CPU.
    "can't allocate memory",
    "not enough memory",
)


@contextmanager
def computing(framework: Framework, op: str) -> Iterator[None]:
    """Say of an error for want of memory what it is.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    op : str
        The operation, for the message.

    Raises
    ------
    BridgeError
        With code ``out_of_memory``. Any other error passes as it is.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_no_memory(framework, error):
            raise
        cuda = framework.torch.cuda
        if cuda.is_initialized():
            cuda.empty_cache()
        raise BridgeError(f"{op}: out of memory: {error}", code="out_of_memory") from error


@contextmanager
def reading(framework: Framework, spec: ModelSpec) -> Iterator[None]:
    """Say of an error in the reading of a model whose fault it is.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    spec : ModelSpec
        What is read.

    Raises
    ------
    BridgeError
        With code ``out_of_memory``, ``package_missing`` (what a GGUF file needs, say), or
        ``invalid_arguments``: files that are no model of that kind.
    """
    try:
        with computing(framework, "load_model"):
            yield
    except BridgeError:
        raise
    except ImportError as error:
        if spec.source.gguf_file is not None and "gguf" in str(error).lower():
            raise package_missing("Transformers", ["gguf", "accelerate"]) from error
        raise
    # safetensors and the tokenizer's Rust raise classes of their own, or Exception itself.
    except Exception as error:
        if "cuda" in str(error).lower():
            # Not the files' fault; Node judges it by its text.
            raise
        where = spec.source.folder
        raise invalid(
            f"load_model: {where} cannot be read for the task {spec.task}: {error}"
        ) from error


def is_no_memory(framework: Framework, error: BaseException) -> bool:
    """Say whether `error` means that memory was asked for which is not there."""
    if isinstance(error, (MemoryError, framework.torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return any(words in text for words in _NO_MEMORY)
