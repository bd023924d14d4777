"""The server that is measured: a process of its own on a free port of this machine, and what it uses (Linux)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
CENSUS_S = 15.0


@dataclass(frozen=True)
class Usage:
    """At one moment. at: monotonic seconds. cpu_s: of processor so far."""

    at: float
    rss_mb: float
    threads: int
    open_files: int
    cpu_s: float


class Server:
    """``with Server() as server``: app.py with the shipped checkpoints. What it writes to temporary folders lies in
    one that is looked at and removed. apart: no two calls share a batch. results_mb: what is kept of results, if not
    the app's own bound."""

    def __init__(self, *flags: str, apart: bool = False, results_mb: int | None = None) -> None:
        self.flags, self.apart, self.results_mb = flags, apart, results_mb
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.usages: list[Usage] = []
        self.held: list[dict[str, Any]] = []  # as census, every CENSUS_S

    def __enter__(self) -> Server:
        self._folder = tempfile.TemporaryDirectory(prefix="load-")
        self.folder = Path(self._folder.name)
        self.temp, self._census = self.folder / "temp", self.folder / "census.json"
        self.temp.mkdir()
        env = {**os.environ, "TMPDIR": str(self.temp), "LOAD_CENSUS": str(self._census)}
        env.pop("GRADIO_TEMP_DIR", None)
        env |= {"LOAD_APART": "1"} if self.apart else {}
        env |= {"LOAD_RESULTS_MB": str(self.results_mb)} if self.results_mb is not None else {}
        self.log = (self.folder / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.served", "--no-browser", "--port", str(self.port), *self.flags],
            cwd=ROOT, env=env, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._wait()
        return self

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(self.url + "gradio_api/info", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"The server did not start:\n{self.said}")

    def __exit__(self, *_: object) -> None:
        self.end()
        self.log.close()
        self._folder.cleanup()

    def end(self) -> int:
        """SIGTERM, as a host sends it, and the status it ends with."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    @property
    def said(self) -> str:
        """What it printed."""
        self.log.flush()
        return (self.folder / "log").read_text()

    def files(self) -> tuple[int, int]:
        """(how many, bytes) in its temporary folders."""
        sizes = []
        for path in self.temp.rglob("*"):
            try:
                if path.is_file():
                    sizes.append(path.stat().st_size)
            except FileNotFoundError:
                continue
        return len(sizes), sum(sizes)

    def usage(self) -> Usage:
        proc = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        ticks = (proc / "stat").read_text().rpartition(")")[2].split()[11:13]
        return Usage(
            time.monotonic(), int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]),
            len(list((proc / "fd").iterdir())), sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"),
        )  # fmt: skip

    async def census(self, seconds: float = 20) -> dict[str, Any]:
        """What it holds inside (tests/load/served.py)."""
        self._census.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + seconds
        while not self._census.exists():
            if time.monotonic() > end:
                raise RuntimeError("The server does not answer the signal.")
            await asyncio.sleep(0.05)
        found: dict[str, Any] = json.loads(self._census.read_text())
        return found

    async def watch(self, every_s: float = 1.0) -> None:
        """Look at it until cancelled."""
        asked = time.monotonic()
        while True:
            self.usages.append(self.usage())
            if time.monotonic() - asked >= CENSUS_S:
                asked = time.monotonic()
                self.held.append(await self.census())
            await asyncio.sleep(every_s)
