"""How is a model read from its directory, and who shares its weights?

Two sessions that load the same files in the same way share one copy: models are not changed by
being used. It is given back when the last of them has unloaded it.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from caduceus._context import current_call
from caduceus.bridges._arguments import invalid
from caduceus.bridges._transformers_facts import context_of, pooling_of, task_of
from caduceus.bridges._transformers_faults import reading

if TYPE_CHECKING:
    from types import ModuleType

    from caduceus.bridges._transformers_imports import Framework
    from caduceus.bridges._transformers_sources import Source

TASKS = {
    "generate": "AutoModelForCausalLM",
    "embed": "AutoModel",
    "classify": "AutoModelForSequenceClassification",
}
"""What a model is loaded for, and the class of Transformers that reads it so."""

DTYPES = ("auto", "float32", "float16", "bfloat16")

POOLINGS = ("mean", "cls")


class ModelSpec(NamedTuple):
    """Which weights, and how they are held.

    Attributes
    ----------
    source : Source
        Where they are.
    task : str
        A key of `TASKS`.
    dtype : str
        One of `DTYPES`.
    device : str
        As torch names it.
    """

    source: Source
    task: str
    dtype: str
    device: str


@dataclass(slots=True)
class Weights:
    """A model in memory, with what belongs to it.

    Attributes
    ----------
    spec : ModelSpec
        What it was made from.
    model, tokenizer : object
        Of Transformers.
    context_tokens_max : int or None
        How many tokens it can see.
    pooling : str
        How the vector of a text is made of those of its tokens, unless a call says otherwise.
    holders_count : int
        How many loaded models share it.
    tokens_count : int
        How many tokens it has written.
    """

    spec: ModelSpec
    model: Any
    tokenizer: Any
    context_tokens_max: int | None
    pooling: str = "mean"
    holders_count: int = 0
    tokens_count: int = 0

    @property
    def memory_bytes(self) -> int:
        """What its parameters and buffers take."""
        return int(self.model.get_memory_footprint())

    def describe(self) -> dict[str, Any]:
        """Say what a caller may want to know of it."""
        return {
            "model_name": self.spec.source.name,
            "task": self.spec.task,
            "architecture": type(self.model).__name__,
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "device": str(self.model.device),
            "parameters_count": int(self.model.num_parameters()),
            "memory_bytes": self.memory_bytes,
            "context_tokens_max": self.context_tokens_max,
            "tokens_count": self.tokens_count,
        }


@dataclass(slots=True)
class Model:
    """A model of one scope.

    Attributes
    ----------
    model_id : str
        What its scope calls it.
    weights : Weights
        Maybe shared with other scopes.
    loaded_at : float
        In seconds since the epoch.
    calls_count : int
        How many calls it has served.
    """

    model_id: str
    weights: Weights
    loaded_at: float
    calls_count: int = 0


class WeightStore:
    """All weights of this process.

    Parameters
    ----------
    framework : Framework
        The imported modules.
    """

    def __init__(self, framework: Framework) -> None:
        self._framework = framework
        self._held: dict[ModelSpec, Weights] = {}

    def __len__(self) -> int:
        return len(self._held)

    @property
    def memory_bytes(self) -> int:
        """What all of them take."""
        return sum(weights.memory_bytes for weights in self._held.values())

    def take(self, source: Source, task: str | None, dtype: str, device: str) -> Weights:
        """Read a model, or share the one that is here.

        Parameters
        ----------
        source : Source
            Where it is.
        task : str or None
            A key of `TASKS`; None: what its configuration says it was made for.
        dtype : str
            One of `DTYPES`.
        device : str
            ``auto``, or as torch names it.

        Returns
        -------
        Weights
            To be given back with `release`.

        Raises
        ------
        BridgeError
            With code ``invalid_arguments``, ``package_missing`` or ``out_of_memory``.
        """
        device = find_device(self._framework.torch, device)
        spec = ModelSpec(source, task or task_of(source), dtype, device)
        weights = self._held.get(spec)
        if weights is None:
            weights = self._held[spec] = _read(self._framework, spec)
        weights.holders_count += 1
        return weights

    def release(self, weights: Weights) -> None:
        """Give weights back; the last one to do so frees their memory."""
        weights.holders_count -= 1
        if weights.holders_count > 0:
            return
        self._held.pop(weights.spec, None)
        # Layers and hooks refer to each other: only the collector sees that nobody else does.
        weights.model = weights.tokenizer = None
        free_memory(self._framework.torch)


def free_memory(torch: ModuleType) -> None:
    """Give back to the system what nobody refers to."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    # The layers of a model lie in pieces that glibc would keep for the next one.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def find_device(torch: ModuleType, device: str) -> str:
    """Return the device that is meant, if it is there.

    Parameters
    ----------
    torch : module
        The framework.
    device : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Returns
    -------
    str
        As torch names it.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments``.
    """
    has_mps = torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    kind, _, number = device.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    is_there = {"cpu": True, "cuda": count > 0, "mps": has_mps}.get(kind)
    if is_there is None or (number and not number.isdecimal()):
        raise invalid(f"load_model: device must be auto, cpu, cuda, cuda:N or mps, not {device!r}")
    if not is_there or (number and int(number) >= count):
        raise invalid(f"load_model: there is no device {device} here ({count} of its kind)")
    return device


def _read(framework: Framework, spec: ModelSpec) -> Weights:
    transformers, source = framework.transformers, spec.source
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    if source.gguf_file is not None:
        options["gguf_file"] = source.gguf_file
    with reading(framework, spec):
        _tell("tokenizer")
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.folder, **options)
        _tell("weights")
        # A GPU computes best in what the files have; a CPU knows half precision, and is slow in it.
        dtype = "float32" if spec.dtype == "auto" and spec.device == "cpu" else spec.dtype
        model, report = getattr(transformers, TASKS[spec.task]).from_pretrained(
            source.folder,
            dtype=dtype if dtype == "auto" else getattr(framework.torch, dtype),
            output_loading_info=True,
            **({} if source.gguf_file is not None else {"use_safetensors": True}),
            **options,
        )
        _check_whole(spec, report)
        model = model.to(spec.device).eval()
    if tokenizer.pad_token_id is None:
        # Only what is masked is padded with it.
        tokenizer.pad_token = tokenizer.eos_token
    if spec.task != "generate":
        tokenizer.padding_side = "right"
        if model.config.get_text_config().pad_token_id is None:
            # A classifier that is made of a language model looks for the last token before these.
            model.config.pad_token_id = tokenizer.pad_token_id
    return Weights(
        spec,
        model,
        tokenizer,
        context_of(model, tokenizer, source.folder),
        pooling_of(source.folder),
    )


def _tell(phase: str) -> None:
    """Let the caller know what is being read: large models take a minute."""
    call = current_call()
    if call is not None:
        call.progress({"phase": phase})


def _check_whole(spec: ModelSpec, report: dict[str, Any]) -> None:
    """Refuse a model parts of which would be random numbers."""
    missing = sorted(map(str, report.get("missing_keys") or ()))
    if spec.task == "embed":
        # A part on top that is not used here.
        missing = [name for name in missing if "pooler." not in name]
    mismatched = sorted(str(item[0]) for item in report.get("mismatched_keys") or ())
    if missing or mismatched:
        named = ", ".join([*missing, *mismatched][:5])
        raise invalid(
            f"load_model: {spec.source.folder} is no model for the task {spec.task}: "
            f"{len(missing) + len(mismatched)} of its weights are not in the files ({named})"
        )
