"""How does a test get a distribution that nobody has published?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def make_distribution(
    folder: Path, name: str, version: str, files: dict[str, str] | None = None
) -> None:
    """Install a distribution by hand.

    Parameters
    ----------
    folder : Path
        One of ``sys.path``.
    name, version : str
        What its metadata says.
    files : dict of str to str, optional
        Its files by path. Without it, it keeps no list of them.
    """
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata)
    if files is None:
        return
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    own = [f"{info.name}/METADATA", f"{info.name}/RECORD"]
    record = "".join(f"{path},,\n" for path in [*files, *own])
    (info / "RECORD").write_text(record)
