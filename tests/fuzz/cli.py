"""Commands with odd words and odd files. Each ends with status 0, or with 2 and one line; soon; and leaves no part."""

import contextlib
import gzip
import io
import json
import os
import random
import shutil
import struct
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core import NoiseSchedule, SamplingDefaults, UNet, UNetConfig, save_checkpoint
from core.__main__ import main

LONGEST = 300
SLOW_S = 20  # on a machine that others use too
TINY = UNetConfig(
    sample_size=8, block_out_channels=(8, 16), down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"), layers_per_block=1, norm_num_groups=4, attention_head_dim=None,
)  # fmt: skip

# nothing that is allowed and takes long
WORDS = [
    "", " ", "0", "1", "2", "-1", "3.5", "1e999", "-inf", "nan", "1_0", "٣", "0x10", "9" * 30, "9" * 6000, "a", "a\nb",
    "\x1b[2J", "\ud800", "\udcff", "a\0b", "0-3", "3-1", "1,,2", ",", "--", "-", ".", "..", "/", "~nobody/x", "/dev/null",  # noqa: E501
    "/dev/full", "/dev/zero", "/proc/self/mem", "pipe", "folder", "circle", "missing/x.npy", "n" * 300, "x/" * 3000, "[" * 999,  # noqa: E501
    "x.npy", "x.png", "x.gif", "x.webp", "./x.npy", "link.npy", "X.PNG", "x.npy.png", "%s", "{}", "$(true)", "'", "é" * 200,  # noqa: E501
]  # fmt: skip
OPTIONS = {
    "sample": "steps eta seeds spacing timesteps latents solver device precision backend batch threads timing columns "
              "out start",
    "interpolate": "steps eta seeds frames sheet place batch columns timing out latents timesteps",
    "encode": "steps spacing refine batch device precision out",
    "branch": "at count eta trunk-eta seed picture refine latents start steps timesteps batch out",
    "train": "out state start-from size channels layers groups attention steps batch lr warmup decay ema grad-clip seed "  # noqa: E501
             "min-snr balance coarse device save-every prediction beta-schedule",
    "features": "out name widths epochs batch lr seed",
    "evaluate": "what cells n n-rest data held-out features budget out state seeds-from batch chunk device render",
    "bench": "steps rounds batches precisions device out",
    "faces": "out held-out seed workers",
    "info": "", "convert": "",
}  # fmt: skip
COMMANDS = {
    "sample": "sample net --seeds 1,2 --steps 2 --device cpu --out out.npy",
    "interpolate": "interpolate net --seeds 1,2 --frames 3 --steps 2 --device cpu --out out.png",
    "encode": "encode net picture.png --steps 2 --device cpu --out out.npy",
    "branch": "branch net --at 500 --steps 2 --count 2 --device cpu --out out.png",
    "train": "train data.npz --out trained --state state --size 8 --channels 8,16 --attention 1 --batch 2 --steps 2",
    "features": "features data.npz data.npz --out features.safetensors --name x --widths 8 --batch 2 --epochs 1",
    "evaluate": "evaluate net --what speed --cells nothing --state state",
    "bench": "bench net --precisions none --out bench.json",
    "faces": "faces --out faces --n 0",
    "info": "info net", "convert": "convert net converted",
}  # fmt: skip
READ = {  # the file a command reads, given in its own way
    "latents.npy": "sample net --latents latents.npy --seeds 1,2 --steps 2 --device cpu --out out.npy",
    "latents.json": "sample net --latents latents.npy --device cpu --out out.npy",
    "picture.png": COMMANDS["encode"],
    "picture.gif": COMMANDS["encode"].replace("picture.png", "picture.gif"),
    "data.npz": COMMANDS["train"],
    "data-idx3-ubyte": COMMANDS["train"].replace("data.npz", "data-idx3-ubyte"),
    "data.gz": COMMANDS["train"].replace("data.npz", "data.gz"),
    "evaluation.json": "evaluate other --out evaluation.json --render page.md",
    "labelled.npz": COMMANDS["features"].replace("data.npz", "labelled.npz"),
}


