"""The training loop: resumable bit for bit, fair to every image, and it learns."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from core import DataError, NetworkError, NoiseSchedule, UNetConfig
from core.checkpoint import SamplingDefaults, open_checkpoint, save_checkpoint
from core.pixels import from_pixels
from core.train.loop import Trainer
from core.train.settings import TrainSettings
from core.train.state import STATE, resume, save

CONFIG = UNetConfig(
    sample_size=8,
    in_channels=1,
    out_channels=1,
    block_out_channels=(8, 16),
    down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    layers_per_block=1,
    norm_num_groups=4,
    attention_head_dim=None,
    dropout=0.1,  # its random state must survive a resume too
)
SETTINGS = TrainSettings(steps=7, batch=4, lr=1e-3, warmup=2, seed=5)
IMAGES = np.random.default_rng(0).integers(0, 256, (10, 1, 8, 8), dtype=np.uint8)


def trainer(settings=SETTINGS, config=CONFIG, images=IMAGES):
    return Trainer(config, NoiseSchedule(), images, settings)


def tensors(value, at=""):
    """Every tensor and number of a nested state, by its path."""
    if isinstance(value, dict):
        return {k: v for key, inner in value.items() for k, v in tensors(inner, f"{at}/{key}").items()}
    if isinstance(value, list | tuple):
        return {k: v for i, inner in enumerate(value) for k, v in tensors(inner, f"{at}/{i}").items()}
    return {at: value}


def assert_same_state(a, b):
    for name, left, right in (
        ("network", a.network.state_dict(), b.network.state_dict()),
        ("ema", a.ema, b.ema),
        ("optimizer", *([o.state_dict() for o in one.optimizers] for one in (a, b))),
    ):
        left, right = tensors(left), tensors(right)
        assert left.keys() == right.keys()
        for key, value in left.items():
            same = torch.equal(value, right[key]) if isinstance(value, torch.Tensor) else value == right[key]
            assert same, f"{name}{key}"
    assert a.step == b.step
    if a.balance is not None:
        assert torch.equal(a.balance.mean, b.balance.mean)
        assert torch.equal(a.balance.seen, b.balance.seen)


@pytest.mark.parametrize("stop_after", [1, 3, 6])
@pytest.mark.parametrize("kind", [{}, {"bf16": True}, {"balance": 0.4, "coarse": 0.1}, {"optimizer": "muon"}])
def test_killed_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path, stop_after, kind):
    settings = replace(SETTINGS, **kind)
    whole = trainer(settings)
    losses = [p.loss for p in whole.run()]

    killed = trainer(settings)
    first = [p.loss for p in islice(killed.run(), stop_after)]
    save(killed, tmp_path)
    torch.manual_seed(999)  # another process, another global state
    resumed = trainer(settings)
    assert resume(resumed, tmp_path)
    assert resumed.step == stop_after
    rest = [p.loss for p in resumed.run()]

    assert first + rest == losses
    assert_same_state(resumed, whole)


def test_work_after_the_last_save_is_done_again_the_same(tmp_path):
    killed = trainer()
    run = killed.run()
    next(run), next(run)
    save(killed, tmp_path)
    next(run), next(run)  # lost
    resumed, whole = trainer(), trainer()
    resume(resumed, tmp_path)
    list(resumed.run()), list(whole.run())
    assert_same_state(resumed, whole)


def test_a_run_may_start_from_a_finished_checkpoint(tmp_path):
    finished = trainer()
    list(finished.run())
    save_checkpoint(tmp_path, finished.ema, CONFIG, finished.schedule, SamplingDefaults())
    one = trainer(replace(SETTINGS, seed=9))
    one.start_from(open_checkpoint(tmp_path))
    assert one.step == 0
    for name, value in one.network.state_dict().items():
        assert torch.equal(value, finished.ema[name])
        assert torch.equal(one.ema[name], finished.ema[name])
    next(one.run())
    assert not torch.equal(one.ema["conv_in.weight"], finished.ema["conv_in.weight"])


def test_a_checkpoint_of_another_network_or_schedule_is_no_start(tmp_path):
    finished = trainer()
    save_checkpoint(tmp_path, finished.ema, CONFIG, finished.schedule, SamplingDefaults())
    for other, why in (
        (trainer(config=replace(CONFIG, block_out_channels=(8, 8))), "grows only by --layers and --attention"),
        (Trainer(CONFIG, NoiseSchedule(beta_schedule="squaredcos_cap_v2"), IMAGES, SETTINGS), "another noise schedule"),
    ):
        with pytest.raises(DataError, match=why):
            other.start_from(open_checkpoint(tmp_path))


def test_there_is_nothing_to_resume_in_an_empty_folder(tmp_path):
    assert resume(trainer(), tmp_path / "nothing") is False


def test_a_state_of_another_network_is_refused(tmp_path):
    save(trainer(), tmp_path)
    with pytest.raises(DataError, match="another network"):
        resume(trainer(config=replace(CONFIG, block_out_channels=(8, 8))), tmp_path)


@pytest.mark.parametrize(
    "change", [{"batch": 5}, {"lr": 2e-3}, {"seed": 6}, {"ema": 0.9}, {"bf16": True}, {"coarse": 0.1}]
)
def test_a_state_trained_with_other_settings_is_refused_by_name(tmp_path, change):
    save(trainer(), tmp_path)
    with pytest.raises(DataError, match=f"trained with {next(iter(change))} "):
        resume(trainer(replace(SETTINGS, **change)), tmp_path)


@pytest.mark.parametrize(
    ("at", "steps", "good"), [(4, 20, True), (5, 20, False), (5, 7, True), (5, 5, True), (5, 4, False)]
)
def test_a_run_may_be_lengthened_until_its_decay_begins_and_not_cut_below_what_is_done(tmp_path, at, steps, good):
    one = trainer()  # 7 steps, the last 40 % of them decaying: from 4.2 on
    list(islice(one.run(), at))
    save(one, tmp_path)
    other = trainer(replace(SETTINGS, steps=steps))
    if good:
        assert resume(other, tmp_path)
    else:
        with pytest.raises(DataError, match=f"at step {at} of 7"):
            resume(other, tmp_path)


@pytest.mark.parametrize("keep", [0, 100, -200])
def test_a_damaged_state_is_refused_with_the_remedy(tmp_path, keep):
    save(trainer(), tmp_path)
    (tmp_path / STATE).write_bytes((tmp_path / STATE).read_bytes()[:keep])
    with pytest.raises(DataError, match="damaged"):
        resume(trainer(), tmp_path)


def test_a_kill_while_saving_leaves_the_last_state(tmp_path, monkeypatch):
    one = trainer()
    save(one, tmp_path)
    before = (tmp_path / STATE).read_bytes()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("core.checkpoint.os.replace", killed)
    next(one.run())
    with pytest.raises(KeyboardInterrupt):
        save(one, tmp_path)
    assert (tmp_path / STATE).read_bytes() == before


@pytest.mark.parametrize(("n", "batch"), [(10, 5), (10, 4), (7, 3), (3, 8)])
def test_each_epoch_sees_every_image_once_in_a_fresh_order(n, batch):
    images = np.arange(n, dtype=np.uint8).reshape(n, 1, 1, 1).repeat(8, 2).repeat(8, 3)
    one = trainer(replace(SETTINGS, batch=batch), images=images)
    seen = torch.cat([one.batch(step)[0][:, 0, 0, 0] for step in range(math.ceil(3 * n / batch))])[: 3 * n]
    epochs = seen.view(3, n)
    assert torch.equal(epochs.sort(dim=1).values, from_pixels(np.arange(n, dtype=np.uint8)).expand(3, n))
    assert not torch.equal(epochs[0], epochs[1])


def test_a_batch_depends_on_the_seed_and_the_step_alone():
    one, other = trainer(), trainer(replace(SETTINGS, steps=500, lr=0.1))
    next(one.run())
    for a, b in zip(one.batch(3), other.batch(3), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.batch(3)[2], one.batch(4)[2])
    assert not torch.equal(one.batch(3)[2], trainer(replace(SETTINGS, seed=6)).batch(3)[2])


def test_t_is_uniform_and_noise_is_normal():
    one, count = trainer(replace(SETTINGS, batch=64)), 100
    batches = [one.batch(step) for step in range(count)]
    t = torch.cat([b[1] for b in batches]).double()
    eps = torch.cat([b[2] for b in batches]).double()
    assert (int(t.min()), int(t.max())) == (0, 999)
    assert float(t.mean()) == pytest.approx(499.5, abs=5 * 1000 / math.sqrt(12 * len(t)))  # five standard errors
    assert float(t.var()) == pytest.approx(1e6 / 12, rel=5 * math.sqrt(0.8 / len(t)))
    assert float(eps.mean()) == pytest.approx(0, abs=5 * eps.numel() ** -0.5)
    assert float(eps.var()) == pytest.approx(1, abs=5 * (2 / eps.numel()) ** 0.5)


def test_the_loss_is_the_error_of_the_noise_at_the_forward_process():
    """A network that knows x_0 answers ε = (x_t − √ᾱ x_0)/√(1−ᾱ) and has no loss; one that answers 0 has E ε²."""
    one = trainer()
    x_0, t, eps = one.batch(0)
    a = torch.from_numpy(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))[t].view(-1, 1, 1, 1)

    def perfect(x_t, asked):
        assert torch.equal(asked, t)
        return ((x_t - a.sqrt() * x_0) / (1 - a).sqrt()).float()

    one.trained = perfect
    assert float(one.loss(x_0, t, eps)[0]) < 1e-6
    one.trained = lambda x_t, asked: torch.zeros_like(x_t)
    assert float(one.loss(x_0, t, eps)[0]) == pytest.approx(float(eps.square().mean()))


def test_the_reported_learning_rate_is_the_one_that_was_used():
    one = trainer()
    for progress in one.run():
        assert one.optimizer.param_groups[0]["lr"] == progress.lr == SETTINGS.lr_at(progress.step - 1)


def test_the_weight_average_is_the_running_average_it_says():
    one = trainer()
    average = {k: v.clone() for k, v in one.network.state_dict().items()}
    for progress in one.run():
        decay = SETTINGS.ema_at(progress.step - 1)
        for key, value in one.network.state_dict().items():
            average[key] = decay * average[key] + (1 - decay) * value
            assert torch.allclose(one.ema[key], average[key], atol=1e-6), key


@pytest.mark.parametrize("bad", [(math.nan, math.nan), (math.inf, math.inf), (math.nan, 1.0), (1.0, math.inf)])
def test_a_loss_gone_wrong_raises_before_anything_is_changed(tmp_path, bad):
    """Be it the weighed loss that is minimised or the plain one that is logged."""
    one = trainer()
    run = one.run()
    next(run), next(run)
    save(one, tmp_path)
    good = trainer()
    resume(good, tmp_path)
    saved = (tmp_path / STATE).read_bytes()
    one.loss = lambda *_: (torch.tensor(bad[0], requires_grad=True), torch.tensor(bad[1]))
    with pytest.raises(NetworkError, match=r"at step 2.*lower --lr"):
        next(run)
    assert_same_state(one, good)
    assert (tmp_path / STATE).read_bytes() == saved


def test_the_gradient_is_cut_to_its_norm():
    one, seen = trainer(replace(SETTINGS, grad_clip=1e-3)), []

    def norm(*_):
        seen.append(float(torch.stack([p.grad.norm() for p in one.network.parameters()]).norm()))

    one.optimizer.register_step_pre_hook(norm)
    next(one.run())
    assert seen == [pytest.approx(1e-3, rel=1e-3)]


def test_the_loss_falls_on_a_trivial_dataset():
    """Black pictures: ε is x_t + √ᾱ, scaled, so a few steps go far below the 1 of an ignorant answer."""
    settings = TrainSettings(steps=150, batch=16, lr=4e-3, warmup=10, seed=1)
    one = trainer(settings, replace(CONFIG, dropout=0.0), np.zeros((4, 1, 8, 8), np.uint8))
    losses = [p.loss for p in one.run()]
    assert np.mean(losses[:5]) > 0.7
    assert np.mean(losses[-20:]) < 0.3


def test_images_of_other_channels_are_refused():
    with pytest.raises(DataError, match="3 channels and the network 1"):
        trainer(images=np.zeros((4, 3, 8, 8), np.uint8))


def test_a_state_of_other_images_or_another_schedule_is_refused(tmp_path):
    first = trainer()
    next(first.run())
    save(first, tmp_path)
    with pytest.raises(DataError, match="images"):
        resume(trainer(images=255 - IMAGES), tmp_path)
    with pytest.raises(DataError, match="schedule"):
        resume(Trainer(CONFIG, NoiseSchedule("squaredcos_cap_v2"), IMAGES, SETTINGS), tmp_path)
