"""Deeper networks from finished ones: they answer alike at first, and then learn with all they have."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_train_loop import CONFIG, SETTINGS, trainer

from core import DataError
from core.checkpoint import SamplingDefaults, open_checkpoint, save_checkpoint
from core.train.grow import grow
from core.unet import UNet

OLD = replace(
    CONFIG,
    dropout=0.0,
    block_out_channels=(8, 16, 24),
    down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
)
ATTENTION = {"down_block_types": ("AttnDownBlock2D",) * 3, "up_block_types": ("AttnUpBlock2D",) * 3}


def network(config, seed=0):
    torch.manual_seed(seed)
    net = UNet(config).eval()
    with torch.no_grad():  # away from the zeros and ones of a fresh network, where a lost weight could not be seen
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn(weight.shape))
    return net


def asked(net):
    x = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return net.eval()(x, torch.tensor([0, 400, 999]))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("further", [0, 1, 3])
@pytest.mark.parametrize("attention", [{}, ATTENTION])
def test_the_grown_network_answers_as_the_old_one_and_each_new_part_can_learn(layers, further, attention):
    old = network(replace(OLD, layers_per_block=layers))
    net = grow(old, replace(old.config, layers_per_block=layers + further, **attention))
    before = asked(old)
    assert torch.allclose(asked(net), before, atol=1e-5 * float(before.abs().max()))
    assert all(torch.any(w != v) for w, v in zip(asked(network(old.config, 1)), before, strict=True))
    net(torch.randn(2, 1, 8, 8), torch.tensor([3, 700])).square().mean().backward()
    last = [n for n, w in net.named_parameters() if n.endswith(("conv2.weight", "to_out.0.weight"))]
    assert len(last) > len([n for n, _ in old.named_parameters() if n in last]) or not (further or attention)
    assert all(bool(dict(net.named_parameters())[n].grad.any()) for n in last)


@pytest.mark.parametrize(
    "changed",
    [
        {"block_out_channels": (8, 16, 32)},
        {"norm_num_groups": 2},
        {"in_channels": 3},
        {"sample_size": 16},
        {"down_block_types": ("DownBlock2D",) * 3, "up_block_types": ("UpBlock2D",) * 3},
        {"layers_per_block": 1},
        {"block_out_channels": (8, 16), "down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2},
    ],
)
def test_what_is_not_more_of_the_same_is_refused(changed):
    old = network(replace(OLD, layers_per_block=2))
    with pytest.raises(DataError, match="--layers and --attention"):
        grow(old, replace(old.config, **changed))


def test_training_that_starts_from_a_smaller_checkpoint_finds_its_loss_and_goes_on(tmp_path):
    config = replace(CONFIG, dropout=0.0)
    first = trainer(replace(SETTINGS, optimizer="muon"), config)
    list(first.run())
    save_checkpoint(tmp_path, first.network.state_dict(), config, first.schedule, SamplingDefaults())
    grown = trainer(replace(SETTINGS, optimizer="muon"), replace(config, layers_per_block=2))
    grown.start_from(open_checkpoint(tmp_path))
    batch = grown.batch(100)
    with torch.no_grad():
        old, new = (float(t.loss(*batch)[0]) for t in (first, grown))
    assert new == pytest.approx(old, rel=1e-4)
    new_weights = [n for n in grown.network.state_dict() if n not in first.network.state_dict()]
    before = {n: grown.network.state_dict()[n].clone() for n in new_weights}
    assert len(list(grown.run())) == SETTINGS.steps
    after = grown.network.state_dict()
    assert new_weights
    assert all(torch.any(after[n] != before[n]) for n in new_weights if n.endswith("conv2.weight"))
    assert np.isfinite([float(w.sum()) for w in after.values()]).all()
