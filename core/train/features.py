"""``python -m core features``: train a feature net on labelled pictures, state its held-out accuracy, save it."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.arguments import MAX_SEED, path_from, real_from, whole_from
from core.data.datasets import UInt8Array, read_idx_images, read_idx_labels, read_npz_images, read_npz_labels
from core.errors import DataError, NetworkError
from core.evaluate.feature_net import FeatureConfig, FeatureNet, save_feature_net
from core.folders import require_folder, require_place
from core.pixels import from_pixels
from core.train.bounds import MAX_LR, MAX_TRAIN_BATCH, net_widths

RINGS = ("colour_background", "colour_clothes")
MAX_CLASSES = 10_000
Labels = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Labelled:
    """images N×C×H×W uint8, labels: an array (N,) each, integer classes or positions 0..1."""

    images: UInt8Array
    labels: Labels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data", type=path_from, help="toon-face .npz, or idx3 images with their idx1 labels beside them"
    )
    parser.add_argument("held_out", type=path_from, help="the same for the pictures that state the accuracy")
    parser.add_argument("--out", type=path_from, required=True, help="the .safetensors file to write")
    parser.add_argument("--name", required=True, help="what the features are of, such as fashion-mnist")
    parser.add_argument("--widths", default="32,64,96,128", help="channels after each halving")
    parser.add_argument("--epochs", type=whole_from(1, 10_000), default=8)
    parser.add_argument("--batch", type=whole_from(2, MAX_TRAIN_BATCH), default=128)
    parser.add_argument("--lr", type=real_from(0, MAX_LR, above=True), default=2e-3)
    parser.add_argument("--seed", type=whole_from(0, MAX_SEED), default=0)
    parser.add_argument("--threads", type=whole_from(0, 1024), default=0, help="0: torch's choice")


def load(path: Path) -> Labelled:
    """Raises DataError where images and labels do not go together."""
    if path.suffix == ".npz":
        data = Labelled(read_npz_images(path), read_npz_labels(path))
    else:
        beside = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
        data = Labelled(read_idx_images(path), {"class": read_idx_labels(beside)})
    if not data.labels:
        raise DataError(f"{path} has no labels: python -m core faces makes a file that has.")
    for name, values in data.labels.items():
        if len(values) != len(data.images):
            raise DataError(f"{path} has {len(data.images)} images but {len(values)} labels of {name}: make it again.")
        if (
            values.dtype.kind in "iu"
            and not 0 <= int(values.min(initial=0)) <= int(values.max(initial=0)) < MAX_CLASSES
        ):
            raise DataError(
                f"{path} has labels of {name} that are no classes from 0 to {MAX_CLASSES - 1}: make it again."
            )
        if values.dtype.kind == "f" and not bool(((values >= 0) & (values <= 1)).all()):  # type: ignore[operator]
            raise DataError(f"{path} has labels of {name} outside 0..1: make it again.")
    return data


def feature_config(name: str, data: Labelled, widths: tuple[int, ...]) -> FeatureConfig:
    classes = {k: 1 + int(np.max(v)) for k, v in data.labels.items() if v.dtype.kind in "iu"}
    floats = [k for k, v in data.labels.items() if v.dtype.kind == "f"]
    return FeatureConfig(
        name, data.images.shape[2], data.images.shape[1], widths, classes,
        ramps=tuple(k for k in floats if k not in RINGS), rings=tuple(k for k in floats if k in RINGS),
    )  # fmt: skip


def loss(config: FeatureConfig, out: dict[str, Tensor], labels: dict[str, Tensor]) -> Tensor:
    """Cross-entropies of the classes and squared errors of the colours, tenfold to be of one size."""
    total = torch.zeros(())
    for name in config.classes:
        total = total + F.cross_entropy(out[name], labels[name].long(), label_smoothing=0.05)
    for name in config.ramps:
        total = total + 10 * F.mse_loss(out[name][:, 0], labels[name])
    for name in config.rings:
        angle = 2 * torch.pi * labels[name]
        total = total + 10 * F.mse_loss(out[name], torch.stack([angle.cos(), angle.sin()], dim=1))
    return total


@torch.no_grad()
def accuracy(net: FeatureNet, data: Labelled, batch: int = 250) -> dict[str, float]:
    """Share of right classes; for a colour, 1 − the mean distance on its ramp (or ring, the short way round)."""
    net.eval()
    parts = [net.labels(from_pixels(data.images[i : i + batch])) for i in range(0, len(data.images), batch)]
    found = {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}
    scores = {name: float(np.mean(found[name] == data.labels[name])) for name in net.config.classes}
    for name in (*net.config.ramps, *net.config.rings):
        away = np.abs(found[name] - data.labels[name])
        scores[name] = float(1 - np.mean(np.minimum(away, 1 - away) if name in net.config.rings else away))
    return scores


def shifted(x: Tensor, generator: torch.Generator) -> Tensor:
    """The batch moved by −2..2 pixels each way: labels do not depend on the place."""
    dy, dx = torch.randint(-2, 3, (2,), generator=generator).tolist()
    return F.pad(x, (2, 2, 2, 2), mode="replicate")[:, :, 2 + dy : 2 + dy + x.shape[2], 2 + dx : 2 + dx + x.shape[3]]


def train(data: Labelled, config: FeatureConfig, epochs: int, batch: int, lr: float, seed: int) -> FeatureNet:
    """AdamW with a one-cycle learning rate; everything random follows from ``seed``."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = FeatureNet(config).train()
    steps = max(1, epochs * (len(data.images) // batch))
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.02)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps + 1, pct_start=0.2)
    order = torch.randperm(len(data.images), generator=generator)
    started, at = time.perf_counter(), 0
    for step in range(steps):
        if at + batch > len(order):
            order, at = torch.randperm(len(data.images), generator=generator), 0
        rows = order[at : at + batch].numpy()
        at += batch
        labels = {name: torch.from_numpy(values[rows].astype(np.float32)) for name, values in data.labels.items()}
        value = loss(config, net(shifted(from_pixels(data.images[rows]), generator)), labels)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        rate.step()
        if step % 100 == 99:
            print(f"step {step + 1}/{steps}  loss {value.item():.3f}  {time.perf_counter() - started:.0f} s",
                  file=sys.stderr, flush=True)  # fmt: skip
    return net.eval()


def run(args: argparse.Namespace) -> None:
    require_place(args.out.parent)
    if args.out.parent.is_dir():
        require_folder(args.out)
    widths = net_widths(args.widths, "--widths")
    if args.threads > 0:
        torch.set_num_threads(args.threads)

    data, held_out = load(args.data), load(args.held_out)
    if data.images.shape[1:] != held_out.images.shape[1:] or set(data.labels) != set(held_out.labels):
        raise DataError(f"{args.held_out} holds other pictures or labels than {args.data}: give two files of one kind.")
    if len(data.images) < args.batch:
        raise DataError(f"{args.data} has {len(data.images)} pictures, fewer than a --batch of {args.batch}.")
    config = feature_config(args.name, data, widths)
    net = train(data, config, args.epochs, args.batch, args.lr, args.seed)
    if not all(bool(torch.isfinite(value).all()) for value in net.state_dict().values()):
        raise NetworkError(f"The weights became NaN or infinite: train with an --lr below {args.lr:g}.")
    scores = accuracy(net, held_out)
    save_feature_net(args.out, net, scores)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, held out n = {len(held_out.images)}")
    for name, score in scores.items():
        print(f"  {name:18} {score:.4f}")
