"""A path, a sheet or a place between latents that were given: two pictures of one's own and what lies between them."""

import hashlib

import numpy as np
import pytest
import torch
from PIL import Image

from core import Engine, Request, RequestError, SamplerSettings
from core.__main__ import main
from core.latents import between_corners, sheet, strip
from core.record import read_record, request_of
from core.reproduce import command_line, python_code

S4 = SamplerSettings(4)
BETWEEN = {
    "path": (Request((0, 1), S4, frames=5), lambda keys: strip(keys, 5)),
    "path through three": (Request((0, 1, 2), S4, frames=5), lambda keys: strip(keys, 5)),
    "loop": (Request((0, 1, 2), S4, frames=7, loop=True), lambda keys: strip(keys, 7, loop=True)),
    "sheet": (Request((0, 1, 2, 3), S4, sheet=3), lambda keys: sheet(keys, 3)),
    "place": (Request((0, 1, 2, 3), S4, place=(0.3, 0.8)), lambda keys: between_corners(keys, 0.3, 0.8)[None]),
}


@pytest.fixture(scope="module")
def engine(tiny_folder):
    return Engine.open(tiny_folder, "cpu")


def keys_of(n):
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(n))


@pytest.mark.parametrize("name", BETWEEN)
def test_latents_given_one_for_each_seed_are_the_keys(engine, name):
    request, path = BETWEEN[name]
    keys = keys_of(len(request.seeds))
    assert torch.equal(engine.x_T(request, keys), path(keys))
    result = engine.sample(request, keys)
    assert torch.equal(result.images, engine.sample(request, path(keys)).images)
    assert result.record["latents_sha256"] == hashlib.sha256(keys.numpy().tobytes()).hexdigest()
    assert request_of(result.record).count == len(result.images)
    assert torch.equal(engine.sample(request_of(result.record), keys).images, result.images)


@pytest.mark.parametrize("request_", [Request((0, 1, 2), frames=3), Request((0, 1, 2, 3), sheet=2)])
def test_where_there_are_as_many_pictures_as_keys_the_path_is_the_keys_themselves(engine, request_):
    """So one latent a picture is a path, too, and what latents mean never depends on more than their number."""
    keys = keys_of(request_.count)
    assert torch.equal(engine.x_T(request_, keys), keys)


def test_the_seeds_own_latents_as_keys_change_nothing(engine):
    request = Request((3, 8), SamplerSettings(4, 1.0), frames=5)
    keys = engine.x_T(Request((3, 8)))
    assert torch.equal(engine.interpolate(request, x_T=keys).images, engine.interpolate(request).images)


def test_with_noise_every_frame_adds_that_of_the_first_seed_or_its_own(engine):
    keys, eta = keys_of(2), SamplerSettings(4, 1.0)
    path = strip(keys, 4)
    shared = engine.sample(Request((6, 9), eta, frames=4), keys).images
    own = engine.sample(Request((6, 9), eta, frames=4, own_noise=True), keys).images
    assert torch.equal(shared, engine.sample(Request((6, 6, 6, 6), eta), path).images)
    assert torch.equal(own, engine.sample(Request((6, 7, 8, 9), eta), path).images)


@pytest.mark.parametrize("n", [1, 3, 4, 6])
def test_any_other_number_is_refused(engine, n):
    with pytest.raises(RequestError) as error:
        engine.run(Request((3, 8), S4, frames=5), keys_of(n))
    assert str(error.value) == (
        f"The latents are ({n}, 3, 8, 8); this request needs (2, 3, 8, 8), one for each seed, or (5, 3, 8, 8), "
        "one for each picture."
    )


@pytest.fixture(scope="module")
def two(tiny_folder, tmp_path_factory):
    """Two pictures and the file of their latents."""
    folder, rng = tmp_path_factory.mktemp("two"), np.random.default_rng(0)
    names = [str(folder / f"{name}.png") for name in "ab"]
    for name in names:
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(name)
    out = folder / "two.npy"
    argv = ["encode", str(tiny_folder), *names, "--steps", "50", "--refine", "4", "--device", "cpu"]
    assert main([*argv, "--out", str(out)]) == 0
    return out


@pytest.fixture
def interpolate(tiny_folder, two, tmp_path):
    def run(*options, out="x.npy", latents=two):
        argv = ["interpolate", str(tiny_folder), "--latents", str(latents), "--device", "cpu", *options]
        return main([*argv, "--out", str(tmp_path / out)]), tmp_path / out

    return run


