"""config.json: read as diffusers means it, and refused by name where this engine would build something else."""

from dataclasses import asdict

import pytest
from diffusers import UNet2DModel

from core import CheckpointError, UNet, UNetConfig

# as published: google/ddpm-cifar10-32/config.json
CIFAR10 = {
    "_class_name": "UNet2DModel",
    "_diffusers_version": "0.0.4",
    "act_fn": "silu",
    "attention_head_dim": None,
    "block_out_channels": [128, 256, 256, 256],
    "center_input_sample": False,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "in_channels": 3,
    "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-06,
    "norm_num_groups": 32,
    "out_channels": 3,
    "sample_size": 32,
    "time_embedding_type": "positional",
    "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
}


def test_the_published_config_is_read_in_full():
    config = UNetConfig.from_config(CIFAR10)
    for key in set(CIFAR10) & set(config.to_config()) - {"_class_name"}:
        value = CIFAR10[key]
        assert config.to_config()[key] == (tuple(value) if isinstance(value, list) else value), key


def test_it_survives_being_written_and_read(tiny_config):
    assert UNetConfig.from_config(tiny_config.to_config()) == tiny_config


def test_an_omitted_key_means_what_it_means_to_diffusers():
    small = {
        "sample_size": 8,
        "block_out_channels": [32],
        "down_block_types": ["AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D"],
    }
    theirs = UNet2DModel(**small)
    full = {k: v for k, v in theirs.config.items() if not k.startswith("_")}
    assert UNetConfig.from_config(full) == UNetConfig.from_config(small)
    assert set(UNet(UNetConfig.from_config(small)).state_dict()) == set(theirs.state_dict())


def test_what_diffusers_writes_today_has_no_setting_unknown_here(tiny_config):
    assert UNetConfig.from_config(dict(UNet2DModel(**asdict(tiny_config)).config)) == tiny_config


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("act_fn", "gelu"),
        ("center_input_sample", True),
        ("class_embed_type", "timestep"),
        ("class_embed_type", "identity"),
        ("downsample_type", "resnet"),
        ("upsample_type", "resnet"),
        ("mid_block_scale_factor", 2),
        ("mid_block_type", None),
        ("resnet_time_scale_shift", "scale_shift"),
        ("time_embedding_type", "fourier"),
        ("attn_norm_num_groups", 4),
    ],
)
def test_a_setting_that_is_not_built_is_refused_by_name_and_value(key, value):
    with pytest.raises(CheckpointError, match=key) as error:
        UNetConfig.from_config({**CIFAR10, key: value})
    assert repr(value) in str(error.value)


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(CheckpointError, match="cross_attention_dim"):
        UNetConfig.from_config({**CIFAR10, "cross_attention_dim": 768})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sample_size": None}, "sample_size"),
        ({"sample_size": [32, 36]}, "divisible by 8"),
        ({"sample_size": [32]}, r"\[height, width\]"),
        ({"freq_shift": 64}, "freq_shift 64 leaves no frequencies"),
        ({"_class_name": "UNet2DConditionModel"}, "is of 'UNet2DConditionModel'; this engine builds UNet2DModel only"),
        ({"sample_size": 30}, "divisible by 8"),
        ({"down_block_types": ["DownBlock2D"]}, "down_block_types"),
        ({"down_block_types": ["DownBlock2D", "SkipDownBlock2D", "DownBlock2D", "DownBlock2D"]}, "SkipDownBlock2D"),
        ({"up_block_types": ["UpBlock2D", "UpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"]}, "CrossAttnUpBlock2D"),
        ({"norm_num_groups": 48}, "norm_num_groups"),
        ({"attention_head_dim": 7}, "attention_head_dim"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused_with_the_reason(change, why):
    with pytest.raises(CheckpointError, match=why):
        UNetConfig.from_config({**CIFAR10, **change})


BAD = [0, -1, 2.5, 10**9, 10**400, "32", [1] * 99, {}, float("nan"), float("inf"), [[]]]
MAY_BE_0 = ("freq_shift", "downsample_padding", "center_input_sample")  # 0 is False to Python


@pytest.mark.parametrize("bad", BAD, ids=[str(bad)[:9] for bad in BAD])
@pytest.mark.parametrize("key", [key for key in CIFAR10 if not key.startswith("_")])
def test_a_value_of_the_wrong_kind_or_size_is_a_checkpoint_error_that_names_its_key(key, bad):
    if bad == 0 and key in MAY_BE_0:
        return
    with pytest.raises(CheckpointError, match=key.replace("_", "[_ ]")) as error:
        UNetConfig.from_config({**CIFAR10, key: bad})
    assert len(str(error.value)) < 300


def test_swish_is_silu():
    assert UNetConfig.from_config({**CIFAR10, "act_fn": "swish"}) == UNetConfig.from_config(CIFAR10)


def test_a_picture_may_be_wider_than_high():
    config = UNetConfig.from_config({**CIFAR10, "sample_size": [32, 64]})
    assert config.size == (32, 64)
    assert UNetConfig.from_config(config.to_config()) == config


def test_a_square_given_as_two_sides_is_one_side():
    assert UNetConfig.from_config({**CIFAR10, "sample_size": [32, 32]}) == UNetConfig.from_config(CIFAR10)
