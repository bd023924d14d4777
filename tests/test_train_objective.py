"""What a network learns to say: ε, v and x0 are one objective under weights of t, and are read back as they are."""

import json

import numpy as np
import pytest
import torch
from evaluate_small import make_ruler
from test_train_command import train  # noqa: F401  # the fixture

from core import Engine, NoiseSchedule, Request, RequestError, SamplerSettings, open_checkpoint
from core.evaluate.feature_net import FeatureConfig, FeatureNet, save_feature_net
from core.prediction import predict
from core.solvers.ddim import coefficients
from core.train.loop import Trainer
from core.train.objective import DRAWS, PREDICTIONS, diffuse, draw_by_weight, min_snr_weight, target
from core.train.settings import TrainSettings
from core.unet_config import UNetConfig

CONFIG = UNetConfig(
    sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 16), layers_per_block=1,
    down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
    norm_num_groups=4, attention_head_dim=None,
)  # fmt: skip
SCHEDULE = NoiseSchedule()
STEPS = (0, 3, 120, 500, 999)


@pytest.fixture
def drawn():
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(len(STEPS), 3, 4, 4, generator=generator, dtype=torch.float64) for _ in range(3))


@pytest.fixture
def alpha_bar():
    return torch.tensor([SCHEDULE.alpha_bar[t + 1] for t in STEPS]).view(-1, 1, 1, 1)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_sampler_reads_a_perfect_answer_back_as_x0_and_eps(prediction, drawn, alpha_bar):
    x_0, eps, _ = drawn
    x_t, answer = diffuse(x_0, eps, alpha_bar), target(prediction, x_0, eps, alpha_bar)
    for i, c in enumerate(coefficients(SCHEDULE, STEPS[::-1], 0.0)[::-1]):
        found_x0, found_eps = predict(x_t[i], answer[i], c, PREDICTIONS[prediction])
        assert torch.allclose(found_x0, x_0[i], atol=1e-9)
        assert torch.allclose(found_eps, eps[i], atol=1e-9)


def test_the_three_errors_differ_by_a_factor_of_t_alone(drawn, alpha_bar):
    """‖v − v̂‖² = ‖ε − ε̂‖²/ᾱ = (SNR + 1) ‖x0 − x̂0‖², whatever the network gets wrong."""
    x_0, eps, wrong = drawn
    x_t = diffuse(x_0, eps, alpha_bar)
    eps_hat = eps + wrong
    x0_hat = (x_t - (1 - alpha_bar).sqrt() * eps_hat) / alpha_bar.sqrt()
    v_hat = alpha_bar.sqrt() * eps_hat - (1 - alpha_bar).sqrt() * x0_hat
    of = {"epsilon": eps_hat, "x0": x0_hat, "v": v_hat}
    error = {name: (target(name, x_0, eps, alpha_bar) - of[name]).square() for name in PREDICTIONS}
    snr = alpha_bar / (1 - alpha_bar)
    assert torch.allclose(error["v"], error["epsilon"] / alpha_bar, rtol=1e-6)
    assert torch.allclose(error["v"], (snr + 1) * error["x0"], rtol=1e-6)
    for gamma in (1.0, 5.0):  # and min(SNR, γ) ‖x0 − x̂0‖² is the same loss for all three
        weighed = [min_snr_weight(name, alpha_bar, gamma) * error[name] for name in PREDICTIONS]
        assert torch.allclose(weighed[0], snr.clamp(max=gamma) * error["x0"], rtol=1e-6)
        assert torch.allclose(weighed[0], weighed[1], rtol=1e-6)
        assert torch.allclose(weighed[0], weighed[2], rtol=1e-6)


