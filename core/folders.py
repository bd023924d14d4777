"""Where files are written to: asked before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

from core.atomic import target_of
from core.errors import RequestError


def require_folder(path: str | Path) -> None:
    """Raises RequestError where ``path`` is not the name of a file that can be written, in a folder that is there."""
    path = Path(path)
    try:
        if path.is_dir():
            raise RequestError(f"{path} is a folder: name a file in it.")
        target = target_of(path)
        folder, there = target.parent, target.exists()
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            raise RequestError(f"The folder {folder} of {path.name} {what}: make it first, or name another.")
    except OSError as error:  # a name too long, a circle of links, a folder that may not be entered
        raise RequestError(f"{path} cannot be written ({error.strerror}): name another file.") from error
    # a file that is there must be writable too: renaming would replace even one that somebody protected
    needed = [target] if target.is_char_device() else [folder, target] if there else [folder]
    if not all(os.access(place, os.W_OK) for place in needed):
        raise RequestError(f"{path} cannot be written, as its folder or itself is read-only: name another file.")


def require_files(*paths: str | Path) -> None:
    """As ``require_folder`` for files that are written together; raises RequestError where two are one file, too."""
    taken: dict[Path, str | Path] = {}
    for path in paths:
        require_folder(path)
        target = target_of(Path(path))
        if target in taken and not target.is_char_device():
            raise RequestError(f"{path} and {taken[target]} are one file: give each its own.")
        taken[target] = path


def require_new(folder: Path) -> None:
    """Raises RequestError where ``folder`` holds something, or is a file."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RequestError(f"{folder} is there already: name a new folder.")


def require_place(folder: str | Path) -> None:
    """Raises RequestError where ``folder`` is neither a folder that can be written in nor one that can be made."""
    folder = Path(folder)
    try:
        there = next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
        folder.exists()  # a name too long
    except (OSError, RuntimeError) as error:  # Python 3.11 has the latter for a circle of links
        raise RequestError(f"{folder} cannot be made ({error}): name another folder.") from error
    if not there.is_dir():
        raise RequestError(f"{there} is a file: name a folder.")
    if not os.access(there, os.W_OK):
        raise RequestError(f"{there} is read-only: name another folder, or change its permissions.")
