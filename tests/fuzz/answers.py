"""What an answer over HTTP may be: polite, soon, and silent about the machine behind it."""

import contextlib
import io
import re
import tempfile
import time
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
from tests.wishes import served

LONGEST = 400
SLOW_S = 30  # on a machine that others use too
STOP_S = 2  # what goes on for longer is stopped
LEAKS = re.compile(r"Traceback|File \\?\"/|, line \d+, in |site-packages|private-place")

# what JSON and people bring where a number, a name or a list is meant
ODD = [
    None, True, False, 0, 1, -1, 2, 3, 2.5, 1e308, -1e-320, 2**31, 2**53, 2**63, 10**30, "", " ", "0", "2", "٣",
    "1e999", "nan", "tiny", "../tiny", "/etc/passwd", "..\\x", "C:\\x\\y", "~root", "\ud800", "a\0b",
    "<script>alert(1)</script>", "%00", "é" * 500, "x" * 5000, [], [1], [1, 2, 3], [[1]], ["1"], [None], [2**64],
    list(range(70)), {}, {"a": 1}, {"steps": [1, 2]}, {"eta": [0, 1]}, {"seed": [1, 2]}, {"steps": 3}, {"": []},
    {"__proto__": 1}, "leading", "trailing", "quadratic", "ddim", "dpm-solver++",
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    {"path": "http://127.0.0.1:1/x", "meta": {"_type": "gradio.FileData"}},
]  # fmt: skip
RAW = [
    b"", b"{", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b"[" * 5000, b"{\"a\":" * 3000, b'{"seq": NaN}',
    b'{"seq": 1e999}', b'{"seq": 9' + b"9" * 5000 + b"}", b'{"data": {}}', b'{"data": "x"}', b'{"data": null}',
    b'{"data": []}', b'{"data": [1]}', b'{"data": [' + b"1," * 3000 + b"1]}", b'{"data": ["\\ud800"]}',
    b"x" * 100_000, b'{"event_data": 1}', b"\0" * 50,
]  # fmt: skip


@dataclass
class Outcome:
    """asked: what was sent, in short. end: how it ended, for the counts. wrong: why that is not allowed, or empty."""

    asked: str
    end: str = ""
    answer: str = ""
    told: str = ""
    seconds: float = 0.0
    wrong: str = ""

    def __str__(self) -> str:
        asked = self.asked if len(self.asked) < 700 else f"{self.asked[:700]}…"
        end = f"{self.end} in {self.seconds:.1f} s: {self.answer[-500:]!r}"
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
        found, told, started = Outcome(asked), io.StringIO(), time.monotonic()
        try:
            with contextlib.redirect_stderr(told):
                yield found
        except httpx.HTTPError as error:
            found.refuse(f"no answer: {error!r}")
        found.seconds, found.told = time.monotonic() - started, told.getvalue()
        if found.seconds > SLOW_S:
            found.refuse("slow")
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
        with served(host) as address, httpx.Client(base_url=address, timeout=SLOW_S) as browser:
            yield Site(address, host, browser)
