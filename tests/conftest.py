"""One tiny checkpoint folder for the whole session, and who runs what where two processes share the tests."""

import os

import pytest
import torch
from xdist.scheduler import LoadScopeScheduling

from core import NoiseSchedule, SamplingDefaults, UNet, UNetConfig, save_checkpoint

# Most tests are not about backends: torch's modules can be hooked, and its bits are the oracle. What is about them says
# so by name, and the app that the browser drives chooses for itself (tests/browser/conftest.py).
os.environ["DDIM_BACKEND"] = "torch"
torch.set_num_threads(1)  # nets this small lose more to waiting threads than they gain


class BrowserApart(LoadScopeScheduling):
    """The browser's tests in one process, the others file by file: two browsers on two cores time each other out."""

    def _split_scope(self, nodeid):
        return "browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config, log):
    """In place of --dist loadgroup, whose groups xdist 3.8 loses under pytest 9.2."""
    return BrowserApart(config, log)


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