def test_the_way_between_two_pictures_begins_and_ends_with_them(interpolate, two):
    status, path = interpolate()
    images = np.load(path)
    pictures = [np.asarray(Image.open(two.parent / f"{name}.png")) for name in "ab"]
    assert (status, len(images)) == (0, 11)
    for image, picture in zip(images[[0, -1]], pictures, strict=True):
        shown = np.rint((np.clip(image, -1, 1) + 1) * 127.5).transpose(1, 2, 0)
        assert np.square((shown - picture) / 255).mean() < 1e-4
    assert np.abs(images[5] - images[0]).mean() > 0.1


def test_the_notes_are_followed_and_the_file_tells_of_the_latents_given(interpolate, two, capsys):
    status, path = interpolate("--frames", "7", "--boomerang", out="x.gif")
    assert status == 0
    assert capsys.readouterr().err.endswith("two.json: taken --steps 50 --spacing leading --eta 0 --no-clip\n")
    record = read_record(path)
    assert request_of(record) == Request((0, 1), SamplerSettings(50, 0.0, "leading", clip=False), frames=7)
    assert record["latents_sha256"] == hashlib.sha256(np.load(two).tobytes()).hexdigest()
    with Image.open(path) as image:
        assert image.n_frames == 12


def test_a_loop_and_a_sheet_go_through_the_latents_given(interpolate, engine, tmp_path):
    np.save(tmp_path / "four.npy", keys_of(4).numpy())
    for options, request in (
        (["--frames", "9", "--loop"], Request((0, 1, 2, 3), S4, frames=9, loop=True)),
        (["--sheet", "3"], Request((0, 1, 2, 3), S4, sheet=3)),
        (["--place", "0.5,0.25"], Request((0, 1, 2, 3), S4, place=(0.5, 0.25))),
        (["--seeds", "7-10", "--eta", "1"], Request((7, 8, 9, 10), SamplerSettings(4, 1.0), frames=11)),
        (["--seeds", "3,8", "--frames", "4"], Request((3, 8), S4, frames=4)),  # one for each picture
        (["--seeds", "3,8"], Request((3, 8), S4, frames=4)),
    ):
        status, path = interpolate("--steps", "4", *options, latents=tmp_path / "four.npy")
        assert status == 0
        assert np.array_equal(np.load(path), engine.sample(request, keys_of(4)).images.numpy())


def test_more_keys_than_eleven_are_all_visited(interpolate, tmp_path):
    np.save(tmp_path / "many.npy", keys_of(13).numpy())
    for options, count in ([], 13), (["--loop"], 14):
        _, path = interpolate("--steps", "1", *options, latents=tmp_path / "many.npy")
        assert len(np.load(path)) == count


@pytest.mark.parametrize(
    ("n", "options", "said"),
    [
        (1, [], "--latents holds one latent: a path needs two or more to go through."),
        (3, ["--seeds", "3,8", "--frames", "7"],
         "--latents holds 3 and --seeds names 2: give one seed for each latent to go through."),
        (3, ["--frames", "2"], "An interpolation through these seeds needs at least 3 frames, not 2."),
        (3, ["--sheet", "3"], "A sheet lies between four corner seeds; 3 were given."),
    ],
)  # fmt: skip
def test_latents_that_do_not_fit_are_refused(interpolate, tmp_path, capsys, n, options, said):
    np.save(tmp_path / "x_T.npy", keys_of(n).numpy())
    status, path = interpolate(*options, latents=tmp_path / "x_T.npy")
    assert (status, capsys.readouterr().err) == (2, f"python -m core interpolate: {said}\n")
    assert not path.exists()


def test_a_copied_command_and_script_name_the_file_of_latents(engine, tiny_folder, tmp_path):
    request = Request((4, 9), SamplerSettings(3, 1.0), frames=5)
    np.save(tmp_path / "two.npy", keys_of(2).numpy())
    want = engine.sample(request, keys_of(2)).images.numpy()
    where = (str(tiny_folder), "cpu", "fp32", str(tmp_path / "x.npy"))
    line = command_line(request, *where, latents=str(tmp_path / "two.npy"))
    assert main(line.split()[3:]) == 0
    assert np.array_equal(np.load(tmp_path / "x.npy"), want)
    (tmp_path / "x.npy").unlink()
    exec(python_code(request, *where, latents=str(tmp_path / "two.npy")), {})
    assert np.array_equal(np.load(tmp_path / "x.npy"), want)
