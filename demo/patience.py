"""How long jobs will take here, and which of them wait until somebody presses Start."""

from __future__ import annotations

from collections.abc import Sequence

from core.fitting import AT_ONCE
from demo.jobs import Job
from demo.pace import Pace

PATIENCE_S = 60.0  # what is estimated to take longer is asked about
QUICK_S = 10.0  # and these run meanwhile


class Patience:
    """Of a page that shows this checkpoint. pace: what was timed on this machine."""

    def __init__(self, pace: Pace, checkpoint: str) -> None:
        self.pace, self.checkpoint = pace, checkpoint

    def ms(self, batch: int) -> float:
        """Of an evaluation of so many pictures."""
        return self.pace.expected_ms(self.checkpoint, batch)

    def seconds(self, jobs: Sequence[Job]) -> float:
        """Of these jobs, one after another."""
        total = 0.0
        for job in jobs:
            part = min(job.request.count, AT_ONCE)
            total += self.ms(part) * job.cost / part / 1000
        return total

    def enough_for(self, jobs: Sequence[Job]) -> bool:
        """Whether they may begin without a word."""
        return self.seconds(jobs) <= PATIENCE_S

    def divide(self, todo: list[Job]) -> tuple[list[Job], list[Job]]:
        """(what begins at once, what waits for a word): all begins, or the quick ones where those are soon done."""
        if self.enough_for(todo):
            return todo, []
        quick = [job for job in todo if self.seconds([job]) <= QUICK_S]
        if not self.enough_for(quick):
            return [], todo
        return quick, [job for job in todo if job not in quick]
