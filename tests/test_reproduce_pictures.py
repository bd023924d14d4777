"""The commands and the script that Reproduce writes for Your picture, carried out: the page's own x_T and pictures."""

import html
import re
import shlex

import numpy as np
import pytest
import torch
from PIL import Image
from test_given_pictures import drop, noise
from wishes import Tab, host_of

from core.__main__ import main
from core.pixels import to_pixels
from demo.settings import PageSettings
from demo.views.picture import NONE_HERE
from demo.views.reproduce.code import code_panel

CROP = {"crop": [1, 0.5, 1.2], "crop_to": [0, 0, 1], "refine": 1, "spacing": "trailing"}


@pytest.fixture(params=["auto", "torch"])  # torch's last bits depend on how many pictures go at once
def tab(tiny_folder, tmp_path, monkeypatch, request):
    monkeypatch.setenv("DDIM_BACKEND", request.param)
    root = tmp_path / "checkpoints"
    root.mkdir()
    tab = Tab(host_of(root, tiny_folder), view="picture", steps=4, picture="none", picture_to="none")
    tab.want()
    tab.want(picture=drop(tab, noise(12, 20)), picture_to=drop(tab, noise(17, 9, 2)), **CROP)
    return tab


def texts(markup):
    """(the command lines, the script) of the panel."""
    found = re.findall(r"<pre>(.*?)</pre>", markup, re.DOTALL)
    return [html.unescape(re.sub(r"</?span>", "", text)) for text in found]


@pytest.mark.parametrize(("what", "shown"), [("journey", 1), ("bridge", 11)])
def test_what_is_written_out_gives_the_pages_own_pictures(tab, tmp_path, monkeypatch, what, shown):
    """The pictures that the page offers to save are what the commands read."""
    run, answer = tab.session.last[what], tab.want(view="picture")
    saved = {**tab.files(answer, "journey"), **tab.files(answer, "bridge")}
    there = {name: data for name, data in saved.items() if re.fullmatch(r"tiny_picture_[0-9a-f]{8}\.png", name)}
    assert len(there) == 2
    for name, data in there.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    code = tab.want(view="reproduce", what=what).panels["code"]["html"]
    commands, script = texts(code)
    assert ("--batch 8" in commands) is (what == "bridge" and tab.host.engine("tiny").backend == "torch")
    out = tmp_path / f"{what}.png"
    for line in commands.splitlines():
        assert main(shlex.split(line)[3:]) == 0
    assert np.array_equal(np.load(tmp_path / "x_T.npy"), run.found.x_T.numpy())
    by_command = np.asarray(Image.open(out))
    out.unlink()
    scope = {}
    exec(script, scope)
    assert torch.equal(scope["found"].x_T, run.found.x_T)
    assert np.array_equal(to_pixels(scope["result"].images), run.pixels)
    assert len(run.pixels) == shown
    assert np.array_equal(np.asarray(Image.open(out)), by_command)


def test_without_a_picture_it_says_where_to_give_one(tab):
    engine = tab.host.engine("tiny")
    for what in ("journey", "bridge"):
        page = PageSettings("tiny", what=what, picture="none", picture_to="none")
        assert NONE_HERE in code_panel(tab.host, engine, page, lambda _: None)
        page = PageSettings("tiny", what=what, picture="0123456789abcdef", picture_to="none")
        assert "not kept here any more" in code_panel(tab.host, engine, page, lambda _: None)