@dataclass
class Outcome:
    """argv: what was typed. status: how it ended. wrong: why that is none of the ends allowed, or empty."""

    argv: list[str]
    spoilt: str = ""
    status: int | None = None
    err: str = ""
    seconds: float = 0.0
    wrong: str = ""

    def __str__(self) -> str:
        words = [word if len(word) < 60 else f"{word[:30]}…({len(word)})" for word in self.argv]
        return (
            f"{self.wrong}\n    {words!r} {self.spoilt}\n    {self.status} in {self.seconds:.1f} s: {self.err[-600:]!r}"
        )


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

    def run(self, seed: int) -> Outcome:
        """One case. Everything in it follows from the seed."""
        rng = random.Random(seed)
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.good, self.work)
        here = Path.cwd()
        os.chdir(self.work)
        try:
            os.mkfifo("pipe")
            Path("folder").mkdir()
            Path("circle").symlink_to("circle")
            Path("link.npy").symlink_to("out.npy")
            found = _spoilt_file(rng) if rng.random() < 0.5 else _odd_words(rng)
            _judge(found)
        finally:
            os.chdir(here)
        self.ends[f"{found.argv[0] if found.argv[0] in COMMANDS else 'no verb'} {found.status}"] += 1
        return found


def _odd_words(rng: random.Random) -> Outcome:
    verb = rng.choice(list(COMMANDS))
    argv = COMMANDS[verb].split()
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        kind = rng.random()
        if kind < 0.7 and OPTIONS[verb]:
            option = f"--{rng.choice(OPTIONS[verb].split())}"
            argv += [f"{option}={rng.choice(WORDS)}"] if rng.random() < 0.5 else [option, rng.choice(WORDS)]
        elif kind < 0.85:
            argv[rng.randrange(1, len(argv))] = rng.choice(WORDS)
        else:
            argv.insert(rng.randrange(len(argv) + 1), rng.choice([*WORDS, "--help", "--columns", "--nonsense"]))
    return Outcome(argv)


def _spoilt_file(rng: random.Random) -> Outcome:
    name = rng.choice(list(READ))
    path = Path(name)
    data = bytearray(path.read_bytes())
    how = rng.choice(["flip", "flip", "cut", "swell", "numbers", "splice", "pipe", "folder", "empty", "brackets"])
    if how == "flip":
        for _ in range(rng.choice([1, 2, 8])):
            data[rng.randrange(min(len(data), 300))] = rng.randrange(256)
    elif how == "cut":
        del data[rng.randrange(len(data)) :]
    elif how == "swell":
        data += bytes(rng.choice([1, 999, 1 << 20]))
    elif how == "numbers":
        at = rng.randrange(max(1, min(len(data), 200) - 4))
        data[at : at + 4] = rng.choice(
            [b"\xff\xff\xff\xff", b"9999", b"\0\0\0\0", b"-1, ", b"((((", b"\x7f\xff\xff\xff"]
        )
    elif how == "splice":
        other = Path(rng.choice(list(READ))).read_bytes()
        at = rng.randrange(len(data))
        data[at:] = other[rng.randrange(len(other)) :]
    elif how == "empty":
        data.clear()
    elif how == "brackets":
        at = rng.randrange(len(data))
        data[at:at] = rng.choice([b"[" * 5000, b"1e999", b"NaN", b"{" * 5000, b'"\\ud800"', b"9" * 5000])
    path.unlink()
    if how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    else:
        path.write_bytes(data)
    return Outcome(READ[name].split(), f"{name}: {how}")


def _judge(found: Outcome) -> None:
    """Run the command and say what is wrong with its end."""
    out, err = io.StringIO(), io.StringIO()
    started = time.monotonic()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            found.status = main(found.argv)
    except BaseException:
        found.err, found.wrong = traceback.format_exc(), "a traceback"
        return
    finally:
        found.seconds = time.monotonic() - started
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
    elif found.seconds > SLOW_S:
        found.wrong = "slow"
