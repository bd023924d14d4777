"""What an answer over HTTP may be: polite, soon, and silent about the machine behind it."""

import contextlib
import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import torch

from core import NoiseSchedule, SamplingDefaults, UNet, save_checkpoint
from demo.host import EngineHost
from demo.limits import Limits
from tests.fuzz.cli import TINY
from tests.fuzz.watch import ENDLESS_S, SLOW_S, Cost, watched
from tests.wishes import asking, served

LONGEST = 400
STOP_S = 2  # a run that goes on for longer is stopped
LEAKS = re.compile(r"Traceback|File \\?\"/|, line \d+, in |site-packages|private-place")


@dataclass
class Outcome:
    """asked: what was sent, in short. end: how it ended, for the counts. wrong: why that is not allowed, or empty."""

    asked: str
    end: str = ""
    answer: str = ""
    told: str = ""
    cost: Cost = field(default_factory=Cost)
    wrong: str = ""

    def __str__(self) -> str:
        asked = self.asked if len(self.asked) < 700 else f"{self.asked[:700]}…"
        end = f"{self.end} in {self.cost.seconds:.1f} s, {self.cost.peak_mb:.0f} MB: {self.answer[-500:]!r}"
        return f"{self.wrong}\n    {asked}\n    {end}\n    {self.told[-900:]}"

    def refuse(self, why: str) -> None:
        self.wrong = self.wrong or why


@dataclass
class Site:
    """A page in front of strangers, served in this process from a folder with a name that no answer may give."""

    address: str
    host: EngineHost
    browser: httpx.Client
    ends: Counter[str] = field(default_factory=Counter)

    def counts(self) -> str:
        return ", ".join(f"{end} {times}" for end, times in sorted(self.ends.items()))

    @contextlib.contextmanager
    def judged(self, asked: str) -> Iterator[Outcome]:
        """What every case is held to, whatever it asks."""
        found, told = Outcome(asked), io.StringIO()
        try:
            with watched() as found.cost, contextlib.redirect_stderr(told):
                yield found
        except httpx.HTTPError as error:
            found.refuse(f"no answer: {error!r}")
        found.told = told.getvalue()
        found.refuse(found.cost.too_much(STOP_S + SLOW_S))
        if leak := LEAKS.search(found.answer):
            found.refuse(f"says {leak[0]!r}")
        if "Traceback" in found.told:
            found.refuse("a traceback on the terminal")
        self.ends[found.end] += 1


def sentence(text: object) -> bool:
    """Whether a person can read it."""
    return isinstance(text, str) and 0 < len(text) < LONGEST and text.rstrip()[-1:] in ".!?" and "\n" not in text


@contextlib.contextmanager
def site() -> Iterator[Site]:
    """The page, for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="private-place-") as folder:
        torch.manual_seed(7)
        torch.set_num_threads(1)  # two wait for each other beside a busy machine, and "slow" would say nothing
        net, defaults = UNet(TINY).state_dict(), SamplingDefaults(prediction_type="v_prediction")
        for name in ("tiny", "second"):
            save_checkpoint(Path(folder) / name, net, TINY, NoiseSchedule(), defaults)
        host = EngineHost(Path(folder), "cpu", public=True, limits=Limits(16, 5, 5))
        with served(host) as address, asking(address, ENDLESS_S) as browser:
            yield Site(address, host, browser)
