"""The DDIM authors' own files against their network and sampler, and other projects' files refused by name."""

import shutil

import pytest
import torch
from authors_net import AuthorsNet, authors_ddim, loud
from foreign import RunsCode, latents

from core import CheckpointError, Engine, Request, SamplerSettings, find_checkpoints, open_checkpoint
from core.__main__ import main
from core.layouts import authors, training_steps


@pytest.fixture(scope="module")
def net():
    return loud(AuthorsNet())


def parity(path, net, side=32, steps=20):
    engine = Engine.open(path, device="cpu", backend="torch")
    x = latents((1, 3, side, side))
    ours = engine.sample(Request((1,), SamplerSettings(steps)), x).images
    theirs = authors_ddim(net, x, steps)
    assert float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-4
    return engine.checkpoint


def refused(path, why):
    with pytest.raises(CheckpointError, match=why) as error:
        open_checkpoint(path).load_network()
    assert len(str(error.value)) < 300
    return str(error.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_ckpt_samples_as_the_authors_code_does(net, zipped, tmp_path):
    torch.save(net.state_dict(), tmp_path / "model-790000.ckpt", _use_new_zipfile_serialization=zipped)
    checkpoint = parity(tmp_path / "model-790000.ckpt", net, steps=20 if zipped else 2)
    assert (checkpoint.name, checkpoint.shape) == ("model-790000.ckpt", (3, 32, 32))
    assert checkpoint.notes == (
        "The DDIM authors' file says neither: pictures of 32 × 32, β linear from 0.0001 to 0.02 and T = 1000 are those "
        "of their configs; x̂0 is not clipped, as in their sampler.",
    )


WRONG = {"norm_eps": 1e-2, "downsample_padding": 1, "flip_sin_to_cos": True, "freq_shift": 0, "attention_head_dim": 8,
         "norm_num_groups": 8}  # fmt: skip


@pytest.mark.parametrize("setting", WRONG)
def test_each_setting_that_the_file_does_not_say_matters_to_that_comparison(net, setting, tmp_path, monkeypatch):
    torch.save(net.state_dict(), tmp_path / "x.ckpt")
    right = authors.describe

    def wrong(shapes, file):
        config, *rest = right(shapes, file)
        return {**config, setting: WRONG[setting]}, *rest

    monkeypatch.setattr(authors, "describe", wrong)
    with pytest.raises(AssertionError):
        parity(tmp_path / "x.ckpt", net, steps=2)


@pytest.mark.parametrize(("mult", "layers", "attends", "side"), [((1, 1), 2, 0, 16), ((1, 2, 2), 1, 2, 64)])
def test_sizes_and_depths_follow_from_the_shapes(mult, layers, attends, side, tmp_path):
    other = loud(AuthorsNet(mult=mult, layers=layers, attends=attends))
    torch.save(other.state_dict(), tmp_path / "ckpt.pth")
    assert parity(tmp_path / "ckpt.pth", other, side, steps=2).config.layers_per_block == layers


def test_of_a_training_state_the_average_is_sampled(net, tmp_path):
    raw = loud(AuthorsNet(), seed=5)
    optimiser = torch.optim.Adam(raw.parameters()).state_dict()
    parallel = {f"module.{key}": value for key, value in raw.state_dict().items()}
    torch.save([parallel, optimiser, 7, 1000, net.state_dict()], tmp_path / "ckpt.pth")
    parity(tmp_path / "ckpt.pth", net, steps=2)
    torch.save([parallel, optimiser, 7, 1000], tmp_path / "ckpt.pth")
    parity(tmp_path / "ckpt.pth", raw, steps=2)


def test_a_folder_with_one_such_file_is_a_checkpoint_and_converts(net, tmp_path, capsys):
    (tmp_path / "cifar").mkdir()
    torch.save(net.state_dict(), tmp_path / "cifar" / "model-790000.ckpt")
    assert [p.name for p in find_checkpoints(tmp_path)] == ["cifar"]
    assert training_steps(tmp_path / "cifar") == 1000
    assert main(["convert", str(tmp_path / "cifar"), str(tmp_path / "ours")]) == 0
    parity(tmp_path / "ours", net, steps=2)
    assert main(["info", str(tmp_path / "cifar")]) == 0
    assert "pictures of 32 × 32" in capsys.readouterr().out
    shutil.copy(tmp_path / "cifar" / "model-790000.ckpt", tmp_path / "cifar" / "second.ckpt")
    assert find_checkpoints(tmp_path) == [tmp_path / "ours"]  # nobody knows which of the two is meant


@pytest.mark.parametrize(
    ("value", "project"),
    [
        ({"input_blocks.0.0.weight": 1}, "improved-diffusion or guided-diffusion"),
        ({"step": 3, "model": {"model.init_conv.weight": 1}, "opt": {}}, "lucidrains' denoising-diffusion-pytorch"),
        ({"step": 3, "ema": {"ema_model.init_conv.weight": 1}}, "lucidrains' denoising-diffusion-pytorch"),
        ({"state_dict": {"model.diffusion_model.input_blocks.0.0.weight": 1}}, "latent diffusion"),
        ({"model": {"module.all_modules.0.weight": 1}, "step": 3}, "score_sde"),
    ],
)
def test_other_projects_are_refused_by_their_name(value, project, tmp_path):
    def filled(part):
        return {k: filled(v) if isinstance(v, dict) else torch.zeros(2) for k, v in part.items()}

    torch.save(filled(value), tmp_path / "x.pt")
    assert "convert it with diffusers' scripts" in refused(tmp_path / "x.pt", f"is of {project}")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: s.update(extra=torch.zeros(2)), "holds 'extra', which the DDIM authors' networks do not have"),
        (lambda s: s.update({"down.0.upsample.conv.bias": torch.zeros(2)}), r"holds 'down\.0\.upsample"),
        (lambda s: s.pop("mid.block_1.conv1.bias"), r"lacks 'mid_block\.resnets\.0\.conv1\.bias'"),
        (lambda s: s.update({"conv_out.bias": torch.zeros(())}), "is no network of the DDIM authors"),
        (lambda s: s.update({"down.0.block.0.conv2.bias": torch.zeros(())}), "block_out_channels"),
        (lambda s: s.update({"conv_in.bias": torch.full((32,), torch.nan)}), r"NaN or infinity in conv_in\.bias"),
        (lambda s: s.clear(), "holds no state_dict"),
        (lambda s: [s.pop(k) for k in list(s) if ".attn.0." in k], "attends at 0 levels"),
    ],
)
def test_what_is_not_exactly_such_a_network_is_refused(net, change, why, tmp_path):
    state = dict(net.state_dict())
    change(state)
    torch.save(state, tmp_path / "x.ckpt")
    refused(tmp_path / "x.ckpt", why)


@pytest.mark.parametrize("value", [[], [1, 2], 3, "x", {"a": {"b": 1}}], ids=str)
def test_a_file_of_something_else_is_refused(value, tmp_path):
    torch.save(value, tmp_path / "x.pth")
    refused(tmp_path / "x.pth", "state_dict|which is no tensor")


def test_a_training_state_that_would_run_code_is_refused_and_did_not_run(net, tmp_path):
    torch.save([RunsCode(tmp_path / "it-ran"), 1, 2, net.state_dict()], tmp_path / "ckpt.pth")
    refused(tmp_path / "ckpt.pth", "such a pickle is never opened")
    assert not (tmp_path / "it-ran").exists()


def test_the_names_of_the_published_cifar10_network_are_all_mapped():
    with torch.device("meta"):
        big = AuthorsNet(128, (1, 2, 2, 2), 2, 1)
    assert sum(p.numel() for p in big.parameters()) == 35_746_307
