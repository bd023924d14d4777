"""``python -m core sample`` and ``interpolate``, as scripts see them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core import Engine, Request, RequestError, SamplerSettings
from core.__main__ import main
from core.cli.options import parse_seeds
from core.record import read_record, request_of

ROOT = Path(__file__).parents[1]


@pytest.fixture
def sample(tiny_folder, tmp_path):
    """Run a verb with a few steps on the CPU; the path written."""

    def run(*options, verb="sample", out="x.npy"):
        steps = [] if "--timesteps" in options else ["--steps", "4"]
        argv = [verb, str(tiny_folder), *steps, "--device", "cpu", "--out", str(tmp_path / out), *options]
        assert main(argv) == 0
        return tmp_path / out

    return run


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("3,8", (3, 8)),
        ("1,4-6", (1, 4, 5, 6)),
        ("8,3", (8, 3)),
        ("5-5", (5,)),
        (" 1 , 2 ", (1, 2)),
        ("2,2", (2, 2)),
    ],
)
def test_seeds_are_read_in_order(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "1,", "3-1", "-3", "1-2-3", "1.5", "0-9999999", f"0-{10**30}"])
def test_seeds_that_are_not_understood_are_refused_with_examples(text):
    with pytest.raises(RequestError, match="write 0-15, or 3,8, or 1,4-6"):
        parse_seeds(text)


def test_npy_holds_the_engines_unrounded_pictures(sample, tiny_folder):
    array = np.load(sample("--seeds", "4,1", "--eta", "0.5"))
    images = Engine.open(tiny_folder, "cpu").sample(Request((4, 1), SamplerSettings(4, 0.5))).images
    assert array.dtype == np.float32
    assert array.shape == (2, 3, 8, 8)
    assert np.array_equal(array, images.numpy())


def test_the_same_command_twice_is_bit_equal(sample):
    first = sample("--seeds", "0-3", "--eta", "1", out="a.npy").read_bytes()
    assert sample("--seeds", "0-3", "--eta", "1", out="b.npy").read_bytes() == first


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (["--spacing", "trailing"], SamplerSettings(4, spacing="trailing")),
        (["--timesteps", "900,500,100,0"], SamplerSettings(timesteps=(900, 500, 100, 0))),
        (["--sigma-hat"], SamplerSettings(4, sigma_hat=True)),
        (["--no-clip"], SamplerSettings(4, clip=False)),
        (["--solver", "dpm-solver++"], SamplerSettings(4, solver="dpm-solver++")),
    ],
)
def test_every_option_reaches_the_engine(sample, tiny_folder, options, settings):
    array = np.load(sample("--seeds", "4,1", *options))
    images = Engine.open(tiny_folder, "cpu").sample(Request((4, 1), settings)).images
    np.testing.assert_allclose(array, images.numpy(), atol=1e-5)


def test_interpolate_writes_the_strip(sample, tiny_folder):
    array = np.load(sample("--seeds", "3,8", "--frames", "6", "--loop", verb="interpolate"))
    images = Engine.open(tiny_folder, "cpu").sample(Request((3, 8), SamplerSettings(4), frames=6, loop=True)).images
    assert np.array_equal(array, images.numpy())


def test_latents_given_back_make_the_same_pictures(sample, tiny_folder, tmp_path):
    np.save(tmp_path / "x_T.npy", Engine.open(tiny_folder, "cpu").x_T(Request((4, 1))).numpy())
    own = np.load(sample("--seeds", "4,1", "--eta", "1"))
    given = np.load(sample("--seeds", "4,1", "--eta", "1", "--latents", str(tmp_path / "x_T.npy"), out="y.npy"))
    assert np.array_equal(own, given)


def test_latents_of_other_seeds_make_those_seeds_pictures(sample, tiny_folder, tmp_path):
    np.save(tmp_path / "x_T.npy", Engine.open(tiny_folder, "cpu").x_T(Request((4, 1))).numpy())
    given = np.load(sample("--seeds", "7,7", "--latents", str(tmp_path / "x_T.npy")))
    assert np.array_equal(given, np.load(sample("--seeds", "4,1", out="y.npy")))  # η = 0: x_T decides alone


def test_without_seeds_there_are_as_many_as_latents(sample, tiny_folder, tmp_path):
    x_T = Engine.open(tiny_folder, "cpu").x_T(Request((4, 1, 9)))
    np.save(tmp_path / "x_T.npy", x_T.numpy())
    given = np.load(sample("--eta", "1", "--latents", str(tmp_path / "x_T.npy")))
    want = Engine.open(tiny_folder, "cpu").sample(Request((0, 1, 2), SamplerSettings(4, 1.0)), x_T)
    assert np.array_equal(given, want.images.numpy())


def test_without_options_it_is_16_seeds_at_20_steps_of_ddim(tiny_folder, tmp_path):
    assert main(["sample", str(tiny_folder), "--device", "cpu", "--out", str(tmp_path / "x.png")]) == 0
    assert request_of(read_record(tmp_path / "x.png")) == Request(
        tuple(range(16)), SamplerSettings(20, 0.0, "leading", clip=True)
    )


def test_threads_are_set_before_the_checkpoint_is_opened(sample, monkeypatch):
    order, opened = [], Engine.open
    monkeypatch.setattr(torch, "set_num_threads", lambda n: order.append(n))
    monkeypatch.setattr(Engine, "open", lambda *a: order.append("open") or opened(*a))
    sample("--seeds", "1", "--threads", "3")
    sample("--seeds", "3,8", "--frames", "2", "--threads", "2", verb="interpolate")
    sample("--seeds", "1", "--threads", "0")
    assert order == [3, "open", 2, "open", "open"]


def test_the_timing_record_has_every_field(sample, tmp_path):
    sample("--seeds", "0-4", "--batch", "2", "--timing", str(tmp_path / "t.json"))
    timing = json.loads((tmp_path / "t.json").read_text())
    assert set(timing) == {
        "total_s", "network_s", "ms_per_evaluation", "images_per_s", "evaluations", "device", "device_name",
        "precision", "threads", "batch", "backend",
    }  # fmt: skip
    assert (timing["evaluations"], timing["batch"], timing["device"], timing["precision"]) == (12, 2, "cpu", "fp32")
    assert timing["threads"] == torch.get_num_threads()
    assert 0 < timing["network_s"] <= timing["total_s"]
    assert timing["ms_per_evaluation"] == pytest.approx(1000 * timing["network_s"] / 12)
    assert timing["images_per_s"] == pytest.approx(5 / timing["total_s"])


def test_one_line_on_stdout_says_what_was_made(sample, capsys):
    sample("--seeds", "0-2")
    out, err = capsys.readouterr()
    assert "3 pictures" in out
    assert out.count("\n") == 1
    assert err == ""


@pytest.mark.parametrize("suffix", ["png", "gif", "webp"])
def test_a_picture_file_repeats_its_own_run(sample, tiny_folder, suffix):
    path = sample("--seeds", "4,1", "--eta", "0.5", out=f"x.{suffix}")
    request = request_of(read_record(path))
    assert request == Request((4, 1), SamplerSettings(4, 0.5, "leading", clip=True))


def test_a_boomerang_plays_there_and_back(sample):
    path = sample("--seeds", "3,8", "--frames", "5", "--boomerang", verb="interpolate", out="x.webp")
    with Image.open(path) as image:
        assert image.n_frames == 8


def test_precision_is_passed_on_and_recorded(sample, tmp_path):
    sample("--seeds", "1", "--precision", "bf16", "--timing", str(tmp_path / "t.json"))
    assert json.loads((tmp_path / "t.json").read_text())["precision"] == "bf16"


BAD = {
    "no checkpoint": (["--checkpoint", "/nowhere"], "No checkpoint folder"),
    "eta": (["--eta", "1.5"], "eta"),
    "eta nan": (["--eta", "nan"], "eta"),
    "eta text": (["--eta", "some"], "--eta"),
    "steps 0": (["--steps", "0"], "steps"),
    "steps beyond T": (["--steps", "1001"], "1 to 1000"),
    "seeds": (["--seeds", "1;2"], "--seeds"),
    "seed too large": (["--seeds", str(2**53)], "seed"),
    "spacing": (["--spacing", "uniform"], "--spacing"),
    "timesteps text": (["--timesteps", "9,a"], "--timesteps"),
    "timesteps rising": (["--timesteps", "100,500"], "fall"),
    "timesteps of nothing": (["--timesteps", ""], "--timesteps must be whole numbers, such as 900,500,100,0"),
    "timesteps and steps": (["--timesteps", "900,0"], "leave out --steps, or --timesteps"),
    "timesteps and spacing": (["--timesteps", "900,0", "--spacing", "trailing"], "leave out --s"),
    "sigma-hat and eta": (["--sigma-hat", "--eta", "0.5"], "leave out --eta, or --sigma-hat"),
    "seeds of nothing": (["--seeds", ""], "--seeds '' is not understood"),
    "seeds too long": (["--seeds", "9;" * 5000], "9;9;9;'… is not understood, or names more than 100,000"),
    "steps too long": (["--steps", "9" * 5000], "--steps: give a whole number from 1 to 1000000000, not '999"),
    "an option too long": (["--" + "x\ny" * 5000], "unrecognized arguments: --x yx y"),
    "columns": (["--columns", "2"], "--columns lays out a .png sheet"),
    "threads": (["--threads", "-1"], "--threads"),
    "too many threads": (["--threads", "1000000"], "whole number from 0 to 1024"),
    "a folder for a file": (["--timing", "."], "is a folder"),
    "device": (["--device", "gpu"], "device"),
    "precision": (["--precision", "fp8"], "precision"),
    "fp16 on the cpu": (["--precision", "fp16"], "fp16"),
    "suffix": (["--out", "x.jpg"], "--out"),
    "folder": (["--out", "/nowhere/x.npy"], "does not exist"),
    "timing folder": (["--timing", "/nowhere/t.json"], "does not exist"),
    "batch": (["--batch", "0"], "--batch"),
    "latents missing": (["--latents", "/nowhere.npy"], "latents"),
    "unknown option": (["--cfg", "7"], "--cfg"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_with_status_2_and_one_line(name, tiny_folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options, words = BAD[name]
    folder = str(tiny_folder)
    if options[0] == "--checkpoint":
        folder, options = options[1], []
    steps = [] if name in ("timesteps text", "timesteps rising", "timesteps of nothing") else ["--steps", "4"]
    argv = ["sample", folder, "--seeds", "1", *steps, "--device", "cpu", "--out", "x.npy", *options]
    try:
        status = main(argv)
    except SystemExit as stop:  # argparse's own way
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert words in err
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert out == ""
    assert len(err) < 300
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "required"),
        (["dream"], "dream"),
        (["sample"], "required"),
        (["interpolate", "x", "--seeds", "3", "--out", "x.npy"], "two seeds"),
        (["interpolate", "x", "--frames", "1", "--out", "x.npy"], "2 frames"),
        (["interpolate", "x", "--boomerang", "--out", "x.npy"], "--boomerang is for animations"),
        (["interpolate", "x", "--seeds", "0-3", "--sheet", "3", "--loop", "--out", "x.npy"], "--loop closes a path"),
        (["interpolate", "x", "--timesteps", "9,0", "--steps", "2", "--out", "x.npy"], "leave out --steps"),
    ],
)
def test_a_command_that_says_too_little_ends_the_same_way(argv, words, capsys):
    try:
        status = main(argv)
    except SystemExit as stop:
        status = stop.code
    err = capsys.readouterr().err
    assert status == 2
    assert words in err
    assert err.count("\n") == 1


def write_archive(path):
    with path.open("wb") as file:
        np.savez(file, x=np.zeros((1, 3, 8, 8), np.float32))


ODD_LATENTS = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("hello"),
    "an archive": write_archive,
    "whole numbers": lambda path: np.save(path, np.zeros((1, 3, 8, 8), np.int64)),
    "objects": lambda path: np.save(path, np.array([None]), allow_pickle=True),
    "three dimensions": lambda path: np.save(path, np.zeros((3, 8, 8), np.float32)),
    "two pictures for one seed": lambda path: np.save(path, np.zeros((2, 3, 8, 8), np.float32)),
    "another size": lambda path: np.save(path, np.zeros((1, 3, 4, 4), np.float32)),
    "NaN": lambda path: np.save(path, np.full((1, 3, 8, 8), np.nan, np.float32)),
}


@pytest.mark.parametrize("name", ODD_LATENTS)
def test_odd_latents_end_the_same_way(name, tiny_folder, tmp_path, capsys):
    path = tmp_path / "x_T.npy"
    ODD_LATENTS[name](path)
    argv = ["sample", str(tiny_folder), "--seeds", "1", "--latents", str(path), "--out", str(tmp_path / "x.npy")]
    assert main([*argv, "--device", "cpu"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "atents" in err
    assert not (tmp_path / "x.npy").exists()


def python_m_core(*argv):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "core", *argv], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_as_a_process_it_samples(tiny_folder, tmp_path):
    out = tmp_path / "x.npy"
    done = python_m_core(
        "sample", str(tiny_folder), "--seeds", "0-1", "--steps", "2", "--device", "cpu", "--out", str(out)
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert np.load(out).shape == (2, 3, 8, 8)


def test_as_a_process_bad_input_is_status_2_and_one_line():
    done = python_m_core("sample", "/nowhere", "--out", "x.npy")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "/nowhere" in done.stderr
