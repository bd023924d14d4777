"""Started by torchrun in test_train_parallel: the gradients of one step, written by the first process."""

import sys
from dataclasses import replace

import torch
from test_train_loop import CONFIG, IMAGES, SETTINGS

from core import NoiseSchedule
from core.train.loop import Trainer
from core.train.parallel import joined

if __name__ == "__main__":
    out, balanced = sys.argv[1], sys.argv[2] == "balanced"
    torch.set_num_threads(1)
    with joined("cpu") as (share, device):
        settings = replace(
            SETTINGS, balance=0.5 if balanced else 0.0, coarse=0.1 if balanced else 0.0, steps=2, grad_clip=1e9
        )
        trainer = Trainer(replace(CONFIG, dropout=0.0), NoiseSchedule(), IMAGES, settings, device, share)
        found = []
        trainer.optimizer.register_step_pre_hook(
            lambda *_: found.append({k: p.grad.clone() for k, p in trainer.network.named_parameters()})
        )
        losses = [progress.loss for progress in trainer.run()]
        if share.first:
            torch.save({"gradients": found, "losses": losses, "world": share.world}, out)
