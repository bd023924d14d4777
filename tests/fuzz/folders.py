"""Changes to a checkpoint folder, as hypothesis makes them: keys, numbers, headers of tensors, and whole files."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import torch
from diffusers import DDIMScheduler
from safetensors.torch import load_file, save_file

from tests.foreign import RunsCode, write_folder
from tests.fuzz.spoil import EDITS, INSTEAD, Edit, Instead, Other, Swollen
from tests.fuzz.values import ANY_TEXT, JSON, picked, weighted

WEIGHTS = "diffusion_pytorch_model.safetensors"
PICKLE = "diffusion_pytorch_model.bin"
VALUES = [
    None, True, False, 0, 1, -1, 2, 3, 7, 2.5, 1e9, 10**9, 10**30, 1e-30, float("nan"), float("inf"), float("-inf"),
    "", "silu", "linear", "epsilon", "x" * 5000, "../../etc/passwd", "\x00", [], [0], [1, 2], [8, 16], [8, 16, 16],
    [[[]]], [None], ["DownBlock2D", "DownBlock2D"], ["AttnUpBlock2D"], [float("nan")] * 3, [0.1] * 2000, {}, {"a": {}},
    [8192] * 12, 4096, 8, 16, 32, 1000, "v_prediction", "squaredcos_cap_v2", "scaled_linear",
]  # fmt: skip
NEW_KEYS = ["shift", "cross_attention_dim", "vae", "_class_name", "a" * 400, "", "\n", "use_karras_sigmas"]
GONE = "(the key is taken out)"
WHOLE = st.sampled_from([0, -1, 1, 7, 1 << 31, 1 << 62, 1 << 64, 10**30]) | st.integers(-(1 << 70), 1 << 70)
LIES = {
    "dtype": st.sampled_from(["F64", "BF16", "I8", "BOOL", "F8_E5M2", "C64", "X", ""]) | JSON,
    "shape": st.lists(WHOLE, max_size=5) | JSON,
    "data_offsets": st.lists(WHOLE, min_size=2, max_size=2) | JSON,
    "__metadata__": JSON,
}


@dataclass(frozen=True)
class Key:
    """A key of a JSON file becomes ``value``, or goes. What is no object any more stays as it is."""

    key: str
    value: Any

    def __call__(self, path: Path) -> None:
        try:
            values = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return
        if isinstance(values, dict):
            values = {**values, self.key: self.value}
            if self.value == GONE:
                del values[self.key]
            path.write_text(json.dumps(values))


@dataclass(frozen=True)
class Header:
    """What the head of a safetensors file says of one of its tensors, by number. field: of LIES."""

    tensor: int
    field: str
    value: Any

    def __call__(self, path: Path) -> None:
        data = path.read_bytes()
        try:
            size = struct.unpack("<Q", data[:8])[0]
            head = json.loads(data[8 : 8 + size])
            about = head if self.field == "__metadata__" else head[sorted(head)[self.tensor % len(head)]]
            about[self.field] = self.value
        except (struct.error, ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
            return  # spoilt before
        text = json.dumps(head).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])


@dataclass(frozen=True)
class Code:
    """A pickle that runs code when it is opened."""

    def __call__(self, path: Path) -> None:
        torch.save({"a": RunsCode(path.with_name("it-ran"))}, path)


@dataclass(frozen=True)
class Case:
    """kind: of GOOD. changes: (path in the folder, what is done to it) one after the other."""

    kind: str
    changes: tuple[tuple[str, Any], ...]


def write_good(folder: Path) -> dict[str, Path]:
    """Kind → a folder that opens: a pipeline, a flat one, weights in shards, a pickle."""
    kinds = {kind: folder / kind for kind in ("pipeline", "flat", "shards", "pickle")}
    for path in kinds.values():
        write_folder(path, DDIMScheduler())
    flat = kinds["flat"]
    for file in ("unet/config.json", f"unet/{WEIGHTS}", "scheduler/scheduler_config.json"):
        (flat / file).rename(flat / Path(file).name)
    (flat / "model_index.json").unlink()
    for name in ("unet", "scheduler"):
        (flat / name).rmdir()
    unet = kinds["shards"] / "unet"
    tensors, where = load_file(unet / WEIGHTS), {}
    for number, names in enumerate((sorted(tensors)[::2], sorted(tensors)[1::2])):
        shard = f"part-{number}.safetensors"
        save_file({name: tensors[name] for name in names}, unet / shard)
        where |= dict.fromkeys(names, shard)
    (unet / f"{WEIGHTS}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    (unet / WEIGHTS).unlink()
    unet = kinds["pickle"] / "unet"
    torch.save(load_file(unet / WEIGHTS), unet / PICKLE)
    (unet / WEIGHTS).unlink()
    return kinds


def _changes(path: Path) -> st.SearchStrategy:
    """To one file that is whole."""
    others = [beside.name for beside in path.parent.iterdir() if beside.is_file()]
    beside = st.builds(Other, st.sampled_from(sorted(others)), st.integers(0, 300))
    swollen = st.builds(Swollen, st.sampled_from([1, 999, 1 << 20]))
    any_file = weighted((4, EDITS), (1, swollen), (1, beside), (1, st.sampled_from(list(INSTEAD)).map(Instead)))
    if path.suffix == ".json":
        known = st.sampled_from(sorted(json.loads(path.read_text())))
        value = picked([GONE, *VALUES]) | JSON
        return weighted(
            (8, st.builds(Key, known, value)), (2, st.builds(Key, st.sampled_from(NEW_KEYS) | ANY_TEXT, value)),
            (2, any_file),
        )  # fmt: skip
    if path.suffix == ".safetensors":
        lies = st.one_of([st.builds(Header, st.integers(0, 99), st.just(name), lie) for name, lie in LIES.items()])
        huge = st.sampled_from([b"\0\0\xc0\x7f", b"\xff\xff\x7f\x7f"])  # NaN, and the largest number
        return weighted((4, lies), (2, st.builds(Edit, st.integers(0, 1 << 20), st.just(4), huge)), (4, any_file))
    return weighted((4, any_file), (1, st.just(Code())))


def cases(good: dict[str, Path]) -> st.SearchStrategy[Case]:
    """One to three changes to one of these folders."""
    kinds = []
    for kind, folder in good.items():
        files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".safetensors", ".bin"))
        one = st.one_of([st.tuples(st.just(str(p.relative_to(folder))), _changes(p)) for p in files])
        several = weighted((2, st.tuples(one)), (1, st.lists(one, min_size=2, max_size=3).map(tuple)))
        kinds.append((3 if kind in ("pipeline", "flat") else 1, st.builds(Case, st.just(kind), several)))
    return weighted(*kinds)
