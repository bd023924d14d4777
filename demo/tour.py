"""One minute on the page itself: five stops and a sixth for who wants more, each with what it sets and what to look at.

What each promises is held by what it shows, on the checkpoint that the page opens with (tests/test_tour.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.field_lists import Lane, plain
from demo.settings import FIELDS

SEED, KEYS = FIELDS["seed"].default, FIELDS["keys"].default  # what the page opens on


@dataclass(frozen=True)
class Stop:
    """key: in the page. settings: what it sets, the view among them. target: the selector of what to look at. look:
    what to see there."""

    key: str
    title: str
    look: str
    target: str
    settings: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """As the browser holds it."""
        settings = {name: plain(value) for name, value in self.settings.items()}
        return {"key": self.key, "title": self.title, "look": self.look, "target": self.target, "settings": settings}


TOUR = (
    Stop(
        "fewer-steps", "Fewer steps",
        "Three runs from one noise, with 100, 20 and 5 steps. It is one and the same picture each time: 20 steps "
        "can hardly be told from 100, 5 lose fine detail. Time falls in proportion.",
        "#race",
        {"view": "compare", "lanes": (Lane(100, 0.0), Lane(20, 0.0), Lane(5, 0.0)), "seed": SEED},
    ),
    Stop(
        "eta", "Turn up the randomness",
        "A and B start from one noise and take 20 steps; only B adds fresh noise on the way (η = 1). Drag the "
        "slider under them: A settles steadily, B trembles to the end and arrives at another picture.",
        "#duel",
        {"view": "explore", "steps": 20, "eta": 0.0, "steps_b": 20, "eta_b": 1.0, "spacing": "leading",
         "solver": "ddim", "seed": SEED},
    ),
    Stop(
        "same-noise", "The noise is a code",
        "Now B takes 100 steps, without added noise: A and B show the same picture and differ in the finest "
        "details only. So the noise x_T decides what is shown. (Seed 25 is a borderline case: its "
        "hair is short after 20 steps and long after 100.)",
        "#duel",
        {"view": "explore", "steps": 20, "eta": 0.0, "steps_b": 100, "eta_b": 0.0, "spacing": "leading",
         "solver": "ddim", "seed": SEED},
    ),
    Stop(
        "interpolate", "Between two noises",
        "Every picture starts from a noise between those of two seeds. Each is a picture of its own: colours flow, "
        "and what differs at the ends switches on the way. Beside it, mixing the pixels shows two pictures at once.",
        "#path",
        {"view": "interpolate", "steps": 20, "eta": 0.0, "keys": KEYS, "between": 6, "loop": True,
         "own_noise": False, "spacing": "leading", "solver": "ddim"},
    ),
    Stop(
        "take-home", "Take it with you",
        "At the top of each panel are its files: this GIF plays the path as a loop. Each film carries the settings "
        "that made it; drop it on Reproduce, here or elsewhere, and it tells you how it was made.",
        "#path .exports",
        {"view": "interpolate"},
    ),
    Stop(
        "ddpm-wins", "Where DDPM wins in the paper",
        "Give both all 1000 steps and DDIM's lead is gone. The paper's winner here is DDPM with the larger noise "
        "σ̂ (command line: --sigma-hat): FID 3.17 on CIFAR-10, against 4.04 for DDIM and 4.73 for η = 1; at 10 steps "
        "it is 367 against 13. Fresh noise can correct a network's errors, which η = 0 carries to the end; Trade-off "
        "shows how much there is to correct in the checkpoint at hand.",
        "#race",
        {"view": "compare", "lanes": (Lane(1000, 0.0), Lane(1000, 1.0)), "seed": SEED},
    ),
)  # fmt: skip
MINUTE = 5  # stops that the tour goes through by itself; the rest are in Learn