@pytest.mark.parametrize(("gamma", "draw"), [(0.0, "uniform"), (5.0, "uniform"), (5.0, "weight"), (5.0, "half")])
@pytest.mark.parametrize("name", PREDICTIONS)
def test_the_trainer_asks_for_what_it_names(name, gamma, draw):
    """A network that answers 0 has the mean square of what it is asked for, weighed as Hang et al. 2023 do, or drawn
    so, and then not weighed again."""
    settings = TrainSettings(steps=1, batch=4, seed=5, prediction=name, min_snr=gamma, draw=draw)
    one = Trainer(CONFIG, SCHEDULE, np.random.default_rng(0).integers(0, 256, (10, 1, 8, 8), dtype=np.uint8), settings)
    x_0, t, eps = one.batch(0)
    a = torch.from_numpy(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))[t].view(-1, 1, 1, 1)
    want = {"epsilon": eps, "x0": x_0, "v": a.sqrt() * eps - (1 - a).sqrt() * x_0}[name]
    snr = a / (1 - a)
    weight = snr.clamp(max=gamma) / {"epsilon": snr, "x0": 1.0, "v": snr + 1}[name] if gamma else 1.0
    weight = weight if draw == "uniform" else 1.0
    one.trained = lambda x_t, asked: torch.zeros_like(x_t)
    loss, plain = one.loss(x_0, t, eps)
    assert float(plain) == pytest.approx(float(want.square().mean()), rel=1e-5)
    assert float(loss) == pytest.approx(float((weight * want.square()).mean()), rel=1e-5)


def test_steps_drawn_by_weight_are_that_distribution_n_th_by_n_th():
    weight = np.array([0.0, 1.0, 0.5, 0.0, 2.5, 0.0])
    for n in (1, 7, 64):
        steps = draw_by_weight(weight, n, np.random.default_rng(n))
        assert steps.shape == (n,)
        assert set(steps) <= {1, 2, 4}
        for t in range(6):  # one of each n-th: below t there are as many as the weights say, to within one
            assert abs(int((steps <= t).sum()) - n * weight[: t + 1].sum() / 4) < 1
    assert not np.array_equal(steps, np.sort(steps))  # processes take the batch in slices: each must be of all levels
    single = [int(draw_by_weight(weight, 1, np.random.default_rng(seed))[0]) for seed in range(4000)]
    assert np.bincount(single, minlength=6) / 4000 == pytest.approx(weight / 4, abs=0.03)  # four standard errors


@pytest.mark.parametrize("draw", ["weight", "half"])
@pytest.mark.parametrize("name", PREDICTIONS)
def test_drawn_by_weight_the_loss_is_the_weighed_one_but_for_a_factor(name, draw):
    """Σ p_t L_t of the trainer's own draw against Σ w_t L_t / Σ w_t, for an error that differs at every level; where
    half is drawn so, the mean of that and of the plain one."""
    settings = TrainSettings(steps=1, batch=4000, seed=5, prediction=name, min_snr=5.0, draw=draw)
    one = Trainer(CONFIG, SCHEDULE, np.zeros((2, 1, 8, 8), dtype=np.uint8), settings)
    errors = 1 + np.sin(np.arange(1000) / 50)
    weight = min_snr_weight(name, torch.from_numpy(SCHEDULE.alpha_bar[1:].copy()), 5.0).numpy()
    _, t, _ = one.batch(3)
    want = float((weight * errors).sum() / weight.sum())
    want = (want + errors.mean()) / 2 if draw == "half" else want
    assert float(errors[t].mean()) == pytest.approx(want, rel=1e-3)
    assert torch.equal(t, one.batch(3)[1])  # a resumed run draws the same
    assert not torch.equal(t, one.batch(4)[1])


