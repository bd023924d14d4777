"""What ``info`` says of a checkpoint, and that what ``convert`` writes samples alike."""

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DiffusionPipeline, DPMSolverMultistepScheduler
from foreign import latents, write_folder
from test_unet import GOOGLE
from test_unet_config import CIFAR10

from core import Engine, Request, SamplerSettings, UNet, UNetConfig, open_checkpoint
from core.__main__ import main
from core.cost import cost_of

V = {"prediction_type": "v_prediction"}


def told(capsys):
    out = capsys.readouterr().out.splitlines()
    return [(line[:12].strip(), line[13:]) for line in out]


def test_info_says_what_it_is_and_what_is_special(tmp_path, capsys):
    path, _ = write_folder(
        tmp_path / "net",
        DDPMScheduler(variance_type="fixed_large", steps_offset=1),
        out_channels=6,
        sample_size=(8, 16),
    )
    assert main(["info", str(path)]) == 0
    rows = told(capsys)
    said = dict(rows)
    assert said["pictures"] == "3 × 8 × 16"
    assert said["schedule"] == "T = 1000, β linear, 0.0001 to 0.02"
    assert said["predicts"] == "epsilon; x̂0 clipped to ±1; steps leading"
    parameters = sum(p.numel() for p in open_checkpoint(path).load_network().parameters())
    assert said["network"] == f"{parameters:,} parameters, widths 8, 16"
    notes = [value for name, value in rows if name == "note"]
    assert len(notes) == 3
    for part in ("first 3 of its 6 channels", "sampled with σ̂", "raised by 1"):
        assert sum(part in note for note in notes) == 1


def test_info_of_what_is_no_checkpoint_is_one_line_and_status_2(tmp_path, capsys):
    assert main(["info", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_work_of_the_cifar10_network_is_that_of_its_layers():
    cost = cost_of(UNetConfig.from_config(CIFAR10))
    assert cost.parameters == 35_746_307
    assert cost.flop == pytest.approx(12.1e9, rel=0.05)  # 6.06 G multiply-adds (Nichol & Dhariwal 2021, Table 9)


@torch.no_grad()
def test_the_work_is_counted_as_if_by_hand():
    """Every convolution and linear layer by its own shape, and attention's two products."""
    network, seen = UNet(GOOGLE).eval(), []

    def count(module, inputs, out):
        per = module.weight[0].numel() * 2
        seen.append(per * out.numel())

    for module in network.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    network(torch.zeros(1, 3, 8, 8), torch.zeros(1))
    attention = 4 * (2 * 2 * 16 * 16 * 32)  # four blocks on 4×4 positions of 32 channels, twice N²·C
    assert cost_of(GOOGLE).flop == pytest.approx(sum(seen) + attention, rel=1e-3)


def test_memory_is_more_than_the_skips_and_less_than_everything():
    cost = cost_of(GOOGLE)
    picture = 4 * 8 * 8 * 16
    assert 3 * picture < cost.activations < 60 * picture
    assert cost.memory(16) - cost.memory(1) == 15 * cost.activations


@pytest.mark.parametrize(
    ("scheduler", "net", "wanted"),
    [
        (DDIMScheduler(**V, set_alpha_to_one=False, steps_offset=1), {}, "DDIMScheduler"),
        (DDPMScheduler(**V, variance_type="fixed_large"), {}, "DDPMScheduler"),
        (DPMSolverMultistepScheduler(**V, final_sigmas_type="sigma_min"), {}, "DPMSolverMultistepScheduler"),
        (
            DDPMScheduler(**V, variance_type="learned_range"),
            {"out_channels": 6, "sample_size": (8, 16)},
            "DDIMScheduler",  # the variances are left out, so that nothing learned is promised
        ),
    ],
    ids=["ddim", "larger variance", "multistep", "learned variance"],
)
def test_what_is_converted_samples_bit_for_bit_alike_and_opens_in_diffusers(scheduler, net, wanted, tmp_path, capsys):
    path, _ = write_folder(tmp_path / "net", scheduler, **net)
    assert main(["convert", str(path), str(tmp_path / "ours")]) == 0
    a, b = (Engine.open(p, device="cpu", backend="torch") for p in (path, tmp_path / "ours"))
    assert a.checkpoint.defaults == b.checkpoint.defaults
    eta = 0.0 if "DPM" in type(scheduler).__name__ and "DDPM" not in type(scheduler).__name__ else 1.0
    request = Request((1, 2), SamplerSettings(4, eta))
    x = latents((2, *a.checkpoint.shape))
    assert torch.equal(a.sample(request, x).images, b.sample(request, x).images)
    theirs = DiffusionPipeline.from_pretrained(tmp_path / "ours", local_files_only=True)
    assert type(theirs.scheduler).__name__ == wanted


def test_nothing_is_written_over(tiny_folder, tmp_path, capsys):
    (tmp_path / "there").mkdir()
    assert main(["convert", str(tiny_folder), str(tmp_path / "there")]) == 0  # an empty folder may be filled
    assert main(["convert", str(tiny_folder), str(tmp_path / "there")]) == 2
    assert "is there already: name a new folder" in capsys.readouterr().err
