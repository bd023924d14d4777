"""The command line under any words and files: status 0, or 2 and one line; soon; and whole files or none are left."""

import contextlib
import gzip
import io
import json
import os
import shutil
import struct
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core import NoiseSchedule, SamplingDefaults, UNet, UNetConfig, save_checkpoint
from core.__main__ import main
from tests.fuzz.commands import CASES, COMMANDS, Case
from tests.fuzz.watch import SLOW_S, Cost, EndlessError, ended, watched

__all__ = ["CASES", "TINY", "Bench"]

LONGEST = 300
DONE_S = 10  # of the processor, for work that was asked for and done
TINY = UNetConfig(
    sample_size=8, block_out_channels=(8, 16), down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"), layers_per_block=1, norm_num_groups=4, attention_head_dim=None,
)  # fmt: skip


@dataclass
class Outcome:
    """status: how it ended. wrong: why that is none of the ends allowed, or empty."""

    case: Case
    status: int | None = None
    err: str = ""
    cost: Cost = field(default_factory=Cost)
    wrong: str = ""

    def __str__(self) -> str:
        words = [word if len(word) < 60 else f"{word[:30]}…({len(word)})" for word in self.case.argv]
        spoilt = f"{self.case.name} {repr(self.case.spoilt)[:400]}" if self.case.name else ""
        end = f"{self.status} in {self.cost.seconds:.1f} s, {self.cost.peak_mb:.0f} MB: {self.err[-600:]!r}"
        return f"{self.wrong}\n    {words!r} {spoilt}\n    {end}"


@dataclass
class Bench:
    """good: a folder of a tiny checkpoint and one good file of each kind, copied for each case into ``work``."""

    good: Path
    work: Path
    ends: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, folder: Path) -> "Bench":
        good = folder / "good"
        good.mkdir()
        torch.manual_seed(7)
        defaults = SamplingDefaults(prediction_type="v_prediction")
        save_checkpoint(good / "net", UNet(TINY).state_dict(), TINY, NoiseSchedule(), defaults)
        rng = np.random.default_rng(0)
        pictures = rng.integers(0, 256, (4, 8, 8), dtype=np.uint8)
        np.save(good / "latents.npy", rng.standard_normal((2, 3, 8, 8), dtype=np.float32))
        (good / "latents.json").write_text(json.dumps({"schema": "ddim-latents/1", "checkpoint": {"name": "net"}}))
        for suffix in ("png", "gif"):
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(good / f"picture.{suffix}")
        np.savez_compressed(good / "data.npz", images=pictures)
        np.savez(good / "labelled.npz", images=pictures, shape_x=np.array([0, 1, 0, 1]), colour_y=rng.random(4))
        idx = struct.pack(">BBBBIII", 0, 0, 8, 3, *pictures.shape) + pictures.tobytes()
        (good / "data-idx3-ubyte").write_bytes(idx)
        (good / "data.gz").write_bytes(gzip.compress(idx))
        about = {"schema": "ddim-evaluation/1", "checkpoint": {"name": "net", "sha256": "0", "T": 1000}, "cells": {}}
        (good / "evaluation.json").write_text(json.dumps(about))
        return cls(good, folder / "work")

    def counts(self) -> str:
        return ", ".join(f"{end} {times}" for end, times in sorted(self.ends.items()))

    def run(self, case: Case) -> Outcome:
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.good, self.work)
        found, here = Outcome(case), Path.cwd()
        os.chdir(self.work)
        try:
            os.mkfifo("pipe")
            Path("folder").mkdir()
            Path("circle").symlink_to("circle")
            Path("link.npy").symlink_to("out.npy")
            for way in case.spoilt:
                way(Path(case.name))
            _judge(found)
        finally:
            os.chdir(here)
        self.ends[f"{case.argv[0] if case.argv[0] in COMMANDS else 'no verb'} {found.status}"] += 1
        return found


def _judge(found: Outcome) -> None:
    """Run the command and say what is wrong with its end."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with watched() as found.cost, ended(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found.status = main(list(found.case.argv))
    except EndlessError:
        found.wrong = "it does not end"
        return
    except BaseException:
        found.err, found.wrong = traceback.format_exc(), "a traceback"
        return
    found.err = err.getvalue()
    last = found.err.removesuffix("\n").rpartition("\n")[2]
    parts = [str(path) for path in Path().rglob("*.part")]
    if found.status not in (0, 2):
        found.wrong = "another status"
    elif found.status == 2 and (not last.startswith("python -m core") or len(last) >= LONGEST or "\x1b" in last):
        found.wrong = "no short line"
    elif found.status == 2 and (out.getvalue() or Path("out.npy").exists() or Path("out.png").exists()):
        found.wrong = "refused, yet something was made"
    elif parts:
        found.wrong = f"parts are left: {parts}"
    else:
        found.wrong = _broken_output() or found.cost.too_much(SLOW_S if found.status == 2 else DONE_S)


def _broken_output() -> str:
    """The first file that was made and is not whole, or empty."""
    for path in [*Path().glob("out.*"), *Path().glob("x.*")]:
        try:
            if path.is_file() and path.read_bytes()[:1] == b"{":  # --timing, under whatever name
                json.loads(path.read_text())
            elif path.suffix == ".npy":
                np.load(path)
            elif path.is_file():
                Image.open(path).load()
        except (OSError, ValueError, SyntaxError) as error:
            return f"{path} is not whole: {error}"
    return ""
