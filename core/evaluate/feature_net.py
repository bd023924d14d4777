"""Small classifiers whose last hidden layer measures pictures: our ruler, not Inception's.

A Fréchet distance in these features is never an FID: it compares checkpoints of one data set with each other.
The layer has 64 dimensions at most, so that a thousand pictures determine its covariance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from core.atomic import write_atomically
from core.errors import CheckpointError
from core.inputs import open_regular, parse_json, why
from core.pixels import from_pixels

MAX_FEATURES = 64


@dataclass(frozen=True)
class FeatureConfig:
    """name: what the net was trained on. size, channels: of its pictures. widths: one halving of the side each.
    classes: number of classes of each categorical label. ramps: labels 0..1 to regress. rings: labels 0..1 of
    which 0 and 1 are the same, regressed as (cos, sin). features: width of the layer that measures.
    """

    name: str
    size: int
    channels: int
    widths: tuple[int, ...]
    classes: dict[str, int]
    ramps: tuple[str, ...] = ()
    rings: tuple[str, ...] = ()
    features: int = MAX_FEATURES


class FeatureNet(nn.Module):
    """Convolutions, halvings, a mean over the picture, a layer of features, one linear head a label."""

    def __init__(self, config: FeatureConfig) -> None:
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        before = config.channels
        for width in config.widths:
            for stride, into in ((2, before), (1, width)):
                # BatchNorm, not GroupNorm: what it takes away does not depend on the picture, so colours survive
                layers += [nn.Conv2d(into, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        self.trunk = nn.Sequential(*layers)
        self.measure = nn.Linear(before * 2, config.features)
        outputs = config.classes | dict.fromkeys(config.ramps, 1) | dict.fromkeys(config.rings, 2)
        self.heads = nn.ModuleDict({name: nn.Linear(config.features, width) for name, width in outputs.items()})

    def require(self, shape: Sequence[int]) -> None:
        """Raises CheckpointError where pictures of this shape (C,H,W) are not those that it measures."""
        own = (self.config.channels, self.config.size, self.config.size)
        if tuple(shape) != own:
            mine, theirs = ("×".join(map(str, sides)) for sides in (own, shape))
            raise CheckpointError(
                f"The feature net {self.config.name} measures {mine} pictures, these are {theirs}: name the one "
                "that was trained on their data."
            )

    def features(self, images: Tensor) -> Tensor:
        """(B,C,H,W) in [−1,1] → (B,features): means and maxima over the picture, mixed linearly."""
        x = self.trunk(images)
        return self.measure(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Raw outputs of every head: logits (B,classes), ramps (B,1), rings (B,2)."""
        hidden = self.features(images).relu()
        return {name: head(hidden) for name, head in self.heads.items()}

    def labels(self, images: Tensor) -> dict[str, Tensor]:
        """What the net takes the pictures for: class numbers (B,) and positions 0..1 (B,)."""
        out = self(images)
        found = {name: out[name].argmax(dim=1) for name in self.config.classes}
        found |= {name: out[name][:, 0].clamp(0, 1) for name in self.config.ramps}
        for name in self.config.rings:
            found[name] = torch.atan2(out[name][:, 1], out[name][:, 0]) / (2 * torch.pi) % 1
        return found

    @torch.no_grad()
    def label_pixels(self, pixels: NDArray[np.uint8], batch: int = 250) -> dict[str, NDArray[Any]]:
        """Pictures N×C×H×W → ``labels`` of all of them, each (N,)."""
        parts = [self.labels(from_pixels(pixels[i : i + batch])) for i in range(0, len(pixels), batch)]
        return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}

    @torch.no_grad()
    def certainty(self, pixels: NDArray[np.uint8], batch: int = 250) -> dict[str, NDArray[np.float64]]:
        """Pictures N×C×H×W → of each class attribute the probability of the class it takes each picture for: (N,)."""
        outs = [self(from_pixels(pixels[i : i + batch])) for i in range(0, len(pixels), batch)]
        return {
            name: torch.cat([out[name].softmax(dim=1).amax(dim=1) for out in outs]).double().numpy()
            for name in self.config.classes
        }

    @torch.no_grad()
    def measure_pixels(self, pixels: NDArray[np.uint8], batch: int = 250) -> Tensor:
        """Pictures N×C×H×W → features (N,features) float64. Raises CheckpointError at another size."""
        self.require(pixels.shape[1:])
        parts = (self.features(from_pixels(pixels[i : i + batch])) for i in range(0, len(pixels), batch))
        return torch.cat(list(parts)).double()


def save_feature_net(path: Path, net: FeatureNet, accuracy: Mapping[str, float]) -> None:
    """Weights, config and stated accuracy in one safetensors file."""
    about = {"config": json.dumps(asdict(net.config)), "accuracy": json.dumps(dict(accuracy))}
    tensors = {k: v.contiguous() for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(tensors, metadata=about))


def open_feature_net(path: Path) -> tuple[FeatureNet, dict[str, float]]:
    """(the net in eval mode, its held-out accuracy). Raises CheckpointError for anything else."""
    try:
        open_regular(path).close()  # a pipe would be waited for
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # no mapping
        fields, accuracy = parse_json(about["config"]), parse_json(about["accuracy"])
        for key in ("widths", "ramps", "rings"):
            fields[key] = tuple(fields[key])
        sizes = (*fields["widths"], fields["size"], fields["channels"], *fields["classes"].values())
        if not all(type(size) is int and 0 < size <= 10_000 for size in sizes):
            raise ValueError("its sizes are none that a net has")
        net = FeatureNet(FeatureConfig(**fields))
        missing, unexpected = net.load_state_dict(tensors, strict=False)
        if unexpected or any(not key.endswith("num_batches_tracked") for key in missing):
            raise KeyError(f"weights {[*missing, *unexpected][0]}")
    except (
        OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError,
    ) as error:  # fmt: skip
        raise CheckpointError(
            f"{path} is no feature net ({why(error)}): train one with python -m core features."
        ) from error
    return net.eval(), accuracy
