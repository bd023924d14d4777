"""A whole evaluation in small: 8×8 pictures, T = 20, a feature net of random weights with 4 features."""

from pathlib import Path

import numpy as np
import torch

from core import Engine, NoiseSchedule, SamplingDefaults, UNet, save_checkpoint
from core.evaluate.feature_net import FeatureConfig, FeatureNet, save_feature_net
from core.evaluate.setup import Setup

T = 20
RULER = FeatureConfig("toy", 8, 3, (8,), {"shape": 3}, ("ramp",), ("ring",), features=4)


def make_checkpoint(folder: Path, config, seed=3) -> Path:
    torch.manual_seed(seed)
    schedule = NoiseSchedule(num_train_timesteps=T, beta_start=0.005, beta_end=0.5)
    save_checkpoint(folder, UNet(config).state_dict(), config, schedule, SamplingDefaults("v_prediction"))
    return folder


def make_ruler(seed=5) -> FeatureNet:
    torch.manual_seed(seed)
    return FeatureNet(RULER).eval()


def make_pictures(n, seed=0):
    """Coarse pictures N×3×8×8 uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 3, 4, 4), dtype=np.uint8)
    return coarse.repeat(2, axis=2).repeat(2, axis=3)


def make_files(folder: Path, config) -> Path:
    """net/, features/net.safetensors, train.npz (80 pictures), held.npz (40) in one folder."""
    make_checkpoint(folder / "net", config)
    save_feature_net(folder / "features" / "net.safetensors", make_ruler(), {"shape": 0.5})
    np.savez(folder / "train.npz", images=make_pictures(80).transpose(0, 2, 3, 1))
    np.savez(folder / "held.npz", images=make_pictures(40, 1).transpose(0, 2, 3, 1))
    return folder


def make_setup(folder: Path, state: Path, **options) -> Setup:
    found = {"n_rest": 6, "batch": 4, "chunk": 6, "features_sha256": "ruler"} | options
    engine = Engine.open(folder / "net", "cpu")
    return Setup(engine, state, make_ruler(), training=make_pictures(80), held_out=make_pictures(40, 1), **found)
