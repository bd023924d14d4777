"""Checkpoints that visitors name: folders below the one that the host allows, and ids of the hub. No torch.

What a visitor types is a path only inside that folder, links followed; of anything outside not even its being there is
told. The host's own checkpoints need none of this.
"""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import CheckpointError
from core.hub import Located, from_hub, read_id
from core.json_files import shown
from core.layouts import find_layout

MOST_TEXT, MOST_FILES = 300, 20_000
REMEDY = "name a folder below the one that this page may open, or an id of the hub such as google/ddpm-cifar10-32."


class Allowed:
    """root: the folder below which checkpoints may be opened."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()

    def locate(self, text: str) -> Located:
        """Where the checkpoint lies that a visitor named, downloaded if need be. Raises CheckpointError, with no
        path of this machine in it."""
        text = text.strip()
        if not text or len(text) > MOST_TEXT:
            raise CheckpointError(f"{shown(text) if text else 'Nothing'} is no checkpoint: {REMEDY}")
        inside = self._inside(text)
        if inside is not None:
            return Located(inside, inside.name, str(inside))
        named = read_id(text)
        if named is not None:
            return from_hub(*named)
        raise CheckpointError(f"There is no checkpoint {shown(text)} that may be opened here: {REMEDY}")

    def _inside(self, text: str) -> Path | None:
        """The folder of a checkpoint that lies inside the root with all that is in it, wherever links lead, or None."""
        try:
            folder = (self.root / text).resolve()
            if folder == self.root or not folder.is_relative_to(self.root) or find_layout(folder) is None:
                return None
            # what is saved while a network is trained has its schedule in the folder above
            whole = folder.parent if folder.name.startswith("checkpoint-") and folder.parent != self.root else folder
            return folder if self._stays(whole) else None
        except (OSError, ValueError, RuntimeError):  # links that go round, names that are none
            return None

    def _stays(self, folder: Path) -> bool:
        """Whether no link in a folder leads out of the root. One of too many files is not looked through."""
        seen = 0
        for inside, folders, files in os.walk(folder):
            seen += len(folders) + len(files)
            if seen > MOST_FILES:
                return False
            for path in (Path(inside, name) for name in (*folders, *files)):
                if path.is_symlink() and not path.resolve().is_relative_to(self.root):
                    return False
        return True
