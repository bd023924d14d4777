"""Exported pictures dropped on the page: the checkpoint that repeats them, the settings they load, what is said."""

import html
import json
import re

import pytest
from wishes import Tab, host_of

from core import Engine, Request, SamplerSettings
from demo.settings import WHAT, PageSettings, corrected
from demo.views.reproduce import read_file, repeating
from demo.views.reproduce.code import code_panel


@pytest.fixture
def host(tiny_folder, tmp_path):
    root = tmp_path / "checkpoints"
    root.mkdir()
    return host_of(root, tiny_folder)


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


def test_the_checkpoint_is_found_by_weights_then_by_name_then_it_is_the_one_shown(host, engine):
    sha = engine.checkpoint.sha256
    (host.root / "another").symlink_to(host.root / "tiny", target_is_directory=True)
    assert repeating(host, {"checkpoint": {"name": "renamed", "sha256": sha}}, "another") == "another"  # not loaded
    host.engine("tiny")
    assert repeating(host, {"checkpoint": {"name": "tiny", "sha256": "x"}}, "another") == "tiny"
    assert repeating(host, {"checkpoint": {"name": "renamed", "sha256": sha}}, "another") == "tiny"
    assert repeating(host, {"checkpoint": {"name": "renamed", "sha256": "x"}}, "another") == "another"
    assert repeating(host, {}, "another") == "another"
    assert repeating(host, {}, "gone") in host.names()


def test_every_run_of_the_page_is_written_out_or_says_why_not(host):
    engine = host.engine("tiny")
    for what in WHAT:  # there is no fourth runner, and no picture was given (test_reproduce_pictures.py)
        said = code_panel(host, engine, PageSettings("tiny", what=what), lambda _: None)
        assert ("Command line" in said) is (what not in ("lane3", "journey", "bridge")), what
    assert "no such runner" in code_panel(host, engine, PageSettings("tiny", what="lane3"), lambda _: None)
    answer = Tab(host).want(view="reproduce", what="strip")
    assert answer.panels["code"]["state"] == answer.status[0] == "done"
    assert "strip.png" in answer.panels["code"]["html"]


def test_a_picture_of_the_page_sets_it_again_to_what_made_it(host, tmp_path):
    tab = Tab(host)
    answer = tab.want(steps=4, seed=9, eta=0.25, spacing="trailing")
    files = {**tab.files(answer, "samples"), **tab.files(answer, "strip"), **tab.files(answer, "duel")}
    both = files.pop("tiny_seed9_a-and-b.gif")
    for name, data in (("both.gif", both), ("both.mp4", files.pop("tiny_seed9_a-and-b.mp4"))):
        (tmp_path / name).write_bytes(data)
        assert "A race: " in read_file(host, str(tmp_path / name), "tiny")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        said = read_file(host, str(tmp_path / name), "tiny")
        (sent,) = re.findall(r'id="load-found" data-set="([^"]*)"', said)
        sent = json.loads(html.unescape(sent))
        page, adjusted = corrected(sent["settings"], ["tiny"], lambda _: 1000, PageSettings("tiny", view="learn"))
        of_b = name.endswith("_b.gif")
        assert (page.view, page.steps, page.eta) == ("explore", 2 if of_b else 4, 1.0 if of_b else 0.25)
        assert (page.seed, page.spacing, adjusted) == (9, "trailing", [])
        assert name in sent["said"]
        assert "bit-equal" in said
    assert {name.rpartition("_")[2] for name in files} == {
        "samples.png", "strip.gif", "strip.webp", "strip.mp4", "strip.png", "a.gif", "b.gif",
    }  # fmt: skip


def test_a_file_that_is_no_picture_of_ours_is_a_sentence_without_a_path(host, tmp_path):
    broken = tmp_path / "<b>broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    said = read_file(host, str(broken), "tiny")
    assert said.startswith('<p role="alert">')
    assert "broken.png is not a picture" in html.unescape(said)
    assert str(tmp_path) not in said
    assert "<b>" not in said


def test_a_checkpoint_that_cannot_be_opened_is_a_sentence(host, tiny_folder, tmp_path):
    tab = Tab(host)
    (name, data), *_ = tab.files(tab.want(), "samples").items()
    (tmp_path / name).write_bytes(data)
    broken = tmp_path / "elsewhere" / "tiny"
    broken.mkdir(parents=True)
    for file in ("config.json", "scheduler_config.json"):
        (broken / file).write_bytes((tiny_folder / file).read_bytes())
    said = read_file(host_of(broken.parent), str(tmp_path / name), "tiny")
    assert said.startswith('<p role="alert">')
    assert "safetensors is missing" in said


def test_a_run_that_the_page_cannot_show_has_no_button_and_is_still_written_out(host, tmp_path):
    host.engine("tiny").sample(Request((3, 9), SamplerSettings(2))).save(tmp_path / "pair.png")
    said = read_file(host, str(tmp_path / "pair.png"), "tiny")
    assert "load-found" not in said
    assert "neighbouring" in said
    assert "Command line" in said
