"""``python -m core train``: data in, a checkpoint folder out that opens and samples, resumable."""

import json

import numpy as np
import pytest
import torch
from diffusers import DDIMPipeline
from PIL import Image

from core import Engine, Request, SamplerSettings
from core.__main__ import main
from core.layouts import WEIGHTS
from core.record import read_record, request_of
from core.train.loop import Trainer
from core.train.pictures import plot_log, read_log


@pytest.fixture
def train(tmp_path):
    """Run the command on tiny random images; the exit status. Puts torch's thread count back."""
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "data.npz", images=images)

    def run(*options, steps=4, out="net", state="state"):
        argv = [
            "train", str(tmp_path / "data.npz"), "--out", str(tmp_path / out), "--state", str(tmp_path / state),
            "--size", "8", "--channels", "8,16", "--attention", "1", "--groups", "4", "--batch", "2",
            "--warmup", "1", "--decay", "0", "--steps", str(steps), *options,
        ]  # fmt: skip
        try:
            return main(argv)
        except SystemExit as stop:
            return stop.code

    threads = torch.get_num_threads()
    yield run
    torch.set_num_threads(threads)


def weights(folder):
    return (folder / WEIGHTS).read_bytes()


def test_it_writes_a_folder_that_opens_and_samples_here_and_in_diffusers(train, tmp_path):
    assert train() == 0
    engine = Engine.open(tmp_path / "net", "cpu")
    config = engine.network.config
    assert (config.block_out_channels, config.in_channels, config.sample_size) == ((8, 16), 3, 8)
    assert config.down_block_types == ("DownBlock2D", "AttnDownBlock2D")
    assert config.up_block_types == ("AttnUpBlock2D", "UpBlock2D")
    assert engine.sample(Request((0, 1), SamplerSettings(3))).images.shape == (2, 3, 8, 8)
    assert DDIMPipeline.from_pretrained(tmp_path / "net", local_files_only=True).unet.config.sample_size == 8


def test_stopped_and_started_again_it_writes_the_same_weights(train, tmp_path, capsys):
    assert train(steps=6, out="whole", state="a") == 0
    assert train(steps=2, out="parts", state="b") == 0
    assert weights(tmp_path / "parts") != weights(tmp_path / "whole")
    assert train(steps=6, out="parts", state="b") == 0
    assert "resumed at step 2" in capsys.readouterr().out
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")


def test_a_finished_run_started_again_changes_nothing(train, tmp_path):
    assert train() == 0
    before = weights(tmp_path / "net")
    assert train() == 0
    assert weights(tmp_path / "net") == before


def test_every_save_leaves_a_sheet_of_unselected_samples_that_says_how_it_was_made(train, tmp_path):
    assert train() == 0
    sheet = tmp_path / "state" / "samples-000004.png"
    request = request_of(read_record(sheet))
    assert (request.seeds, request.settings.steps, request.settings.eta) == (tuple(range(64)), 50, 0.0)
    with Image.open(sheet) as image:
        assert image.size == (16 * 10 - 2, 4 * 10 - 2)


def test_the_log_counts_steps_that_were_done_twice_once_and_draws_a_curve(tmp_path):
    rows = [(100, 1.0), (200, 0.5), (300, 0.4), (200, 0.6)]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"step": s, "loss": v}) + "\n" for s, v in rows))
    assert read_log(log) == ([100, 200, 300], [1.0, 0.6, 0.4])
    plot_log(log, tmp_path / "loss.png")
    with Image.open(tmp_path / "loss.png") as image:
        assert image.format == "PNG"


@pytest.mark.parametrize("text", [None, "", '{"step": 1, "loss": 0.5}\n'])
def test_a_log_too_short_for_a_curve_draws_none(tmp_path, text):
    if text is not None:
        (tmp_path / "log.jsonl").write_text(text)
    plot_log(tmp_path / "log.jsonl", tmp_path / "loss.png")
    assert not (tmp_path / "loss.png").exists()


def test_progress_goes_to_the_log_and_stderr(train, tmp_path, capsys):
    assert train() == 0
    entries = [json.loads(line) for line in (tmp_path / "state" / "log.jsonl").read_text().splitlines()]
    assert [e["step"] for e in entries] == [4]
    assert set(entries[0]) == {"step", "loss", "lr", "elapsed_s"}
    assert "step 4/4" in capsys.readouterr().err


def test_it_saves_as_it_goes_and_a_loss_gone_wrong_keeps_that(train, tmp_path, capsys, monkeypatch):
    honest = Trainer.loss

    def breaks_at_step_3(self, *batch):
        return tuple(part * (torch.nan if self.step == 3 else 1) for part in honest(self, *batch))

    monkeypatch.setattr(Trainer, "loss", breaks_at_step_3)
    assert train("--save-every", "0") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "at step 3" in err
    kept = weights(tmp_path / "net")
    monkeypatch.undo()
    assert train(steps=3, out="three", state="fresh") == 0
    assert kept == weights(tmp_path / "three")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "9"], "9×9"),
        (["--lr", "0"], "--lr"),
        (["--steps", "0"], "--steps"),
        (["--groups", "3"], "norm_num_groups"),
        (["--beta-schedule", "sigmoid"], "--beta-schedule"),
        (["--channels", "8,x"], "--channels"),
        (["--attention", "one"], "--attention"),
        (["--attention", "1,2"], "--attention 1,2: the levels of --channels are 0 to 1"),
        (["--watch", "nowhere.safetensors"], "nowhere.safetensors is no feature net"),
        (["--device", "tpu"], "device"),
        (["--channels", ""], "--channels"),
        (["--channels", "0,8"], "--channels"),
        (["--groups", "0"], "--groups"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_bad_input_ends_with_status_2_and_one_line(train, tmp_path, capsys, options, words):
    assert train(*options) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1
    assert not (tmp_path / "net").exists()


def test_a_file_in_place_of_the_state_folder_ends_the_same_way(train, tmp_path, capsys):
    (tmp_path / "state").write_text("")
    assert train() == 2
    assert "is a file" in capsys.readouterr().err


def test_a_resume_with_another_batch_ends_the_same_way(train, capsys):
    assert train(steps=2) == 0
    capsys.readouterr()
    assert train("--batch", "3", steps=2) == 2
    assert "batch 2, not 3" in capsys.readouterr().err


def test_missing_data_ends_the_same_way(capsys, tmp_path):
    assert main(["train", "/nowhere.gz", "--out", str(tmp_path / "a"), "--state", str(tmp_path / "b")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("cost", "said"), [(1.8, "1.8 times as long as fp32: leave out --bf16"), (0.7, "")])
def test_bf16_is_said_to_be_slow_where_it_is(train, monkeypatch, capsys, cost, said):
    monkeypatch.setattr("core.train.command.bf16_cost", lambda device: cost)
    assert train("--bf16", steps=1) == 0
    told = capsys.readouterr().err
    assert said in told
    assert ("bfloat16" in told) == bool(said)
    assert train(steps=1, out="plain", state="plain") == 0
    assert "bfloat16" not in capsys.readouterr().err
