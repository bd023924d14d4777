"""Latents that were found know how to be decoded: by the command that encode prints, and by the JSON beside them."""

import hashlib
import json
import shlex

import numpy as np
import pytest
import torch
from PIL import Image

from core import Engine, Request, SamplerSettings
from core.__main__ import main
from core.cli.encode import read_images
from core.latent_files import read_latents, read_notes, write_latents
from core.record import read_record, request_of

STEPS = ["--steps", "50", "--refine", "4"]
NOTED = SamplerSettings(50, 0.0, "leading", clip=False)


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


@pytest.fixture(scope="module")
def found(tiny_folder, tmp_path_factory):
    """Two pictures and their latents, in a folder whose name a shell must be told with quotes."""
    folder = tmp_path_factory.mktemp("found") / "it's; here"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in "ab":
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    pictures = [str(folder / "a.png"), str(folder / "b.png")]
    argv = ["encode", str(tiny_folder), *pictures, *STEPS, "--device", "cpu", "--out", str(folder / "x_T.npy")]
    assert main(argv) == 0
    return folder


@pytest.fixture
def latents(found, tmp_path):
    """A copy that may be spoilt."""
    for name in ("x_T.npy", "x_T.json"):
        (tmp_path / name).write_bytes((found / name).read_bytes())
    return tmp_path / "x_T.npy"


def sample(folder, latents, *options, verb="sample"):
    out = latents.parent / "out.npy"
    assert main([verb, str(folder), "--latents", str(latents), "--device", "cpu", "--out", str(out), *options]) == 0
    return np.load(out)


def want(engine, latents, settings, **options):
    x_T = torch.from_numpy(np.load(latents))
    return engine.sample(Request((0, 1), settings, **options), x_T).images.numpy()


def test_the_notes_tell_how_the_latents_were_found(found, engine):
    notes = json.loads((found / "x_T.json").read_text())
    array = np.load(found / "x_T.npy")
    assert notes == {
        "schema": "ddim-latents/1",
        "checkpoint": {"name": "tiny", "sha256": engine.checkpoint.sha256},
        "settings": {"steps": 50, "eta": 0.0, "spacing": "leading", "timesteps": None, "sigma_hat": False,
                     "clip": False, "solver": "ddim", "label": None},
        "refine": 4,
        "count": 2,
        "latents_sha256": hashlib.sha256(array.astype("<f4").tobytes()).hexdigest(),
    }  # fmt: skip
    record = engine.sample(Request((0, 1)), torch.from_numpy(array)).record
    assert record["latents_sha256"] == notes["latents_sha256"]


def printed(capsys):
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("decode: "))
    return line.removeprefix("decode: ")


def test_the_printed_command_gives_the_pictures_back(tiny_folder, found, tmp_path, monkeypatch, capsys):
    out = tmp_path / "a folder" / "x_T.npy"
    out.parent.mkdir()
    pictures = [found / "a.png", found / "b.png"]
    options = [*STEPS, "--spacing", "trailing", "--device", "cpu", "--out", str(out)]
    assert main(["encode", str(tiny_folder), *map(str, pictures), *options]) == 0
    words = shlex.split(printed(capsys))
    assert words == [
        "python", "-m", "core", "sample", str(tiny_folder), "--latents", str(out), "--no-clip", "--steps", "50",
        "--spacing", "trailing", "--device", "cpu", "--out", "decoded.png",
    ]  # fmt: skip
    out.with_suffix(".json").unlink()  # the command says all by itself
    monkeypatch.chdir(tmp_path)
    assert main(words[3:]) == 0
    assert request_of(read_record(tmp_path / "decoded.png")).settings == SamplerSettings(
        50, 0.0, "trailing", clip=False
    )
    assert main([*words[3:-1], "decoded.npy"]) == 0
    wanted = read_images(pictures, (3, 8, 8)).numpy()
    assert float(np.square(np.load(tmp_path / "decoded.npy") - wanted).mean()) < 1e-4


def test_without_a_word_the_notes_are_followed_and_said(tiny_folder, engine, latents, found, capsys):
    images = sample(tiny_folder, latents)
    assert np.array_equal(images, want(engine, latents, NOTED))
    wanted = read_images([found / "a.png", found / "b.png"], (3, 8, 8)).numpy()
    assert float(np.square(images - wanted).mean()) < 1e-4
    beside = latents.with_suffix(".json")
    assert capsys.readouterr().err == f"{beside}: taken --steps 50 --spacing leading --eta 0 --no-clip\n"


@pytest.mark.parametrize(
    ("options", "settings", "taken"),
    [
        (["--steps", "9"], SamplerSettings(9, 0.0, "leading", clip=False), "--spacing leading --eta 0 --no-clip"),
        (["--steps", "20"], SamplerSettings(20, 0.0, "leading", clip=False), "--spacing leading --eta 0 --no-clip"),
        (["--spacing", "trailing"], SamplerSettings(50, 0.0, "trailing", clip=False), "--steps 50 --eta 0 --no-clip"),
        (["--timesteps", "900,0"], SamplerSettings(timesteps=(900, 0), clip=False), "--eta 0 --no-clip"),
        (["--eta", "1"], SamplerSettings(50, 1.0, "leading", clip=False), "--steps 50 --spacing leading --no-clip"),
        (["--sigma-hat"], SamplerSettings(50, sigma_hat=True, spacing="leading", clip=False),
         "--steps 50 --spacing leading --no-clip"),
        (["--clip"], SamplerSettings(50, 0.0, "leading", clip=True), "--steps 50 --spacing leading --eta 0"),
    ],
)  # fmt: skip
def test_an_option_that_is_given_wins(tiny_folder, engine, latents, capsys, options, settings, taken):
    assert np.array_equal(sample(tiny_folder, latents, *options), want(engine, latents, settings))
    assert capsys.readouterr().err.endswith(f"x_T.json: taken {taken}\n")


