"""A request written as a command line and as Python gives the same pictures, bit for bit."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core import Engine, Request, SamplerSettings
from core.__main__ import main
from core.pixels import to_pixels
from core.reproduce import command_line, python_code, seeds_text

ROOT = Path(__file__).resolve().parents[1]
REQUESTS = {
    "samples": Request(tuple(range(3, 8)), SamplerSettings(4, 0.5, "trailing")),
    "strip": Request((3, 8), SamplerSettings(3), frames=5),
    "loop with own noise": Request((3, 8, 12), SamplerSettings(3, 1.0), frames=7, loop=True, own_noise=True),
    "sheet": Request((1, 2, 3, 4), SamplerSettings(2), sheet=3),
    "place": Request((1, 2, 3, 4), SamplerSettings(3, spacing="quadratic"), place=(0.25, 1.0)),
    "list": Request((9,), SamplerSettings(timesteps=(40, 20, 3), sigma_hat=True, clip=False)),
    "more than a batch": Request(tuple(range(70)), SamplerSettings(1)),
}


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.mark.parametrize("name", REQUESTS)
def test_the_command_line_gives_the_same_pictures(name, engine, tiny_folder, tmp_path):
    request = REQUESTS[name]
    words = shlex.split(command_line(request, str(tiny_folder), "cpu", "fp32", str(tmp_path / "x.npy")))
    assert words[:3] == ["python", "-m", "core"]
    assert main(words[3:]) == 0
    want = engine.sample(request, max_batch=max(64, request.count)).images
    assert np.array_equal(np.load(tmp_path / "x.npy"), want.numpy())


@pytest.mark.parametrize("name", REQUESTS)
def test_the_python_gives_the_same_pictures(name, engine, tiny_folder, tmp_path, monkeypatch):
    request = REQUESTS[name]
    scope = {}
    exec(python_code(request, str(tiny_folder), "cpu", "fp32", str(tmp_path / "x.npy")), scope)
    assert scope["request"] == request
    want = engine.sample(request, max_batch=max(64, request.count)).images
    assert np.array_equal(np.load(tmp_path / "x.npy"), want.numpy())


def test_a_command_with_odd_names_runs_in_a_process_of_its_own(engine, tiny_folder, tmp_path):
    odd = tmp_path / "a folder; with 'signs'"
    odd.symlink_to(tiny_folder, target_is_directory=True)
    request = Request((1, 2), SamplerSettings(2))
    line = command_line(request, str(odd), "cpu", "fp32", str(tmp_path / "x.npy"))
    words = [sys.executable, *shlex.split(line)[1:]]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}  # as here (conftest): another number rounds the last bit otherwise
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True, env=one)
    assert np.array_equal(np.load(tmp_path / "x.npy"), engine.sample(request).images.numpy())


@pytest.mark.parametrize(
    ("seeds", "text"), [((3,), "3"), ((3, 4), "3,4"), ((3, 4, 5), "3-5"), ((3, 5, 4), "3,5,4"), ((5, 4, 3), "5,4,3")]
)
def test_seeds_are_written_as_the_command_line_reads_them(seeds, text):
    assert seeds_text(seeds) == text


def test_a_result_shows_itself_in_a_notebook_and_saves_itself(engine, tmp_path):
    import io

    from PIL import Image

    from core.record import read_record, request_of

    result = engine.sample(Request((3, 8), SamplerSettings(2), frames=4))
    with Image.open(io.BytesIO(result._repr_png_())) as image:
        assert image.width > 3 * image.height  # a strip in one row
    result.save(tmp_path / "x.png")
    assert request_of(read_record(tmp_path / "x.png")).frames == 4
    with Image.open(tmp_path / "x.png") as image:
        side = to_pixels(result.images).shape[1]
        assert image.size == (4 * side + 6, side)
    result.save(tmp_path / "x.npy")
    assert np.array_equal(np.load(tmp_path / "x.npy"), result.images.numpy())


@pytest.mark.parametrize("eta", [0.0, 0.5, 1 / 3, 0.1234567, 1e-07])
def test_eta_loses_no_digit_on_the_command_line(eta):
    words = shlex.split(command_line(Request((3,), SamplerSettings(eta=eta)), "net"))
    assert float(words[words.index("--eta") + 1]) == eta


@pytest.mark.parametrize(("batch", "said"), [(None, "100"), (100, "100"), (64, None), (7, "7")])
def test_a_batch_is_written_where_it_is_not_the_command_line_s_own(batch, said):
    request = Request(tuple(range(100)))
    words = shlex.split(command_line(request, "net", batch=batch))
    assert (words[words.index("--batch") + 1] if "--batch" in words else None) == said
    assert (f"max_batch={said}" in python_code(request, "net", batch=batch)) is (said is not None)
