"""A folder of exported models, one a checkpoint: $DDIM_CACHE, or ddim-explorer in the user's cache folder.

A file is called KEY.DIGEST.onnx, and DIGEST is the SHA-256 of what it holds: one rename puts a file and
its checksum in place together, and a file that was cut short or changed is seen and made anew.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from core.errors import BackendError

KEEP_FILES, KEEP_BYTES = 8, 2 << 30
STALE_S = 3600.0
"""A half-written file this old belongs to a process that died."""


def cache_folder() -> Path:
    """Where exports go; not made here. Raises BackendError where the user has no home."""
    if own := os.environ.get("DDIM_CACHE"):
        return Path(own).expanduser()
    shared = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(shared) if os.path.isabs(shared) else Path.home() / ".cache"  # a relative one is to be ignored
    except RuntimeError as error:
        raise BackendError("There is no home folder to keep exports in: set DDIM_CACHE to a folder.") from error
    return base / "ddim-explorer"


def cached_export(key: str, make: Callable[[], bytes], folder: Path | None = None) -> Path:
    """The file of ``key`` (letters, digits, dashes), made by ``make`` where there is no sound one.

    Any number of processes may ask at once: each gets a whole file. Raises BackendError where the
    folder cannot be written.
    """
    folder = cache_folder() if folder is None else folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = _sound(folder, key)
        if found is None:
            found = _write(folder, key, make())
            prune(folder, found)
    except OSError as error:
        raise BackendError(
            f"The cache {folder} cannot be used ({error.strerror or error}): set DDIM_CACHE to a folder of yours."
        ) from error
    return found


def _sound(folder: Path, key: str) -> Path | None:
    for path in sorted(folder.glob(f"{key}.*.onnx")):
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if path.name == f"{key}.{digest}.onnx":
                os.utime(path)  # used now: prune goes by it
                return path
            path.unlink()
        except FileNotFoundError:
            continue  # another process pruned it
    return None


def _write(folder: Path, key: str, data: bytes) -> Path:
    path = folder / f"{key}.{hashlib.sha256(data).hexdigest()}.onnx"
    handle, part = tempfile.mkstemp(suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return path


def prune(folder: Path, keep: Path) -> None:
    """Drop what was not used for longest, beyond KEEP_FILES files or KEEP_BYTES; ``keep`` stays whatever its size."""
    for part in folder.glob("*.part"):
        if time.time() - _stat(part)[0] > STALE_S:
            part.unlink(missing_ok=True)
    stats = {path: _stat(path) for path in folder.glob("*.onnx") if path != keep}
    count, size = 1, _stat(keep)[1]
    for path, (_, length) in sorted(stats.items(), key=lambda item: item[1], reverse=True):
        count, size = count + 1, size + length
        if count > KEEP_FILES or size > KEEP_BYTES:
            path.unlink(missing_ok=True)


def _stat(path: Path) -> tuple[float, int]:
    """(time of last use, bytes); zeros for a file that is gone."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0.0, 0
    return stat.st_mtime, stat.st_size
