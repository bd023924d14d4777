"""A network whose pictures are not square: every view runs, tiles keep their shape, and files have all pixels."""

import base64
import io
import re
from dataclasses import replace

import pytest
import torch
from PIL import Image
from wishes import Tab, host_of

from core import NoiseSchedule, SamplingDefaults, UNet, save_checkpoint
from demo.settings import VIEWS

HEIGHT, WIDTH = 8, 16


@pytest.fixture(scope="module")
def host(tmp_path_factory, tiny_config):
    root = tmp_path_factory.mktemp("wide")
    torch.manual_seed(7)
    config = replace(tiny_config, sample_size=(HEIGHT, WIDTH))
    defaults, schedule = SamplingDefaults(prediction_type="v_prediction"), NoiseSchedule(num_train_timesteps=100)
    save_checkpoint(root / "made" / "wide", UNet(config).state_dict(), config, schedule, defaults)
    (root / "page").mkdir()
    return host_of(root / "page", root / "made" / "wide")


def shapes(tab):
    """(width, height) of the tiles of every picture that the tab was sent."""
    found = set()
    for uri in tab.pictures.values():
        across, down = map(int, re.search(r"tiles=(\d+)x(\d+)", uri).groups())
        with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
            found.add((image.width / across, image.height / down))
    return found


@pytest.mark.parametrize("view", [view for view in VIEWS if view not in ("learn", "picture")])
def test_every_view_shows_tiles_of_the_networks_own_shape(host, view):
    tab = Tab(host, view=view, grid_steps=[2, 3], grid_etas=[0], branch_at=[50], count=1)
    answer = tab.want()
    assert answer.status[0] == "done", answer.status
    assert shapes(tab) <= {(WIDTH, HEIGHT)}
    assert tab.pictures or view in ("tradeoff", "reproduce")


def test_its_files_have_all_pixels(host):
    tab = Tab(host)
    files = tab.files(tab.want(), "samples")
    (png,) = files.values()
    with Image.open(io.BytesIO(png)) as image:
        assert image.width >= 2 * WIDTH  # four samples, two by two, enlarged
        assert image.width / image.height == pytest.approx(2, rel=0.03)


def test_your_picture_says_that_it_takes_square_networks_only(host):
    answer = Tab(host, view="picture").want()
    said = answer.panels["picture"]["said"]
    assert said == "wide makes 3×8×16: only square pictures of 1 or 3 channels can be encoded here."
    assert answer.status[0] == "done"
