"""Where is a model, and may its files be read?

A model is a directory: one that is named by its path, or the local copy of a repository of the hub.
Only weights that are numbers and nothing else are read: safetensors and GGUF. A pickle runs code
when it is read, and is refused; so is a model that brings its own code.
"""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caduceus._errors import BridgeError
from caduceus.bridges._arguments import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_PATH_BEGINNINGS = ("/", "./", "../", "~")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
# What a download takes: never code, never a pickle.
_DOWNLOADED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
_DOWNLOADED_WITH_GGUF = ("*.json", "*.txt", "*.model", "*.jinja")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model is.

    Attributes
    ----------
    name : str
        As the caller named it.
    folder : str
        Its directory, absolute.
    gguf_file : str or None
        The file in it that has the weights, if they are not in safetensors.
    fingerprint : tuple
        Names, sizes and times of its files: another one is another model.
    """

    name: str
    folder: str
    gguf_file: str | None
    fingerprint: tuple[tuple[str, int, int], ...]


def find_source(args: Mapping[str, Any]) -> Source:
    """Find the directory that the arguments of ``load_model`` mean.

    Parameters
    ----------
    args : mapping
        ``model_name`` or ``path``, and ``gguf_file``, ``revision``, ``allow_download``; checked.

    Returns
    -------
    Source
        A directory whose files may be read.

    Raises
    ------
    BridgeError
        With code ``invalid_arguments`` or ``model_not_found``; of a download also
        ``connection_error``.
    """
    path: str | None = args.get("path")
    name: str | None = args.get("model_name")
    if (path is None) == (name is None):
        raise invalid("load_model needs either model_name or path")
    gguf_file: str | None = args.get("gguf_file")
    if name is not None and name.startswith(_PATH_BEGINNINGS):
        path = name
    if path is None:
        folder = _folder_of_hub(str(name), args)
    else:
        folder = os.path.abspath(os.path.expanduser(path))
        if folder.endswith(".gguf") and os.path.isfile(folder) and gguf_file is None:
            folder, gguf_file = os.path.split(folder)
        if not os.path.isdir(folder):
            state = "a file" if os.path.exists(folder) else "not there"
            raise invalid(f"load_model: {folder} is no directory, it is {state}")
    files = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    _check_files(folder, files, gguf_file)
    return Source(
        name=str(name or path),
        folder=folder,
        gguf_file=gguf_file,
        fingerprint=tuple(_print_of(folder, file) for file in files),
    )


def _check_files(folder: str, files: list[str], gguf_file: str | None) -> None:
    if gguf_file is not None:
        if os.path.basename(gguf_file) != gguf_file or not gguf_file.endswith(".gguf"):
            raise invalid("load_model: gguf_file must be the name of a .gguf file in the directory")
        if gguf_file not in files:
            raise invalid(f"load_model: {folder} has no file {gguf_file}")
        return
    if "config.json" not in files:
        ggufs = [name for name in files if name.endswith(".gguf")]
        hint = f"; give gguf_file: {', '.join(ggufs)}" if ggufs else ""
        raise invalid(f"load_model: {folder} has no config.json, so it is no model{hint}")
    if any(name.endswith(".safetensors") for name in files):
        return
    pickles = [name for name in files if name.endswith(_PICKLES)]
    if pickles:
        raise invalid(
            f"load_model: {folder} has its weights in {', '.join(pickles)}, a pickle, "
            "which can run any code when it is read; convert it to safetensors"
        )
    raise invalid(f"load_model: {folder} has no weights: there is no .safetensors file")


def _print_of(folder: str, name: str) -> tuple[str, int, int]:
    found = os.stat(os.path.join(folder, name))
    return name, found.st_size, found.st_mtime_ns


def _folder_of_hub(name: str, args: Mapping[str, Any]) -> str:
    if _HUB_ID.fullmatch(name) is None:
        raise invalid(
            f"load_model: {name!r:.200} is no model's name, such as gpt2 or org/model; "
            "a directory is named by its path, absolute or with ./ in front"
        )
    may_download = args.get("allow_download") is True
    gguf_file = args.get("gguf_file")
    hub: Any = importlib.import_module("huggingface_hub")
    errors: Any = importlib.import_module("huggingface_hub.errors")
    patterns = _DOWNLOADED if gguf_file is None else (*_DOWNLOADED_WITH_GGUF, gguf_file)
    try:
        folder: str = hub.snapshot_download(
            name,
            revision=args.get("revision"),
            local_files_only=not may_download,
            allow_patterns=list(patterns),
        )
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise _not_found(f"the hub has no model {name!r} that may be read: {error}") from error
    except errors.LocalEntryNotFoundError as error:
        if may_download:
            raise BridgeError(
                f"model {name!r} could not be downloaded: {error.__cause__ or error}",
                code="connection_error",
            ) from error
        raise _not_found(
            f"there is no local copy of {name!r}; downloads are off: allow them with "
            "allow_download, or give a path"
        ) from error
    return os.path.abspath(folder)


def _not_found(message: str) -> BridgeError:
    return BridgeError(message, code="model_not_found")
