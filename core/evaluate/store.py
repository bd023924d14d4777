"""The one JSON of an evaluation: written anew, whole, after each cell."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.atomic import write_atomically
from core.checkpoint import Checkpoint
from core.errors import DataError
from core.inputs import read_json, why

SCHEMA = "ddim-evaluation/1"


def _whole(document: dict[str, Any]) -> bool:
    """Whether it says which weights it is about, and holds cells."""
    about, cells = document.get("checkpoint"), document.get("cells")
    return (
        isinstance(about, dict) and isinstance(about.get("sha256"), str) and type(about.get("T")) is int
        and isinstance(about.get("name"), str) and "/" not in about["name"]  # plots are named after it
        and isinstance(cells, dict) and all(isinstance(cell, dict) for cell in cells.values())
    )  # fmt: skip


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object of an evaluation. Raises DataError for anything else."""
    try:
        document = read_json(path)
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing: python -m core evaluate CHECKPOINT makes it.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON ({why(error)}): restore it or name another --out.") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or not _whole(document):
        raise DataError(f"{path} is no {SCHEMA} file: name another --out.")
    return document


@dataclass
class Store:
    """document: schema, checkpoint, and cells by key; each with its conditions, figures, machine, versions, times.

    mine: keys of the cells that were put here.
    """

    path: Path
    document: dict[str, Any]
    mine: set[str] = field(default_factory=set)

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
        """Whether this cell is done and stays. Raises DataError where it was done otherwise, unless it is redone."""
        if redo or key not in self.cells:
            return False
        self._compare(key, conditions, {*self.cells[key]["conditions"], *conditions})
        return True

    def fits(self, kind: str, conditions: Mapping[str, object], replaced: Collection[str] = ()) -> None:
        """Raise DataError where a cell would stand in one table with cells of another n, ruler or seeds. replaced: keys
        of cells that do not count, since they are being made anew."""
        for key, there in self.cells.items():
            if there["kind"] == kind and key not in replaced:
                self._compare(key, conditions, {*there["conditions"]} & {*conditions})

    def _compare(self, key: str, conditions: Mapping[str, object], names: Collection[str]) -> None:
        there = self.cells[key]["conditions"]
        for name in sorted(names):
            if there.get(name) != conditions.get(name):
                was, now = (str(x.get(name))[:12] for x in (there, conditions))
                raise DataError(
                    f"{self.path} has {key} with {name} = {was}, not {now}: "
                    "name another --out, or make all its cells of this kind anew with --redo."
                )

    def put(self, key: str, record: dict[str, object]) -> None:
        """Keep a cell and write the file, with what another process may have put there meanwhile."""
        cell = json.loads(json.dumps(record, allow_nan=False))
        if self.path.exists():
            self.cells.update({k: v for k, v in read_document(self.path)["cells"].items() if k not in self.mine})
        self.mine.add(key)
        self.cells[key] = cell
        data = json.dumps(self.document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
        write_atomically(self.path, data.encode())
