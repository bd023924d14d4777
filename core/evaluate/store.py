"""The one JSON of an evaluation: written anew, whole, after each cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.checkpoint import Checkpoint, write_atomically
from core.errors import DataError

SCHEMA = "ddim-evaluation/1"


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object of an evaluation. Raises DataError for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing: python -m core evaluate CHECKPOINT makes it.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON ({error}): restore it or name another --out.") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or "cells" not in document:
        raise DataError(f"{path} is no {SCHEMA} file: name another --out.")
    return document


@dataclass
class Store:
    """document: schema, checkpoint, and cells by key; each with its conditions, figures, machine, versions, times."""

    path: Path
    document: dict[str, Any]

    @classmethod
    def open(cls, path: Path, checkpoint: Checkpoint) -> Store:
        """What is there already, or a new one. Raises DataError where it is about other weights."""
        about = {
            "name": checkpoint.name,
            "sha256": checkpoint.sha256,
            "shape": list(checkpoint.shape),
            "T": checkpoint.schedule.T,
            "spacing": checkpoint.defaults.spacing,
            "clip_range": checkpoint.defaults.clip_range,
            "prediction_type": checkpoint.defaults.prediction_type,
        }
        if not path.exists():
            return cls(path, {"schema": SCHEMA, "checkpoint": about, "cells": {}})
        document = read_document(path)
        there = str(document["checkpoint"]["sha256"])
        if there != checkpoint.sha256:
            raise DataError(
                f"{path} holds figures of other weights ({there[:8]}, these are {checkpoint.sha256[:8]}): "
                "move it away or name another --out."
            )
        return cls(path, document)

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        return self.document["cells"]

    def has(self, key: str, conditions: Mapping[str, object], redo: bool = False) -> bool:
        """Whether this cell is done. Raises DataError where it was done otherwise, unless it may be redone."""
        if key not in self.cells:
            return False
        there = self.cells[key]["conditions"]
        for name in sorted({*there, *conditions}):
            if there.get(name) != conditions.get(name):
                if redo:
                    return False
                was, now = (str(x.get(name))[:12] for x in (there, conditions))
                raise DataError(
                    f"{self.path} has {key} with {name} = {was}, not {now}: "
                    "name another --out, or add --redo to replace it."
                )
        return True

    def put(self, key: str, record: dict[str, object]) -> None:
        """Keep a cell and write the file."""
        self.cells[key] = json.loads(json.dumps(record, allow_nan=False))
        data = json.dumps(self.document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        write_atomically(self.path, data.encode())