def test_a_v_network_learns_data_that_is_one_number():
    """All pictures alike: x0 is known at every t, so v is too, and the net must get far below its variance."""
    images = np.full((4, 1, 8, 8), 200, dtype=np.uint8)
    losses = {}
    for prediction in PREDICTIONS:
        settings = TrainSettings(steps=150, batch=16, lr=3e-3, warmup=5, seed=2, prediction=prediction)
        losses[prediction] = [p.loss for p in Trainer(CONFIG, SCHEDULE, images, settings).run()]
    for prediction, found in losses.items():
        assert np.mean(found[-20:]) < 0.3 * np.mean(found[:5]), prediction


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_checkpoint_says_what_its_network_predicts(train, tmp_path, prediction):  # noqa: F811
    assert train("--prediction", prediction, "--min-snr", "5") == 0
    assert open_checkpoint(tmp_path / "net").defaults.prediction_type == PREDICTIONS[prediction]
    images = Engine.open(tmp_path / "net", "cpu").sample(Request((0,), SamplerSettings(3))).images
    assert bool(torch.isfinite(images).all())


def test_a_state_of_another_prediction_is_not_resumed(train, capsys):  # noqa: F811
    assert train("--prediction", "v", steps=2) == 0
    assert train("--prediction", "epsilon", steps=4) == 2
    assert "prediction v, not epsilon" in capsys.readouterr().err


@pytest.mark.parametrize("draw", DRAWS)
def test_a_run_says_how_it_drew_and_is_not_resumed_otherwise(train, capsys, draw):  # noqa: F811
    other = next(name for name in DRAWS if name != draw)
    assert train("--min-snr", "5", "--draw", draw, steps=2) == 0
    assert train("--min-snr", "5", "--draw", other, steps=4) == 2
    assert f"draw {draw}, not {other}" in capsys.readouterr().err


def test_what_cannot_be_is_refused():
    with pytest.raises(RequestError, match="--prediction flow is out of range"):
        TrainSettings(steps=1, prediction="flow")
    with pytest.raises(RequestError, match="--draw normal is out of range"):
        TrainSettings(steps=1, draw="normal")
    for draw in ("weight", "half"):
        with pytest.raises(RequestError, match=f"--draw {draw} draws t by the weight of --min-snr: give that, too"):
            TrainSettings(steps=1, draw=draw)
    with pytest.raises(RequestError, match="--min-snr weighs noise levels in another way"):
        TrainSettings(steps=1, min_snr=5, balance=0.5)
    with pytest.raises(RequestError, match="must be one of epsilon, x0, v"):
        target("flow", *(torch.zeros(1),) * 3)


@pytest.mark.parametrize(
    ("ruler", "options", "says"),
    [
        ({"size": 16}, [], "measures 3×16×16 pictures, these are 3×8×8"),
        ({}, ["--watch-n", "4"], "measures 4 features, which 4 pictures cannot fill"),
        ({"features": 8}, [], "measures 8 features, which 6 pictures cannot fill"),  # 6 to train on
        ({}, ["--watch-steps", "1001"], "--watch-steps 1001 is more than the 1000 steps"),
    ],
)
def test_what_a_look_could_not_measure_is_refused_before_training(train, tmp_path, capsys, ruler, options, says):  # noqa: F811
    net = FeatureNet(FeatureConfig(**{"name": "toy", "size": 8, "channels": 3, "widths": (8,), "classes": {"shape": 2},
                                      "features": 4} | ruler))  # fmt: skip
    save_feature_net(tmp_path / "ruler.safetensors", net, {"shape": 0.5})
    assert train("--watch", str(tmp_path / "ruler.safetensors"), *options) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_a_watched_run_writes_a_line_and_a_sheet(train, tmp_path):  # noqa: F811
    save_feature_net(tmp_path / "ruler.safetensors", make_ruler(), {"shape": 0.5})
    watch = ["--watch", str(tmp_path / "ruler.safetensors"), "--watch-n", "12", "--watch-steps", "3"]
    assert train(*watch, "--watch-every", "0", "--save-every", "0", steps=3) == 0
    lines = [json.loads(line) for line in (tmp_path / "state" / "checks.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 3]  # after each save, and at the end
    assert all(line["frechet"] > 0 and line["n"] == 12 and line["S"] == 3 for line in lines)
    assert (tmp_path / "state" / "samples-000003.png").is_file()
