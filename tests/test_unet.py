"""The network against diffusers' UNet2DModel, on weights loud enough for every setting to matter.

A freshly initialised net hides mistakes: a wrong head_dim or eps changes it by 1e-7. So norm weights
lie near 1 with large q/k gains and time embeddings, and a mutation of each setting must show.
"""

from dataclasses import asdict, replace

import pytest
import torch
from diffusers import UNet2DModel

from core import UNet, UNetConfig

PARITY = 3e-4  # loud weights; one level came to 1.2e-4 on AVX2 kernels, below 1e-4 on AVX-512
D, AD, U, AU = "DownBlock2D", "AttnDownBlock2D", "UpBlock2D", "AttnUpBlock2D"
GOOGLE = UNetConfig(
    sample_size=8,
    block_out_channels=(16, 32),
    down_block_types=(D, AD),
    up_block_types=(AU, U),
    layers_per_block=1,
    downsample_padding=0,
    flip_sin_to_cos=False,
    freq_shift=1,
    norm_eps=1e-6,
    norm_num_groups=8,
    attention_head_dim=None,
)  # the published DDPMs, made small
CONFIGS = {
    "google": GOOGLE,
    "diffusers' defaults": replace(
        GOOGLE, downsample_padding=1, flip_sin_to_cos=True, freq_shift=0, norm_eps=1e-5, attention_head_dim=8
    ),
    "two layers": replace(GOOGLE, layers_per_block=2),
    "cifar's attention, asymmetric": replace(
        GOOGLE,
        block_out_channels=(8, 16, 16, 16),
        down_block_types=(D, AD, D, D),
        up_block_types=(U, U, AU, U),
    ),
    "attention at every level, many heads": replace(
        GOOGLE, down_block_types=(AD, AD), up_block_types=(AU, AU), attention_head_dim=4
    ),
    "no attention at all": replace(GOOGLE, down_block_types=(D, D), up_block_types=(U, U), add_attention=False),
    "grey, one group": replace(GOOGLE, in_channels=1, out_channels=1, norm_num_groups=1),
    "one level": replace(GOOGLE, block_out_channels=(16,), down_block_types=(AD,), up_block_types=(AU,)),
    "more outputs than inputs": replace(GOOGLE, out_channels=6),
}
MUTATIONS = {
    "attention_head_dim": 8,
    "norm_eps": 1e-5,
    "downsample_padding": 1,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
}


def loud_state(config, quiet_input=False):
    """quiet_input: a first layer so small that its variance is comparable with norm_eps."""
    rng = torch.Generator().manual_seed(1)
    state = {}
    for key, value in UNet(config).state_dict().items():
        noise = torch.randn(value.shape, generator=rng)
        if "norm" in key:
            state[key] = (1.0 if key.endswith("weight") else 0.0) + 0.1 * noise
        elif key.endswith("bias"):
            state[key] = 0.1 * noise
        else:
            gain = 4.0 if ".to_q." in key or ".to_k." in key else 2.0 if "time_emb" in key else 1.0
            state[key] = gain * noise / value[0].numel() ** 0.5
        if quiet_input and key.startswith("conv_in."):
            state[key] *= 2e-3
    return state


def ours(config, state):
    network = UNet(config)
    network.load_state_dict(state)
    return network.eval()


def theirs(config, state):
    network = UNet2DModel(**asdict(config))
    network.load_state_dict(state)
    return network.eval()


@torch.no_grad()
def answer(network, config):
    rng = torch.Generator().manual_seed(2)
    x = torch.randn(3, config.in_channels, config.sample_size, config.sample_size, generator=rng)
    out = network(x, torch.tensor([3, 420, 999]))
    return out if isinstance(out, torch.Tensor) else out.sample


def difference(a, b):
    return float((a - b).abs().max())


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("quiet_input", [False, True])
def test_the_network_equals_diffusers(name, quiet_input):
    config = CONFIGS[name]
    state = loud_state(config, quiet_input)
    got, want = answer(ours(config, state), config), answer(theirs(config, state), config)
    assert got.shape == want.shape
    assert float(want.std()) > 0.1
    assert difference(got, want) < PARITY


@pytest.mark.parametrize("setting", MUTATIONS)
def test_a_wrong_setting_loads_strictly_but_would_fail_that_comparison(setting):
    quiet = setting == "norm_eps"
    state = loud_state(GOOGLE, quiet)
    want = answer(theirs(GOOGLE, state), GOOGLE)
    mutated = replace(GOOGLE, **{setting: MUTATIONS[setting]})
    assert difference(answer(ours(mutated, state), GOOGLE), want) > 0.1
    assert difference(answer(theirs(mutated, state), GOOGLE), answer(ours(mutated, state), GOOGLE)) < PARITY


def test_the_answer_depends_on_t_and_each_picture_has_its_own():
    network, x = ours(GOOGLE, loud_state(GOOGLE)), torch.randn(1, 3, 8, 8).repeat(3, 1, 1, 1)
    with torch.no_grad():
        together = network(x, torch.tensor([3, 420, 999]))
        for i, t in enumerate((3, 420, 999)):
            assert difference(together[i : i + 1], network(x[:1], t)) < PARITY
    assert difference(together[0], together[1]) > 0.1


def test_odd_widths_pad_their_time_embedding_as_diffusers_does():
    config = replace(GOOGLE, block_out_channels=(9, 18), norm_num_groups=9)
    state = loud_state(config)
    assert difference(answer(ours(config, state), config), answer(theirs(config, state), config)) < PARITY


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (
            replace(
                GOOGLE, sample_size=32, block_out_channels=(128, 256, 256, 256), down_block_types=(D, AD, D, D),
                up_block_types=(U, U, AU, U), layers_per_block=2, norm_num_groups=32,
            ),
            35_746_307,
        ),
        (
            replace(
                GOOGLE, sample_size=256, block_out_channels=(128, 128, 256, 256, 512, 512),
                down_block_types=(D, D, D, D, AD, D), up_block_types=(U, AU, U, U, U, U), layers_per_block=2,
                norm_num_groups=32,
            ),
            113_673_219,
        ),
    ],
    ids=["google/ddpm-cifar10-32", "google/ddpm-ema-*-256"],
)  # fmt: skip
def test_published_networks_have_their_number_of_parameters(config, parameters):
    with torch.device("meta"):
        network = UNet(config)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_bf16_inside_is_near_fp32_and_the_ends_stay_fp32():
    state = loud_state(GOOGLE)
    network = ours(GOOGLE, state)
    full = answer(network, GOOGLE)
    seen = {}
    network.conv_in.register_forward_hook(lambda *a: seen.update(first=a[-1].dtype))
    network.mid_block.resnets[0].conv1.register_forward_hook(lambda *a: seen.update(inner=a[-1].dtype))
    network.conv_out.register_forward_hook(lambda *a: seen.update(last=a[-1].dtype))
    network.inner_dtype = torch.bfloat16
    half = answer(network, GOOGLE)
    assert seen == {"first": torch.float32, "inner": torch.bfloat16, "last": torch.float32}
    assert difference(half, full) > 0
    assert float((half - full).std() / full.std()) < 0.1