def test_where_all_is_given_nothing_is_said(tiny_folder, latents, capsys):
    sample(tiny_folder, latents, "--steps", "5", "--spacing", "leading", "--eta", "0", "--clip")
    assert capsys.readouterr().err == ""


def test_an_interpolation_follows_the_notes_too(tiny_folder, engine, latents):
    images = sample(tiny_folder, latents, "--frames", "5", verb="interpolate")
    assert np.array_equal(images, want(engine, latents, NOTED, frames=5))


def test_a_list_of_steps_in_the_notes_is_followed(tiny_folder, engine, tmp_path, capsys):
    path, settings = tmp_path / "x_T.npy", SamplerSettings(timesteps=(900, 500, 0), spacing="leading", clip=True)
    write_latents(path, engine.x_T(Request((4, 1))), engine.checkpoint, settings, refine=0)
    assert read_notes(path.with_suffix(".json")).settings == settings
    assert np.array_equal(sample(tiny_folder, path), want(engine, path, settings))
    assert "taken --timesteps 900,500,0 --eta 0 --clip\n" in capsys.readouterr().err
    assert np.array_equal(sample(tiny_folder, path, "--steps", "3"), want(engine, path, SamplerSettings(3, clip=True)))


def test_latents_of_another_checkpoint_are_decoded_and_it_is_said(tiny_folder, engine, latents, capsys):
    beside = latents.with_suffix(".json")
    notes = json.loads(beside.read_text())
    beside.write_text(json.dumps({**notes, "checkpoint": {"name": "other\nname" * 99, "sha256": "0" * 64}}))
    assert np.array_equal(sample(tiny_folder, latents), want(engine, latents, NOTED))
    taken, other = capsys.readouterr().err.splitlines()
    assert "taken" in taken
    assert "the latents come from another checkpoint, 'other\\nname" in other
    assert len(other) < 250


def test_notes_of_other_latents_are_not_followed_and_it_is_said(tiny_folder, engine, latents, capsys):
    np.save(latents, np.load(latents)[::-1])
    assert np.array_equal(sample(tiny_folder, latents), want(engine, latents, SamplerSettings()))
    assert "x_T.json tells of other latents than x_T.npy holds: it is not followed\n" in capsys.readouterr().err


def spoilt(**changes):
    return lambda notes: json.dumps({**notes, **changes})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda notes: "",
        lambda notes: "[1]",
        lambda notes: "[" * 99999,
        lambda notes: json.dumps(notes)[:-9],
        lambda notes: json.dumps({"total_s": 1.5}),
        spoilt(schema="ddim-latents/2"),
        spoilt(checkpoint=None),
        spoilt(checkpoint={"name": 3, "sha256": "0"}),
        spoilt(settings={"steps": 0}),
        spoilt(settings={"temperature": 1}),
        spoilt(settings=7),
        spoilt(refine="4"),
        spoilt(count=True),
        spoilt(latents_sha256=None),
    ],
)
def test_damaged_notes_are_one_sentence(tiny_folder, latents, capsys, spoil):
    beside = latents.with_suffix(".json")
    beside.write_text(spoil(json.loads(beside.read_text())))
    argv = ["sample", str(tiny_folder), "--latents", str(latents), "--out", str(latents.parent / "out.npy")]
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert f"{beside} does not tell how latents were found (ddim-latents/1): restore it, or move it away" in err
    assert not (latents.parent / "out.npy").exists()


def test_an_array_alone_is_sampled_as_any(tiny_folder, engine, latents, capsys):
    latents.with_suffix(".json").unlink()
    assert read_latents(latents).notes is None
    assert np.array_equal(sample(tiny_folder, latents), want(engine, latents, SamplerSettings()))
    assert capsys.readouterr().err == ""


def test_an_empty_array_is_refused(tiny_folder, tmp_path, capsys):
    np.save(tmp_path / "x_T.npy", np.zeros((0, 3, 8, 8), np.float32))
    argv = ["sample", str(tiny_folder), "--latents", str(tmp_path / "x_T.npy"), "--out", str(tmp_path / "x.npy")]
    assert main(argv) == 2
    assert "holds float32 (0, 3, 8, 8)" in capsys.readouterr().err


def test_encode_writes_over_its_own_notes_and_over_no_other_file(tiny_folder, found, latents, capsys):
    argv = ["encode", str(tiny_folder), str(found / "a.png"), "--steps", "5", "--device", "cpu", "--out", str(latents)]
    assert main(argv) == 0
    notes = read_notes(latents.with_suffix(".json"))
    assert (notes.settings.steps, notes.count) == (5, 1)
    latents.with_suffix(".json").write_text('{"total_s": 1.5}')
    before = latents.read_bytes()
    capsys.readouterr()
    assert main(argv) == 2
    assert "x_T.json is another file, which would be overwritten: choose another --out" in capsys.readouterr().err
    assert latents.with_suffix(".json").read_text() == '{"total_s": 1.5}'
    assert latents.read_bytes() == before


def test_encode_takes_a_number_of_threads(tiny_folder, found, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    argv = ["encode", str(tiny_folder), str(found / "a.png"), "--steps", "2", "--out", str(tmp_path / "x.npy")]
    assert main([*argv, "--threads", "3"]) == 0
    assert asked == [3]
