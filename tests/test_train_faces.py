"""The toon-face data set: reproducible, independent attributes, continuous colours, labels that tell the truth."""

import json

import numpy as np
import pytest

from core import DataError
from core.__main__ import main
from core.data import faces
from core.data.colour import from_oklab, ramp, ring, to_oklab
from core.data.datasets import load_images, read_npz_labels
from core.data.faces import COLOURS, RINGS, SHAPES, SKIN, Face, colour_rgb, draw, options, render
from core.evaluate.faces import PATCH, background, check_faces


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("dicebear", reason="pip install -r requirements-train.txt for the drawing of faces")
    out = tmp_path_factory.mktemp("faces")
    assert main(["faces", "--out", str(out), "--n", "120", "--held-out", "40", "--workers", "2"]) == 0
    return out


def test_the_same_seed_makes_the_same_faces_and_another_makes_others(folder, tmp_path):
    images = load_images(folder / "train.npz", 64)
    assert images.shape == (120, 3, 64, 64)
    for i in (0, 7, 119):
        assert np.array_equal(images[i].transpose(1, 2, 0), render(draw(0, 0, i)))
    assert draw(1, 0, 0) != draw(0, 0, 0) != draw(0, 1, 0)
    held_out = load_images(folder / "held-out.npz", 64)
    assert not (images[:40] == held_out).all(axis=(1, 2, 3)).any()


def test_labels_are_those_of_the_pictures(folder):
    labels = read_npz_labels(folder / "train.npz")
    assert set(labels) == {f"shape_{name}" for name in SHAPES} | {f"colour_{name}" for name in COLOURS}
    images = load_images(folder / "train.npz", 64).transpose(0, 2, 3, 1)
    skin = images[:, PATCH[0], PATCH[1]].reshape(len(images), -1, 3).mean(axis=1)
    assert np.abs(skin - colour_rgb("skin", labels["colour_skin"])).max() < 3
    assert np.abs(background(images).mean(axis=1) - colour_rgb("background", labels["colour_background"])).max() < 1
    one = Face(*(
        {name: labels[f"{kind}_{name}"][5].item() for name in names}
        for kind, names in (("shape", SHAPES), ("colour", COLOURS))
    ))  # fmt: skip
    assert np.abs(render(one).astype(int) - images[5]).max() <= 1  # colours are kept as float32


def test_the_file_says_how_it_was_made_and_whom_to_thank(folder):
    with np.load(folder / "held-out.npz") as archive:
        about = json.loads(str(archive["about"]))
    assert "Johan Melin" in about["attribution"]
    assert "CC BY 4.0" in about["attribution"]
    assert about["split"] == 1
    assert about["shapes"]["mouth"][2] == "laugh"


def test_attributes_are_drawn_independently_and_evenly():
    found = [draw(0, 0, i) for i in range(4000)]
    columns = {name: np.array([f.shapes[name] for f in found], dtype=float) for name in SHAPES}
    columns |= {f"{name} colour": np.array([f.colours[name] for f in found]) for name in COLOURS}
    correlation = np.corrcoef(list(columns.values()))
    assert np.abs(correlation - np.eye(len(columns))).max() < 0.07  # 4.4 standard deviations of 1/√4000
    for name, (values, share) in SHAPES.items():
        counts = np.bincount(columns[name].astype(int), minlength=len(values)) / len(found)
        rest = counts[1:] if values[0] == "none" else counts
        assert rest == pytest.approx(share / len(rest), abs=0.03)
    for name in COLOURS:
        assert np.histogram(columns[f"{name} colour"], 10, (0, 1))[0] == pytest.approx(400, abs=90)


def test_every_shape_can_be_drawn_and_changes_the_picture(folder):
    base = draw(0, 0, 0)
    bare = base.shapes | {"beard": 0, "hair": 1, "rearHair": 0}
    for name, (values, _) in SHAPES.items():
        seen = {render(Face(bare | {name: label}, base.colours)).tobytes() for label in range(len(values))}
        assert len(seen) == len(values), name


def test_all_drawn_faces_pass_the_checks_that_samples_are_held_to(folder):
    for name in ("train", "held-out"):
        pictures = load_images(folder / f"{name}.npz", 64).transpose(0, 2, 3, 1)
        assert check_faces(pictures).shares() == {"hue": 1.0, "flat": 1.0, "luminance": 1.0, "all": 1.0}


def test_loud_noisy_and_dark_pictures_fail_one_check_each(folder):
    face = load_images(folder / "train.npz", 64)[:1].transpose(0, 2, 3, 1)
    green, noisy = face.copy(), face.copy()
    green[:, PATCH[0], PATCH[1]] = (60, 160, 60)
    noisy[:, :40, :11] += np.random.default_rng(0).integers(0, 16, noisy[:, :40, :11].shape, dtype=np.uint8)
    dark = face // 3
    for pictures, failed in ((green, "hue"), (noisy, "flat"), (dark, "luminance")):
        shares = check_faces(pictures).shares()
        assert shares == {name: float(name not in (failed, "all")) for name in shares}


def test_colours_lie_on_smooth_ramps_and_closed_rings():
    u = np.linspace(0, 1, 200)
    for name in COLOURS:
        lab = to_oklab(colour_rgb(name, u))
        steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
        assert steps.max() < 0.02, name  # no jump that an eye would see
    assert colour_rgb("background", 0.0) == pytest.approx(colour_rgb("background", 1.0))
    assert ramp(SKIN, [0.0, 1.0]) == pytest.approx(np.array([[0x4D, 0x2E, 0x22], [0xF2, 0xCC, 0xB0]]), abs=1e-6)
    for lightness, chroma in RINGS.values():
        lab = to_oklab(ring(lightness, chroma, u))
        assert lab[:, 0] == pytest.approx(lightness, abs=0.01)  # inside the gamut, so not clipped
        assert np.hypot(lab[:, 1], lab[:, 2]) == pytest.approx(chroma, abs=0.015)


def test_oklab_is_that_of_its_author():
    """White, and the sRGB primaries as published by B. Ottosson."""
    known = {(255, 255, 255): (1, 0, 0), (255, 0, 0): (0.628, 0.225, 0.126), (0, 255, 0): (0.866, -0.234, 0.179),
             (0, 0, 255): (0.452, -0.032, -0.312)}  # fmt: skip
    for rgb, lab in known.items():
        assert to_oklab(rgb) == pytest.approx(lab, abs=6e-4)
    grid = np.stack(np.meshgrid(*[np.linspace(0, 255, 6)] * 3), axis=-1)
    assert from_oklab(to_oklab(grid)) == pytest.approx(grid, abs=1e-3)


def test_nothing_is_left_to_the_drawing_library_s_own_chance():
    chosen = options(draw(3, 0, 5))
    assert {f"{name}Color" for name in COLOURS} <= set(chosen)
    for name in SHAPES:
        assert chosen[f"{name}Probability"] in (0, 100)
        assert (f"{name}Variant" in chosen) == (chosen[f"{name}Probability"] == 100)


def test_without_the_extras_the_remedy_is_named(monkeypatch):
    faces._drawing_tools.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(DataError, match=r"resvg_py.*requirements-train\.txt"):
        render(draw(0, 0, 0))
    faces._drawing_tools.cache_clear()


@pytest.mark.parametrize("bad", [("--n", "0"), ("--held-out", "0"), ("--seed", "-1"), ("--workers", "-1")])
def test_bad_counts_are_refused(bad, tmp_path, capsys):
    assert main(["faces", "--out", str(tmp_path), *bad]) == 2
    assert capsys.readouterr().err.count("\n") == 1
