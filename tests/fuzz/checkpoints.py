"""Whatever lies in a folder: it opens, or one short sentence says why not; soon, and in bounded memory."""

import contextlib
import shutil
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from core import CheckpointError, find_checkpoints, open_checkpoint
from core.layouts import training_steps
from demo.host import EngineHost
from tests.fuzz.folders import Case, write_good
from tests.fuzz.watch import Cost, EndlessError, ended, watched

LONGEST = 300


@dataclass
class Outcome:
    """said: why the folder was refused, or empty. wrong: why that is no end that is allowed, or empty."""

    case: object
    said: str = ""
    cost: Cost = field(default_factory=Cost)
    wrong: str = ""

    def __str__(self) -> str:
        end = f"in {self.cost.seconds:.1f} s, {self.cost.peak_mb:.0f} MB: {self.said[-900:]!r}"
        return f"{self.wrong}\n    {repr(self.case)[:900]}\n    {end}"


def opened(path: Path | str, case: object = "") -> Outcome:
    """Open a folder and make its network, and list what is around it as the page does."""
    found, readable = Outcome(case), False
    try:
        with watched() as found.cost, ended():
            training_steps(Path(path))
            try:
                open_checkpoint(path).load_network()
            except CheckpointError as error:
                found.said = str(error)
                short = 10 < len(found.said) < LONGEST
                readable = short and found.said.endswith((".", ")")) and found.said.isprintable()
            else:
                readable = True
            find_checkpoints(path)
    except EndlessError:
        found.wrong = "it does not end"
    except Exception:
        found.said, found.wrong = traceback.format_exc(), "a traceback"
    else:
        found.wrong = found.cost.too_much() if readable else "no readable sentence"
    return found


@dataclass
class Bench:
    """good: kind → a whole folder, copied for each case beside a whole one that must stay in the list."""

    good: dict[str, Path]
    work: Path
    ends: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, folder: Path) -> "Bench":
        bench = cls(write_good(folder / "good"), folder / "work")
        shutil.copytree(bench.good["flat"], bench.work / "whole")
        return bench

    def counts(self) -> str:
        return ", ".join(f"{end} {times}" for end, times in sorted(self.ends.items()))

    def run(self, case: Case) -> Outcome:
        folder = self.work / "net"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.good[case.kind], folder)
        for name, way in case.changes:
            with contextlib.suppress(OSError):  # an earlier change left no file to change
                if (folder / name).is_file() and (folder / name).stat().st_size < 1 << 30:
                    way(folder / name)
        found = opened(folder, case)
        if not found.wrong:
            host = EngineHost(self.work)  # the page is built from these
            if "whole" not in host.names() or not all(host.training_steps(name) for name in host.names()):
                found.wrong = "it spoils the list of its neighbours"
        if list(folder.rglob("it-ran")):
            found.wrong = "code of a pickle ran"
        self.ends[f"{case.kind} {'refused' if found.said else 'opened'}"] += 1
        return found
