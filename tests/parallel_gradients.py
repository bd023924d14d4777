"""Started by torchrun in test_train_parallel: gradients and weights of each way to train, of every process."""

import sys
from dataclasses import replace

import torch
from test_train_loop import CONFIG, IMAGES, SETTINGS

from core import NoiseSchedule, open_checkpoint
from core.parallel import joined
from core.train.loop import Trainer

WAYS = {"plain": {}, "balanced": {"balance": 0.5, "coarse": 0.1}, "muon": {"optimizer": "muon"},
        "grown": {"optimizer": "muon", "min_snr": 5.0}}  # fmt: skip

if __name__ == "__main__":
    torch.set_num_threads(1)
    results = {}
    with joined("cpu") as (share, device):
        for name, way in WAYS.items():
            settings = replace(SETTINGS, **way, steps=2, grad_clip=1e9)
            config = replace(CONFIG, dropout=0.0, layers_per_block=2 if name == "grown" else 1)
            trainer = Trainer(config, NoiseSchedule(), IMAGES, settings, device, share)
            if name == "grown":  # what is new is drawn by each process for itself, and must be alike
                trainer.start_from(open_checkpoint(sys.argv[2]))
            found = []
            trainer.optimizer.register_step_pre_hook(
                lambda *_, found=found, network=trainer.network: found.append(
                    {k: p.grad.clone() for k, p in network.named_parameters()}
                )
            )
            losses = [progress.loss for progress in trainer.run()]
            weights = {k: w.detach().clone() for k, w in trainer.network.named_parameters()}
            results[name] = {"gradients": found, "losses": losses, "world": share.world, "weights": weights}
        torch.save(results, f"{sys.argv[1]}.{share.rank}")
