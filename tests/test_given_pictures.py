"""A picture of one's own in the page: its jobs against the engine, its panels, its files, what is refused."""

import io
import json
from collections import deque
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from wishes import Tab, host_of

from core import DataError, Engine, Request, SamplerSettings
from core.data.examples import COLUMNS, read_examples
from core.gaussian import gaussianness
from core.latent_files import read_latents
from core.picture_files import framed, read_picture
from core.pixels import from_rgb, to_pixels
from core.record import read_record
from demo import words
from demo.given import EACH, GivenPictures
from demo.settings import PageSettings
from demo.views.picture import CURVE, fitted, jobs

SIZE = 8  # of the tiny network


def encoded(pixels, kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.fixture
def tab(tiny_folder, tmp_path):
    tab = Tab(host_of(tmp_path, tiny_folder), view="picture", steps=4, picture="none", picture_to="none")
    tab.want()
    return tab


def drop(tab, pixels):
    return tab.host.pictures.put(tab.key, tab.session.pictures, encoded(pixels))


def test_without_a_picture_it_says_what_to_do_and_is_at_rest(tab):
    answer = tab.want(steps=5)
    assert answer.status[0] == "done"
    assert answer.panels["picture"]["said"] == "Drop a picture here, or choose one."
    assert answer.panels["journey"]["state"] == answer.panels["bridge"]["state"] == "none"


def test_there_and_back_is_what_the_engine_gives(tab, engine):
    whole = noise(12, 20)
    value = tab.want(picture=drop(tab, whole), crop=[1, 0.5, 1.2], refine=1).panels["journey"]
    wanted = from_rgb(framed(whole, SIZE, 1, 0.5, 1.2)[None], 3)
    settings = SamplerSettings(4, clip=False)
    found = engine.encode(wanted, settings, 1)
    back = engine.sample(Request((0,), settings), found.x_T).images
    run = tab.session.last["journey"]
    assert torch.equal(run.found.x_T, found.x_T)
    assert np.array_equal(run.pixels, to_pixels(back))
    error = float(((back.clamp(-1, 1) - wanted) / 2).square().mean())
    assert run.found.errors == pytest.approx((error,), rel=1e-5)
    assert words.error_text(error) in value["headline"]
    assert run.found.evaluations == found.evaluations + 4
    assert value["t"] == [None, 0, 250, 500, 750, 500, 250, 0, None]  # x_T in the middle
    assert np.array_equal(run.found.film[0], to_pixels(wanted)[0])
    assert np.array_equal(run.found.film[-1], run.pixels[0])
    assert run.record["latents_sha256"]


def test_the_errors_of_the_curve_are_those_of_their_steps(tab, engine):
    whole = noise(SIZE, SIZE, 3)
    answer = tab.want(picture=drop(tab, whole))
    plain, refined = answer.panels["errors"]["lines"]
    assert (plain["name"], refined["name"]) == ("plain", "1 refinement a step")
    assert [S for S, _ in plain["points"]] == sorted({*CURVE, 4})  # the page's own S among them
    assert [S for S, _ in refined["points"]] == list(CURVE)
    wanted, settings = from_rgb(whole[None], 3), SamplerSettings(20, clip=False)
    for refine, line in ((0, plain), (1, refined)):
        x_T = engine.encode(wanted, settings, refine).x_T
        back = engine.sample(Request((0,), settings), x_T).images.clamp(-1, 1)
        error = float(((back - wanted) / 2).square().mean())
        assert dict(map(tuple, line["points"]))[20] == pytest.approx(error, rel=1e-4)


def test_two_pictures_are_the_ends_of_a_path_through_their_latents(tab, engine, tmp_path):
    one, two = noise(SIZE, SIZE, 1), noise(SIZE, SIZE, 2)
    answer = tab.want(picture=drop(tab, one), picture_to=drop(tab, two))
    settings = SamplerSettings(4, clip=False)
    x_T = engine.encode(from_rgb(np.stack([one, two]), 3), settings).x_T
    path = engine.sample(Request((0, 1), settings, frames=11), x_T)
    assert np.array_equal(tab.session.last["bridge"].pixels, to_pixels(path.images))
    files = tab.files(answer, "bridge")
    gif = files["tiny_picture_S4_between-pictures.gif"]
    (tmp_path / "x.gif").write_bytes(gif)
    assert Image.open(io.BytesIO(gif)).n_frames == 20  # there and back
    assert read_record(tmp_path / "x.gif")["latents_sha256"] == path.record["latents_sha256"]
    moved = tab.want(crop_to=[0, 0, 1])  # of a square nothing moves, so nothing is computed
    assert moved.panels["bridge"]["cached"]


def test_x_T_and_its_notes_decode_on_the_command_line(tab, engine, tmp_path):
    answer = tab.want(picture=drop(tab, noise(SIZE, SIZE)), refine=2)
    for name, data in tab.files(answer, "journey").items():
        (tmp_path / name).write_bytes(data)
    found = read_latents(tmp_path / "tiny_picture_S4_x_T.npy")
    assert found.as_noted
    assert (found.notes.refine, found.notes.settings.clip, found.notes.settings.steps) == (2, False, 4)
    back = engine.sample(Request((0,), found.notes.settings), found.x_T)
    assert np.array_equal(to_pixels(back.images), tab.session.last["journey"].pixels)
    with Image.open(tmp_path / "tiny_picture_S4_there-and-back.gif") as film:
        durations = [film.seek(k) or film.info["duration"] for k in range(film.n_frames)]
    assert sum(durations) == 9 * 80 + 1500  # equal neighbours become one frame


def test_what_was_encoded_before_is_not_encoded_again(tab):
    name = drop(tab, noise(SIZE, SIZE))
    tab.want(picture=name)
    again = tab.want(picture=name, steps=6)
    assert not again.panels["journey"]["cached"]
    assert tab.want(picture=name, steps=4).panels["journey"]["cached"]


def test_a_picture_is_only_of_the_tab_that_dropped_it(tab):
    name = drop(tab, noise(SIZE, SIZE))
    other = Tab(tab.host, tab.live, view="picture", steps=4, picture=name, picture_to="none")
    answer = other.want()
    assert answer.panels["picture"]["source"] is None
    assert answer.panels["picture"]["said"].startswith("This picture is not kept here any more")
    assert answer.panels["journey"]["state"] == "none"
    assert tab.want(picture=name).panels["picture"]["source"]


def test_a_picture_that_is_too_small_is_named_with_its_size(tab, tiny_folder, engine):
    tab.host.pictures.put(tab.key, tab.session.pictures, encoded(noise(8, 30)))
    name = tab.session.pictures[-1]
    wide = replace(engine.checkpoint, config=replace(engine.checkpoint.config, sample_size=(16, 16)))

    class Wide:
        checkpoint, T = wide, engine.T

    def find(wanted):
        return tab.host.pictures.get(tab.key, wanted)

    assert fitted(jobs(PageSettings("tiny", picture=name)), Wide, find) == []
    from demo.views.picture import why_not

    assert why_not(find, Wide, name) == "This picture is 30×8, and the network sees 16×16: give a larger one."


def test_a_tab_keeps_its_newest_pictures():
    kept, names = GivenPictures(), deque()
    found = [kept.put("tab", names, encoded(noise(SIZE, SIZE, k))) for k in range(EACH + 2)]
    assert [kept.get("tab", name) is None for name in found] == [True, True, *[False] * EACH]
    assert len(names) == EACH
    assert kept.put("tab", names, encoded(noise(SIZE, SIZE, 5))) == found[5]  # the same picture is the same name
    assert len(names) == EACH
    small = GivenPictures(max_bytes=3 * (SIZE * SIZE * 3 + 500))
    for k in range(40):
        small.put(f"tab {k}", deque(), encoded(noise(SIZE, SIZE, k)))
    assert small._kept.size <= small._kept.max_bytes


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is no readable picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "is no readable picture"),
        (encoded(noise(4, 4)), "is 4×4, smaller than 8×8"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is no readable picture"),
    ],
    ids=["empty", "cut short", "tiny", "a program"],
)
def test_what_is_no_picture_is_refused_in_a_sentence(data, why):
    with pytest.raises(DataError, match=f"^The picture {why}\\.$"):
        GivenPictures().put("tab", deque(), data)


