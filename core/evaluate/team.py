"""Processes that evaluate together: parts are dealt out, the first one decides and writes.

They hand each other finished parts as files: the --state folder must be one that all of them see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch.distributed as dist

from core.evaluate.parts import Part
from core.parallel import Share

Value = TypeVar("Value")


@dataclass(frozen=True)
class Team:
    share: Share
    group: dist.ProcessGroup | None = None

    @classmethod
    def of(cls, share: Share) -> Team:
        """gloo also beside nccl, and patient: a process may wait for a part of a thousand steps, which takes longer
        than torch's own limits of 10 and 30 minutes."""
        return cls(share, dist.new_group(backend="gloo", timeout=timedelta(days=7)) if share.world > 1 else None)

    def same(self, value: Value) -> Value:
        """The first process's value, in every process."""
        if self.group is None:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self.group)
        return box[0]

    def wait(self) -> None:
        """Until every process is here."""
        if self.group is not None:
            dist.barrier(group=self.group)

    def mine(self, parts: Sequence[Part]) -> list[Part]:
        """This process's parts: dealt out in turn, whatever is done already, so that no two take the same."""
        return list(parts[self.share.rank :: self.share.world])
