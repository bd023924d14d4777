"""``python -m core train``: data in, checkpoint folder out, resumable."""

from __future__ import annotations

import argparse
import json
import sys
import time

import torch

from core.arguments import MAX_SEED, path_from, real_from, whole_from
from core.checkpoint import SamplingDefaults, open_checkpoint, require_no_classes, save_checkpoint
from core.data.datasets import load_images
from core.device import bf16_cost, resolve_device
from core.errors import RequestError
from core.folders import require_place
from core.parallel import Share, joined
from core.plain_numbers import whole_numbers
from core.schedule import NoiseSchedule
from core.train import state
from core.train.bounds import MAX_LR, MAX_SIDE, MAX_TRAIN_BATCH, MAX_WIDTH, net_widths, require_size
from core.train.loop import Progress, Trainer
from core.train.muon import OPTIMIZERS
from core.train.objective import DRAWS, PREDICTIONS
from core.train.settings import TrainSettings
from core.unet import UNet
from core.unet_config import UNetConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=path_from, help="folder of pictures, .npz with 'images', or idx3 file")
    parser.add_argument("--out", type=path_from, required=True, help="checkpoint folder to write")
    parser.add_argument("--state", type=path_from, required=True, help="folder of the resumable state and the log")
    parser.add_argument(
        "--start-from",
        type=path_from,
        help="checkpoint whose weights to begin with, if --state is empty; this network "
        "may have more --layers and --attention",
    )
    parser.add_argument("--size", type=whole_from(1, MAX_SIDE), default=28, help="side of the pictures in pixels")
    parser.add_argument("--channels", default="32,64,128", help="width of each level")
    parser.add_argument("--layers", type=whole_from(1, 16), default=1, help="resnets a level")
    parser.add_argument("--groups", type=whole_from(1, MAX_WIDTH), default=4, help="groups of every GroupNorm")
    parser.add_argument(
        "--attention", help="levels with attention, counted from 0; '' for none; default: level 2, where there is one"
    )
    parser.add_argument("--beta-schedule", default="linear", choices=["linear", "squaredcos_cap_v2"])
    defaults = TrainSettings(steps=1)
    parser.add_argument("--steps", type=whole_from(1), default=20_000, help="optimiser steps in all")
    for name, read in (
        ("batch", whole_from(1, MAX_TRAIN_BATCH)), ("lr", real_from(0, MAX_LR, above=True)), ("warmup", whole_from(0)),
        ("decay", real_from(0, 1)), ("ema", real_from(0, 1 - 1e-9)), ("grad_clip", real_from(0, 1e9, above=True)),
        ("seed", whole_from(0, MAX_SEED)),
    ):  # fmt: skip
        parser.add_argument("--" + name.replace("_", "-"), type=read, default=getattr(defaults, name))
    parser.add_argument(
        "--prediction", default=defaults.prediction, choices=list(PREDICTIONS), help="what the network answers"
    )
    parser.add_argument(
        "--min-snr", type=real_from(0, 1e9), default=0.0, metavar="GAMMA", help="weight min(SNR, GAMMA); 0: plain"
    )
    parser.add_argument(
        "--draw",
        choices=DRAWS,
        default="uniform",
        help="weight: t by the weight of --min-snr, in place of weighing; half: half of a batch so, half uniform",
    )
    parser.add_argument(
        "--optimizer", choices=OPTIMIZERS, default="adam", help="muon: for matrices, with Adam for all else"
    )
    parser.add_argument("--bf16", action="store_true", help="autocast the inner layers; it says where that is slower")
    parser.add_argument(
        "--balance", type=real_from(0, 1), default=0.0, help="0: the plain loss; 1: every noise level alike"
    )
    parser.add_argument(
        "--coarse", type=real_from(0, 1e6), default=0.0, help="weight of the error's block means; for colours"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=whole_from(0, 1024), default=0, help="0: torch's choice")
    parser.add_argument("--save-every", type=real_from(0, 1e9), default=300.0, metavar="SECONDS")
    parser.add_argument("--watch", type=path_from, metavar="NET", help="feature net: sample and measure now and then")
    parser.add_argument(
        "--watch-every", type=real_from(0, 1e9), default=3600.0, metavar="SECONDS", help="and at the end"
    )
    parser.add_argument(
        "--watch-n",
        type=whole_from(1, 100_000),
        default=128,
        metavar="N",
        help="pictures measured each time, seeds from 0",
    )
    parser.add_argument("--watch-steps", type=whole_from(1), default=20, metavar="S")