@pytest.mark.parametrize("side", [8_000, 30_000])  # above our bound, and above Pillow's own
def test_a_bomb_is_refused_before_it_is_decoded(side, monkeypatch):
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    with pytest.raises(DataError, match="more than 50 million pixels"):
        GivenPictures().put("tab", deque(), buffer.getvalue())


def test_a_picture_on_the_page_is_the_command_lines(tmp_path):
    pixels = noise(90, 130)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    kept, names = GivenPictures(), deque()
    name = kept.put("tab", names, (tmp_path / "x.png").read_bytes())
    assert np.array_equal(framed(kept.get("tab", name).pixels, SIZE), read_picture(tmp_path / "x.png", SIZE))


def test_a_part_is_zoomed_no_further_than_the_pictures_own_pixels():
    pixels = noise(16, 24)
    assert np.array_equal(framed(pixels, 16, 0, 0, 9), framed(pixels, 16, 0, 0, 1))
    assert np.array_equal(framed(pixels, 8, 1, 1, 2), pixels[8:, 16:])
    assert np.array_equal(framed(pixels, 8, 0, 1, 2), pixels[8:, :8])


def test_examples_are_read_as_they_were_laid(tmp_path):
    from core.__main__ import main

    tiles = np.stack([noise(SIZE, SIZE, k) for k in range(14)])
    np.savez(tmp_path / "held.npz", images=tiles)
    out = tmp_path / "examples.png"
    assert main(["examples", str(tmp_path / "held.npz"), "--size", "8", "--n", "12", "--out", str(out)]) == 0
    assert np.array_equal(read_examples(tmp_path, SIZE), tiles[:12])
    assert len(read_examples(tmp_path / "elsewhere", SIZE)) == 0
    with pytest.raises(DataError, match=f"no sheet of 16×16 pictures, {COLUMNS} in a row"):
        read_examples(tmp_path, 16)


