"""A server that is ended while it runs or writes: soon, without a traceback, and with nothing left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
SOON_S = 20  # it takes a second; the machine may be busy
# app.py with a writer of PNGs that says when it has begun, and does not end
SLOW_WRITER = """
import os, sys, time
from pathlib import Path
import app, core.files
def samples(*_, **__):
    Path(os.environ["WRITING"]).touch()
    time.sleep(600)
core.files.samples = samples
sys.exit(app.main())
"""


class Server:
    """app.py on the tiny checkpoint in a process of its own."""

    def __init__(self, folder, tiny_folder, *command):
        self.temporary, self.log = folder / "temporary", folder / "log"
        self.temporary.mkdir()
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "tiny").symlink_to(tiny_folder)
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        own = {"TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT), "GRADIO_SERVER_PORT": str(port),
               "WRITING": str(folder / "writing")}  # fmt: skip
        options = ["--no-browser", "--threads", "1", "--device", "cpu", "--checkpoints", str(folder / "checkpoints")]
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *command, *options], cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, **own},
            )  # fmt: skip

    def until(self, there, seconds=60):
        end = time.monotonic() + seconds
        while not there():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.1)

    def answers(self):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.address}/gradio_api/startup-events", timeout=5).status_code == 200
        return False

    def ends(self):
        """Whether SIGTERM ends it as it should."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(SOON_S) == 0
        said = self.log.read_text()
        assert "Traceback" not in said, said
        left = [path for path in self.temporary.rglob("*") if path.is_file() or path.name.startswith("ddim-")]
        assert left == []


@pytest.fixture
def server(tmp_path, tiny_folder):
    started = []

    def start(*command):
        started.append(Server(tmp_path, tiny_folder, *command))
        started[0].until(started[0].answers)
        return started[0]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


class Caller(threading.Thread):
    """Reads the answer to its end, or to where it is cut off."""

    def __init__(self, method, address, **body):
        super().__init__(daemon=True)
        self.request, self.text = (method, address, body), ""
        self.start()

    def run(self):
        method, address, body = self.request
        with contextlib.suppress(httpx.HTTPError), httpx.stream(method, address, timeout=60, **body) as answer:
            for part in answer.iter_text():
                self.text += part


def call(server, endpoint, *data):
    began = httpx.post(f"{server.address}/gradio_api/call/{endpoint}", json={"data": data}, timeout=30).json()
    return Caller("GET", f"{server.address}/gradio_api/call/{endpoint}/{began['event_id']}")


def test_sigterm_amid_runs_of_the_page_and_the_api(server):
    server = server("app.py")
    settings = {"view": "explore", "steps": 1000, "eta": 1, "count": 16}
    page = Caller("POST", f"{server.address}/ddim/want", json={"seq": 0, "settings": settings, "start": True})
    api = call(server, "compare", "tiny", 3, [{"steps": 1000, "eta": 1.0}] * 4, None)
    server.until(lambda: '"running"' in page.text and '"running"' in api.text)
    server.ends()
    for caller in (page, api):
        caller.join(SOON_S)
        assert not caller.is_alive()
        assert "Traceback" not in caller.text


@pytest.mark.parametrize("who", ["page", "api"])
def test_sigterm_amid_a_file(server, tmp_path, who):
    writing = tmp_path / "writing"
    server = server("-c", SLOW_WRITER)
    if who == "api":
        caller = call(server, "sample", "tiny", [1], 2, 0.0, None, "ddim", None)
    else:
        settings = {"view": "explore", "steps": 2, "count": 4}
        page = httpx.post(f"{server.address}/ddim/want", json={"seq": 0, "settings": settings}, timeout=60).text
        panels = [json.loads(line) for line in page.splitlines() if '"samples"' in line]
        caller = Caller("GET", f"{server.address}/{panels[-1]['value']['files'][0]['href']}")
    server.until(writing.exists)
    server.ends()
    caller.join(SOON_S)
    assert not caller.is_alive()
    assert "event: complete" not in caller.text
    assert '"done"' not in caller.text
