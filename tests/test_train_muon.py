"""Muon for the matrices of a network, against torch's own and by what an orthogonal step is."""

import json
from dataclasses import replace
from itertools import islice

import pytest
import torch
from test_train_loop import SETTINGS, trainer

from core import DataError
from core.train.muon import Muon, is_matrix, orthogonal
from core.train.state import STATE, resume, save

MUON = replace(SETTINGS, optimizer="muon")


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(8, 8), (16, 72), (72, 16), (64, 576)])
def test_the_step_keeps_the_singular_vectors_and_makes_their_values_alike(shape):
    u, values, vt = torch.linalg.svd(noise(*shape), full_matrices=False)
    spread = u @ torch.diag(torch.linspace(1, 0.05, len(values))) @ vt
    turned = u.T @ orthogonal(spread) @ vt.T
    assert torch.allclose(turned, torch.diag(turned.diag()), atol=1e-3)
    assert 0.6 < float(turned.diag().min()) < float(turned.diag().max()) < 1.3
    assert torch.allclose(orthogonal(1e6 * spread), orthogonal(spread), atol=1e-4)


@pytest.mark.parametrize("shape", [(16, 72), (72, 16)])
def test_steps_are_those_of_torch_within_its_bfloat16(shape):
    ours, theirs = (torch.nn.Parameter(noise(*shape)) for _ in range(2))
    start = ours.detach().clone()
    one = Muon([ours], lr=0.1)
    other = torch.optim.Muon([theirs], lr=0.1, weight_decay=0, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for k in range(4):
        ours.grad, theirs.grad = noise(*shape, seed=k + 1), noise(*shape, seed=k + 1)
        one.step()
        other.step()
    assert float((ours - theirs).detach().norm()) < 0.03 * float((ours - start).detach().norm())


def test_a_convolution_is_the_matrix_of_its_outputs_by_all_else_in_any_memory_format():
    kernel, flat = noise(16, 8, 3, 3), noise(16, 8, 3, 3).flatten(1)
    for memory in (torch.contiguous_format, torch.channels_last):
        a = torch.nn.Parameter(kernel.clone().to(memory_format=memory))
        b = torch.nn.Parameter(flat.clone())
        a.grad, b.grad = noise(16, 8, 3, 3, seed=1).to(memory_format=memory), noise(16, 8, 3, 3, seed=1).flatten(1)
        for weights in (a, b):
            Muon([weights], lr=0.1).step()
        assert torch.allclose(a.detach().flatten(1), b.detach(), atol=1e-6)
        assert not torch.allclose(b.detach(), flat, atol=1e-3)


def test_every_weight_belongs_to_one_optimiser_and_matrices_to_muon():
    both = trainer(MUON)
    adam, muon = ([id(w) for g in o.param_groups for w in g["params"]] for o in both.optimizers)
    assert sorted(adam + muon) == sorted(map(id, both.network.parameters()))
    assert {id(w) for w in both.network.parameters() if is_matrix(w)} == set(muon)
    names = {name for name, w in both.network.named_parameters() if id(w) in muon}
    assert "conv_in.weight" in names
    assert "mid_block.attentions.0.to_q.weight" in names
    assert not names & {"conv_out.weight", "conv_in.bias", "conv_norm_out.weight"}
    assert trainer().muon is None


def test_both_follow_the_rate_and_all_weights_move():
    both = trainer(MUON)
    before = {name: w.detach().clone() for name, w in both.network.named_parameters()}
    for progress in both.run():
        assert {g["lr"] for o in both.optimizers for g in o.param_groups} == {progress.lr}
    assert all(not torch.equal(w, before[name]) for name, w in both.network.named_parameters())


def test_a_state_goes_on_with_its_own_optimiser_only(tmp_path):
    killed = trainer()
    list(islice(killed.run(), 2))
    save(killed, tmp_path)
    with pytest.raises(DataError, match="optimizer adam, not muon"):
        resume(trainer(MUON), tmp_path)
    state = torch.load(tmp_path / STATE, weights_only=True)
    said, first = json.loads(state["settings"]), ("steps", "batch", "lr", "warmup", "decay", "ema", "seed")
    state["settings"] = json.dumps({name: said[name] for name in first})  # as before there was a choice of more
    del state["muon"]
    torch.save(state, tmp_path / STATE)
    assert resume(trainer(), tmp_path)
    for other, says in (
        ({"optimizer": "muon"}, "optimizer adam, not muon"),
        ({"prediction": "v"}, "prediction epsilon, not v"),
        ({"min_snr": 5.0}, "min_snr 0.0, not 5.0"),
        ({"balance": 1.0}, "balance 0.0, not 1.0"),
    ):
        with pytest.raises(DataError, match=says):
            resume(trainer(replace(SETTINGS, **other)), tmp_path)