def test_noise_is_found_to_be_noise_and_what_is_odd_is_named():
    x = torch.randn(3, 32, 32, generator=torch.Generator().manual_seed(0))
    g = gaussianness(x)
    assert abs(g.mean) < 0.05
    assert abs(g.std - 1) < 0.05
    assert abs(g.neighbours) < 0.05
    assert g.counts.sum() == g.n == 3072
    assert g.expected.sum() == pytest.approx(g.n)
    assert float(np.abs(g.counts - g.expected).max()) < 5 * float(np.sqrt(g.expected.max()))
    odd = gaussianness(0.5 * x.repeat_interleave(2, dim=2) + 0.2)
    assert odd.std == pytest.approx(0.5, abs=0.03)
    assert odd.mean == pytest.approx(0.2, abs=0.03)
    assert odd.neighbours == pytest.approx(0.25, abs=0.03)  # a row in two is doubled, of two directions
    assert gaussianness(torch.zeros(1, 4, 4)).neighbours == 0.0


def test_the_words_tell_a_coarse_way_up_from_a_strange_picture():
    mean_std = {"mean": 0.01, "std": 0.6, "neighbours": 0.3}
    alike = {"mean": (0.0, 0.02), "std": (0.58, 0.66), "neighbours": (0.25, 0.33)}
    assert "could be the noise" in words.gaussian_said({"mean": 0.0, "std": 1.0, "neighbours": 0.0}, 12288, alike)
    assert "the steps up are coarse" in words.gaussian_said(mean_std, 12288, alike)
    unlike = words.gaussian_said(mean_std | {"std": 1.4}, 12288, alike)
    assert unlike.startswith("Unlike held-out pictures")
    assert "spread 1.40 where they have 0.58 to 0.66" in unlike
    assert "More steps" in words.gaussian_said(mean_std, 12288, {})


def test_the_notes_are_whole_json(tab):
    answer = tab.want(picture=drop(tab, noise(SIZE, SIZE)))
    notes = json.loads(tab.files(answer, "journey")["tiny_picture_S4_x_T.json"])
    assert notes["checkpoint"]["name"] == "tiny"