def unet_config(args: argparse.Namespace, channels_in: int) -> UNetConfig:
    widths = net_widths(args.channels, "--channels")
    levels = len(widths)
    attention = [2] if args.attention is None else whole_numbers(args.attention, "--attention")
    if args.attention is not None and any(level >= levels for level in attention):
        raise RequestError(f"--attention {args.attention}: the levels of --channels are 0 to {levels - 1}.")
    return UNetConfig(
        sample_size=args.size,
        in_channels=channels_in,
        out_channels=channels_in,
        block_out_channels=widths,
        down_block_types=tuple("AttnDownBlock2D" if i in attention else "DownBlock2D" for i in range(levels)),
        up_block_types=tuple("AttnUpBlock2D" if levels - 1 - i in attention else "UpBlock2D" for i in range(levels)),
        layers_per_block=args.layers,
        norm_num_groups=args.groups,
        attention_head_dim=None,
    )


def run(args: argparse.Namespace) -> None:
    require_place(args.state)
    require_place(args.out)
    if args.threads > 0:
        torch.set_num_threads(args.threads)
    with joined(str(resolve_device(args.device))) as (share, device):
        train(args, share, device)


def new_trainer(args: argparse.Namespace, share: Share, device: str) -> Trainer:
    """At the state's step where there is a state, at --start-from's weights where there is none, else at step 0."""
    images = load_images(args.data, args.size)
    names = ("steps", "batch", "lr", "warmup", "decay", "ema", "grad_clip", "seed", "bf16", "balance", "coarse",
             "prediction", "min_snr", "optimizer", "draw")  # fmt: skip
    settings = TrainSettings(**{name: getattr(args, name) for name in names})
    schedule = NoiseSchedule(beta_schedule=args.beta_schedule)
    config = unet_config(args, images.shape[1])
    with torch.device("meta"):  # counted before a byte of it is there
        require_size(sum(weights.numel() for weights in UNet(config).parameters()))
    trainer = Trainer(config, schedule, images, settings, device, share)
    if state.resume(trainer, args.state):
        print(f"resumed at step {trainer.step}", flush=True)
    elif args.start_from:
        source = open_checkpoint(args.start_from)
        require_no_classes(source, "training here is without")
        trainer.start_from(source)
        print(f"weights of {args.start_from}, optimiser new", flush=True)
    return trainer


def train(args: argparse.Namespace, share: Share, device: str) -> None:
    """Advance to --steps; the first process logs and saves for all."""
    trainer = new_trainer(args, share, device)
    settings = trainer.settings
    if share.first and settings.bf16 and (cost := bf16_cost(torch.device(device))) >= 1.1:
        print(f"Here bfloat16 takes {cost:.1f} times as long as fp32: leave out --bf16.", file=sys.stderr)

    from core.train.pictures import plot_log, sample_sheet  # matplotlib, which sampling never needs
    from core.train.watch import Watch

    watch = None
    if args.watch is not None:
        watch = Watch(args.watch, trainer.images, args.watch_n, args.watch_steps, args.watch_every)
        watch.require(trainer.schedule.T)
    args.state.mkdir(parents=True, exist_ok=True)
    looked = time.perf_counter()
    defaults = SamplingDefaults(PREDICTIONS[settings.prediction])

    def save(last: bool = False) -> None:
        nonlocal looked
        state.save(trainer, args.state)
        save_checkpoint(args.out, trainer.ema, trainer.config, trainer.schedule, defaults)
        plot_log(args.state / "log.jsonl", args.state / "loss.png")
        if watch is None:
            sample_sheet(args.out, args.state / f"samples-{trainer.step:06d}.png", device)
        elif last or time.perf_counter() - looked >= watch.every_s:
            print(json.dumps(watch.look(args.out, args.state, trainer.step)), file=sys.stderr, flush=True)
            looked = time.perf_counter()

    if not share.first:
        for _ in trainer.run():
            pass
        return
    started, first, saved, losses = time.perf_counter(), trainer.step, time.perf_counter(), list[float]()
    with (args.state / "log.jsonl").open("a", encoding="utf-8") as log:
        for progress in trainer.run():
            losses.append(progress.loss)
            if progress.step % 100 == 0 or progress.step == settings.steps:
                report(progress, first, settings, losses)
                log.write(json.dumps({"step": progress.step, "loss": sum(losses) / len(losses), "lr": progress.lr,
                                      "elapsed_s": round(progress.elapsed_s, 1)}) + "\n")  # fmt: skip
                log.flush()
                losses.clear()
            if time.perf_counter() - saved > args.save_every:
                save()
                saved = time.perf_counter()
    save(last=True)
    print(f"\n{args.out}: step {trainer.step}, {time.perf_counter() - started:.0f} s in this run", flush=True)


def report(progress: Progress, first: int, settings: TrainSettings, losses: list[float]) -> None:
    rate = (progress.step - first) / progress.elapsed_s
    left = (settings.steps - progress.step) / rate
    print(
        f"step {progress.step}/{settings.steps}  loss {sum(losses) / len(losses):.4f}  lr {progress.lr:.1e}  "
        f"{rate * settings.batch:.0f} images/s  ETA {left / 60:.0f} min",
        file=sys.stderr, flush=True,
    )  # fmt: skip
