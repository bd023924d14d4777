"""One tiny checkpoint folder for the whole session."""

import pytest
import torch

from core import NoiseSchedule, SamplingDefaults, UNet, UNetConfig, save_checkpoint

torch.set_num_threads(1)  # nets this small lose more to waiting threads than they gain


@pytest.fixture(scope="session")
def tiny_config():
    return UNetConfig(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=None,
    )


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory, tiny_config):
    """A flat checkpoint folder: 8×8 RGB, T = 1000, random weights. Shared, so copy it before changing it.

    It predicts v: an untrained ε would be divided by √ᾱ and clipped to black and white all over.
    """
    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    defaults = SamplingDefaults(prediction_type="v_prediction")
    save_checkpoint(folder, UNet(tiny_config).state_dict(), tiny_config, NoiseSchedule(), defaults)
    return folder
