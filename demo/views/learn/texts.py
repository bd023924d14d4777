"""What the Learn view says: the idea in words and equations, and five guided experiments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demo.fields import Lane, plain

WHAT_IS_DDIM = """\
<section class="what">
<p>A diffusion network learns one thing: shown x<sub>t</sub>, part picture and part noise, it names the noise ε.
ᾱ<sub>t</sub> says how much is picture: 1 is clean, 0 all noise.</p>
<p>DDPM climbs back through all T levels, adding fresh noise z each time. DDIM saw that the same trained network serves
a family of processes, and jumps from t to any earlier level s:</p>
<div class="equation" role="math" aria-label="x s equals root of alpha bar s, times x hat zero, plus root of
one minus alpha bar s minus sigma squared, times epsilon, plus sigma z">
<span class="term">x<sub>s</sub> =</span>
<span class="term">√<span class="root">ᾱ<sub>s</sub></span> x̂<sub>0</sub></span>
<span class="term">+ √<span class="root">1 − ᾱ<sub>s</sub> − σ<sup>2</sup></span> ε</span>
<span class="term">+ σ z</span></div>
<div class="equation" role="math" aria-label="x hat zero equals x t minus root of one minus alpha bar t times epsilon,
all over root of alpha bar t">
<span class="term">x̂<sub>0</sub> =</span>
<span class="fraction"><span>x<sub>t</sub> − √<span class="root">1 − ᾱ<sub>t</sub></span> ε</span><span>√<span
class="root">ᾱ<sub>t</sub></span></span></span></div>
<div class="equation" role="math" aria-label="sigma squared equals eta squared times one minus alpha bar s over one
minus alpha bar t, times one minus alpha bar t over alpha bar s">
<span class="term">σ<sup>2</sup> = η<sup>2</sup></span>
<span class="fraction"><span>1 − ᾱ<sub>s</sub></span><span>1 − ᾱ<sub>t</sub></span></span>
<span class="tall">(</span><span class="term">1 −</span>
<span class="fraction"><span>ᾱ<sub>t</sub></span><span>ᾱ<sub>s</sub></span></span><span class="tall">)</span></div>
<p>Guess the clean picture, then put back less of the same noise. η&nbsp;=&nbsp;1 with every step is DDPM.
With η&nbsp;=&nbsp;0 only x<sub>T</sub> is random and alone decides the picture; paths are smooth,
so steps can be long.</p>
</section>"""


@dataclass(frozen=True)
class Experiment:
    """One click: the view to show, which fields of PageSettings change and to what, and what to look at then."""

    key: str
    title: str
    look: str
    view: str
    settings: Mapping[str, Any]

    def changes(self) -> dict[str, object]:
        """What the browser sets, the view included."""
        return {"view": self.view, **{name: plain(value) for name, value in self.settings.items()}}


EXPERIMENTS = (
    Experiment(
        "fewer-steps", "Fewer steps",
        "Three runs from one noise, with 100, 20 and 5 steps. Between 100 and 20 look hard for a difference, then see "
        "what 5 steps lose: fine detail first. A noise that lies between two pictures may even end in the other one: "
        "other hair, say. Time falls in proportion.",
        "compare",
        {"lanes": (Lane(100, 0.0), Lane(20, 0.0), Lane(5, 0.0)), "seed": 3},
    ),
    Experiment(
        "eta", "Turn up η",
        "Both players start from one x_T and take 20 steps; only B adds noise on the way. Scrub: A settles "
        "steadily, B trembles to the end and arrives at another picture. "
        "In the paper the noise costs FID at 20 steps (CIFAR-10: 6.84 at η = 0, 18.36 at η = 1).",
        "explore",
        {"steps": 20, "eta": 0.0, "steps_b": 20, "eta_b": 1.0, "spacing": "leading", "seed": 3},
    ),
    Experiment(
        "same-noise", "Same noise, other S",
        "A takes 20 steps and B takes 100, from one x_T with η = 0. The two agree on what is shown and differ in "
        "the details: x_T is a code of the picture. Ten steps are too coarse for some codes: try them, and other "
        "seeds. Set both η to 1 and the likeness goes.",
        "explore",
        {"steps": 20, "eta": 0.0, "steps_b": 100, "eta_b": 0.0, "spacing": "leading", "seed": 3},
    ),
    Experiment(
        "interpolate", "Interpolate",
        "Every picture starts from a noise between those of two seeds, mixed by slerp. Look for a change without "
        "jumps and for pictures that make sense half-way. Then raise η to 1 with own noise for each: neighbours part.",
        "interpolate",
        {"steps": 20, "eta": 0.0, "keys": (3, 8, 12), "between": 10, "loop": True, "own_noise": False,
         "spacing": "leading"},
    ),
    Experiment(
        "ddpm-wins", "Where DDIM loses to DDPM",
        "Give both all 1000 steps and DDIM's lead is gone. The paper's winner here is DDPM with the larger noise σ̂ "
        "(command line: --sigma-hat): FID 3.17 on CIFAR-10, against 4.04 for DDIM and 4.73 for η = 1, this page's B. "
        "Look at edges and fine detail: fresh noise can correct a network's errors, which η = 0 carries to the end. "
        "At 10 steps it is 367 against 13.",
        "compare",
        {"lanes": (Lane(1000, 0.0), Lane(1000, 1.0)), "seed": 3},
    ),
)  # fmt: skip
