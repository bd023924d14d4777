"""Where files are written to: asked before the work, not after it."""

from __future__ import annotations

from pathlib import Path

from core.errors import RequestError


def require_folder(path: str | Path) -> None:
    """Raises RequestError where ``path`` is not the name of a file in a folder that is there."""
    path = Path(path)
    folder = path.resolve().parent
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise RequestError(f"The folder {folder} of {path.name} {what}: make it first, or name another.")
    if path.is_dir():
        raise RequestError(f"{path} is a folder: name a file in it.")
