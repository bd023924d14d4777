"""One temporary folder for everything that this process writes while it runs, gone when it ends, however it ends.

Gradio leaves its files at SIGTERM, and nothing can remove them at SIGKILL: then the next start does. No gradio here: it
reads the folder's name from the environment when it is imported.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

PREFIX, LOCK = "ddim-explorer-", "in-use"
YOUNG_S = 60.0  # a folder without its lock file may be on its way


def use(parent: str | None = None) -> Path:
    """Make the folder under ``parent`` (GRADIO_TEMP_DIR, or the system's own), remove those that nobody uses any more,
    and tell Gradio. Raises OSError."""
    above = Path(parent or os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
    above.mkdir(parents=True, exist_ok=True)
    sweep(above)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=above))  # for this user alone
    held = (folder / LOCK).open("w")
    _lock(held)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(_end, folder, held)
    return folder


def _end(folder: Path, held: IO[str]) -> None:
    held.close()  # Windows removes no open file
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)  # once more, as a thread may have been writing


def sweep(above: Path) -> list[Path]:
    """Remove the folders of processes that are gone, this user's own only."""
    gone = []
    for folder in above.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if not folder.is_symlink() and folder.is_dir() and _mine(folder) and _left(folder):
                shutil.rmtree(folder)
                gone.append(folder)
    return gone


def _mine(folder: Path) -> bool:
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _left(folder: Path) -> bool:
    """Whether no process holds its lock: the system lets go of it when a process ends, killed or not."""
    lock = folder / LOCK
    if not lock.exists():
        return time.time() - folder.stat().st_mtime > YOUNG_S
    if os.name == "nt":
        lock.unlink()  # OSError while it is open
        return True
    with lock.open("r+") as held:
        return _lock(held)


def _lock(held: IO[str]) -> bool:
    """Whether it could be had. On Windows an open file is enough."""
    if os.name == "nt":
        return True
    import fcntl

    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
