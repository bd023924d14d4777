"""What the figures mean: closed forms for paths and kernels, direct computation for the cells of a small network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluate_small import T, make_files, make_setup

from core import Request, RequestError, SamplerSettings, noise
from core.evaluate import consistency, interpolation, quality, reconstruction, speed
from core.evaluate.cells import Cell, cells
from core.evaluate.courses import smoothness, switches, travel
from core.evaluate.distances import frechet, kernel_distance
from core.evaluate.feature_net import FeatureConfig, FeatureNet
from core.evaluate.parts import load
from core.evaluate.quality import face_shares
from core.evaluate.ruler import Ruler
from core.evaluate.runner import KINDS, parts_of
from core.latents import slerp
from core.pixels import from_pixels, to_uint8


@pytest.fixture(scope="module")
def setup(tmp_path_factory, tiny_config):
    folder = make_files(tmp_path_factory.mktemp("figures"), tiny_config)
    return make_setup(folder, folder / "state")


def figures(module, setup, cell):
    for part in parts_of(setup, cell):
        if not part.done:
            part.finish()
    return module.figures(setup, cell)


def seeds(n, start=100_000):
    return tuple(range(start, start + n))


def test_the_kernel_of_a_ruler_is_the_kernel_distance(monkeypatch):
    monkeypatch.setattr("core.evaluate.ruler.BLOCK", 7)  # several blocks, the last one short
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((30, 5)), rng.standard_normal((52, 5)) + 0.3
    value, spread = Ruler(b).kernel(a, rounds=200)
    assert value == pytest.approx(kernel_distance(a, b))
    draws = [kernel_distance(rng.standard_normal((30, 5)), b) for _ in range(200)]
    assert spread == pytest.approx(np.std(draws), rel=0.5)
    assert Ruler(b).kernel(a, rounds=200) == (value, spread)


def test_quality_is_measured_in_8_bit_pixels_against_the_training_pictures(setup):
    cell = Cell("quality", 5, 10, 50, eta="hat")
    found = figures(quality, setup, cell)
    images = setup.engine.sample(Request(seeds(10), SamplerSettings(5, sigma_hat=True)), max_batch=4).images
    features = setup.measure(to_uint8(images).numpy())
    reference = setup.measure(setup.training)
    assert found["frechet"] == pytest.approx(frechet(features, reference), rel=1e-3)
    assert found["kid"] == pytest.approx(kernel_distance(features, reference), rel=1e-3, abs=1e-6)
    assert found["spread"] > 0
    assert found["wall_clock_s"] == pytest.approx(10 * found["seconds_per_image"])
    assert found["ms_per_evaluation"] > 0
    assert (found["n"], found["checks"]) == (10, None)


def test_the_floor_is_held_out_data_at_the_same_n_and_at_all_there_is(setup):
    found = quality.figures(setup, Cell("quality", 0, 10, 0, way="floor"))
    reference = setup.measure(setup.training)
    assert found["frechet"] == pytest.approx(frechet(setup.measure(setup.held_out[:10]), reference))
    assert found["frechet_all"] == pytest.approx(frechet(setup.measure(setup.held_out), reference))
    assert found["n_all"] == 40


def test_a_headline_cell_is_a_quality_cell_of_more_pictures_and_shares_those_of_both(setup):
    few, more = Cell("quality", 5, 6, 30), Cell("headline", 5, 10, 50)
    figures(quality, setup, few)
    asked = [part.done for part in parts_of(setup, more)]
    assert asked == [True, False]
    found = figures(KINDS["headline"], setup, more)
    same = figures(quality, setup, Cell("quality", 5, 10, 50))
    assert (found["n"], found["frechet"]) == (10, same["frechet"])
    assert setup.conditions(more) == setup.conditions(Cell("quality", 5, 10, 50))


def test_a_picture_of_no_clear_class_is_counted(setup):
    """Logits by hand: probabilities 0.5 and 0.25 twice, and one that is all but certain."""

    class Net(FeatureNet):
        def forward(self, images):
            logits = torch.tensor([[0.5, 0.25, 0.25], [0.9, 0.05, 0.05]]).log()
            return {"shape": logits[(images.mean(dim=(1, 2, 3)) > 0).long()]}

    net = Net(setup.net.config)
    images = np.zeros((5, 3, 8, 8), np.uint8)
    images[3:] = 255
    assert net.certainty(images, batch=2)["shape"].tolist() == pytest.approx([0.5, 0.5, 0.5, 0.9, 0.9])
    assert quality.unsure_shares(replace(setup, net=net), images) == {"shape": 0.6}
    found = figures(quality, setup, Cell("quality", 5, 6, 30))
    images = load(parts_of(setup, Cell("quality", 5, 6, 30)), "images")
    logits = setup.net(from_pixels(images))["shape"].detach()
    assert found["unsure"] == {"shape": float((logits.softmax(1).amax(1) < 0.6).double().mean())}
    held = quality.figures(setup, Cell("quality", 0, 10, 0, way="floor"))["unsure"]
    assert held == quality.unsure_shares(setup, setup.held_out[:10])
    knows_none = FeatureNet(FeatureConfig("toy", 8, 3, (8,), {}, (), (), features=4)).eval()
    assert quality.unsure_shares(replace(setup, net=knows_none), images) == {}


def test_more_held_out_pictures_than_there_are_are_refused(setup):
    with pytest.raises(RequestError, match="need 41 held-out pictures, not 40"):
        quality.figures(setup, Cell("quality", 0, 41, 0, way="floor"))


def test_toon_faces_are_checked_and_others_are_not(setup):
    assert face_shares(setup, setup.training) is None

    class Faces:
        net = type("Net", (), {"config": type("Config", (), {"name": "toon-faces"})()})()

        def need_net(self):
            return self.net

    blank = np.full((4, 3, 64, 64), 255, np.uint8)
    found = face_shares(Faces(), blank)
    assert found["flat"] == 1
    assert found["luminance"] == found["all"] == 0


def test_reconstruction_is_there_and_back_with_the_same_steps(setup):
    plain = figures(reconstruction, setup, Cell("reconstruction", 10, 6, 120))
    settings, images = SamplerSettings(10, clip=False), from_pixels(setup.held_out[:6])
    x_T = setup.engine.encode(images, settings).x_T
    back = setup.engine.sample(Request(tuple(range(6)), settings), x_T).images.clamp(-1, 1)
    each = ((back - images) / 2).double().square().mean(dim=(1, 2, 3)).numpy()
    assert plain["mse"] == pytest.approx(each.mean(), rel=1e-3)
    assert plain["spread"] == pytest.approx(each.std(ddof=1) / 6**0.5, rel=1e-3)
    assert (plain["median"], plain["worst"]) == pytest.approx((np.median(each), each.max()), rel=1e-3)
    assert plain["held_back"] is None
    refined = figures(reconstruction, setup, Cell("reconstruction", 10, 6, 300, refine=3))
    assert refined["mse"] < plain["mse"] / 2
    assert refined["evaluations"] > plain["evaluations"]
    assert refined["held_back"] == pytest.approx(setup.engine.encode(images, settings, 3).held_back, abs=0.1)


def test_the_same_steps_from_the_same_latent_are_the_same_picture(setup):
    found = figures(consistency, setup, Cell("consistency", T, 6, 120))
    assert found["pixels"] == found["features"] == 0
    assert found["pixels_unrelated"] > 0.05


@pytest.mark.parametrize("solver", ["ddim", "dpm-solver++"])
def test_consistency_by_hand(setup, solver):
    found = figures(consistency, setup, Cell("consistency", 5, 6, 30, way="" if solver == "ddim" else solver))
    ways = (SamplerSettings(5, solver=solver), SamplerSettings(T))  # both against DDIM's T steps
    short, long = (to_uint8(setup.engine.sample(Request(seeds(6), way)).images) for way in ways)
    by_hand = ((short.double() - long.double()) / 255).square().mean(dim=(1, 2, 3)).sqrt()
    assert found["pixels"] == pytest.approx(float(by_hand.mean()), rel=1e-3)
    assert found["pixels_spread"] == pytest.approx(float(by_hand.std()) / 6**0.5, rel=1e-3)
    assert found["pixels"] < found["pixels_unrelated"]
    f_short, f_long = (setup.measure(x.numpy()) for x in (short, long))
    apart = np.linalg.norm(f_short - f_long, axis=1)
    others = np.linalg.norm(f_long - np.roll(f_long, 1, axis=0), axis=1)
    assert found["features"] == pytest.approx(apart.mean(), rel=1e-3)
    assert found["features_spread"] == pytest.approx(apart.std(ddof=1) / 6**0.5, rel=1e-3)
    assert found["features_unrelated"] == pytest.approx(others.mean(), rel=1e-3)


def test_what_is_the_same_is_counted_by_attribute(setup, monkeypatch):
    net = FeatureNet(FeatureConfig("toy", 8, 3, (8,), {"shape": 3, "hue": 2}, (), (), features=4)).eval()
    labels = {"shape": [0, 1, 2, 2], "hue": [1, 1, 0, 0]}, {"shape": [0, 2, 1, 2], "hue": [1, 0, 0, 1]}
    found = iter(labels)
    net.label_pixels = lambda pixels: {name: np.array(values) for name, values in next(found).items()}
    assert consistency.shared(None, None, net).tolist() == [1.0, 0.0, 0.5, 0.5]
    # every picture a class of its own, by the sum of its pixels
    monkeypatch.setattr(setup.net, "label_pixels", lambda pixels: {"shape": pixels.sum(axis=(1, 2, 3), dtype=np.int64)})
    same = figures(consistency, setup, Cell("consistency", T, 6, 120))
    assert (same["same"], same["same_spread"], same["same_unrelated"]) == (1.0, 0.0, 0.0)


def test_with_eta_1_the_two_runs_share_the_latent_and_not_the_step_noise(setup):
    cell = Cell("consistency", T, 6, 120, eta="1")
    assert figures(consistency, setup, cell)["pixels"] > 0.05
    images = np.load(parts_of(setup, cell)[0].path)["images"]
    x_T = noise.latents(seeds(6), setup.engine.checkpoint.shape)
    same = setup.engine.sample(Request(seeds(6, 1_100_000), SamplerSettings(T, 1.0)), x_T).images
    assert np.abs(to_uint8(same).numpy().astype(int) - images).max() <= 1


@pytest.mark.parametrize("way", ["slerp", "lerp"])
def test_midpoints_lie_between_neighbours_of_a_ring(setup, way):
    cell = Cell("interpolation", 5, 8, 100, way=way)
    for part in interpolation._middles(setup, cell):
        part.finish()
    keys = noise.latents(seeds(8), setup.engine.checkpoint.shape)
    between = slerp if way == "slerp" else torch.lerp
    x_T = torch.stack([between(keys[i], keys[(i + 1) % 8], 0.5) for i in range(8)])
    want = to_uint8(setup.engine.sample(Request(seeds(8), SamplerSettings(5)), x_T).images).numpy()
    made = np.concatenate([np.load(part.path)["images"] for part in interpolation._middles(setup, cell)])
    assert made.shape == want.shape
    assert np.abs(made.astype(int) - want).max() <= 1


def test_paths_begin_and_end_at_the_pictures_of_their_seeds(setup):
    cell = Cell("interpolation", 5, 8, 100, way="slerp")
    found = figures(interpolation, setup, cell)
    _, strips = interpolation.pictures(setup, cell)
    ends = to_uint8(setup.engine.sample(Request(seeds(7), SamplerSettings(5))).images).numpy().astype(int)
    assert strips.shape == (6, 17, 3, 8, 8)
    assert np.abs(strips[:, 0] - ends[:6]).max() <= 1
    assert np.abs(strips[:, -1] - ends[1:]).max() <= 1
    assert (found["paths"], found["frames"]) == (6, 17)
    assert found["detour"] >= 1
    assert set(found["attributes"]) == {"shape", "ramp", "ring"}
    quality_figures = figures(quality, setup, Cell("quality", 5, 8, 40))
    assert found["frechet_ends"] == quality_figures["frechet"]


def test_a_cross_fade_is_the_mean_of_the_pixels(setup):
    cell = Cell("interpolation", 5, 8, 40, way="crossfade")
    for part in parts_of(setup, cell):
        if not part.done:
            part.finish()
    middles, strips = interpolation.pictures(setup, cell)
    ends = np.concatenate([np.load(part.path)["images"] for part in parts_of(setup, cell)]).astype(float)
    assert np.abs(middles - (ends + np.roll(ends, -1, axis=0)) / 2).max() <= 0.5
    assert np.array_equal(strips[:, 8], middles[:6])


def test_speed_compares_every_s_with_ddpm_in_one_run(setup):
    now = [0.0]

    def clock():
        return now[0]

    class Engine:
        T = setup.engine.T
        asked: list[tuple[int, float, int]] = []  # noqa: RUF012

        def warm_up(self, batch):
            assert batch == 16

        def sample(self, request):
            s = request.settings
            self.asked.append((s.steps, s.eta, request.count))
            now[0] += s.steps * (1 + s.eta) + len(self.asked)  # DDPM takes longer, and each run than the one before

    rows = speed.measure(Engine(), speed.plan(T), clock)
    assert {(row["S"], row["eta"]) for row in rows} == {(5, 0.0), (10, 0.0), (20, 0.0), (20, 1.0)}
    assert all(count == 16 for _, _, count in Engine.asked)
    five = next(row for row in rows if row["S"] == 5)
    assert five["runs"] == 3
    assert (five["fastest"], five["seconds"], five["slowest"]) == (6, 10, 12)
    assert five["times_faster_than_ddpm"] == pytest.approx(44 / 10)
    cell = next(cell for cell in cells(["speed"], T, 8, 4))
    assert cell.cost == sum(steps * count for steps, _, count in Engine.asked)


def test_a_straight_even_path_a_corner_and_a_jump():
    line = np.linspace([0.0, 0], [1, 0], 5)
    corner = np.array([[0.0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1]])
    jump = np.array([[0.0, 0], [0, 0], [0, 0], [1, 0], [1, 0]])
    still = np.zeros((5, 2))
    assert smoothness(np.stack([line, still])) == {"detour": pytest.approx(1), "jump": pytest.approx(1)}
    assert smoothness(corner[None])["detour"] == pytest.approx(2**0.5)
    assert smoothness(jump[None])["jump"] == pytest.approx(4)
    assert smoothness(still[None]) == {"detour": None, "jump": None}


def test_switches_tell_one_change_from_flicker():
    found = switches(np.array([[0, 0, 1, 1], [0, 1, 0, 1], [2, 2, 2, 2], [2, 1, 1, 2], [1, 1, 1, 0]]))
    assert found == {
        "differing": 3, "once": pytest.approx(2 / 3), "differing_switches": pytest.approx(5 / 3),
        "steady": 0.5, "steady_switches": 1.0,
    }  # fmt: skip
    assert switches(np.zeros((2, 3), int))["once"] is None


def test_travel_takes_the_short_way_round_a_ring():
    around = np.array([[0.9, 0.95, 0.0, 0.1]])
    assert travel(around, ring=True) == {"travelled": pytest.approx(0.2), "distance": pytest.approx(0.2)}
    there_and_back = np.array([[0.2, 0.6, 0.2]])
    assert travel(there_and_back, ring=False) == {"travelled": pytest.approx(0.8), "distance": 0}
