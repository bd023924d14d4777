"""``python app.py`` as people and hosts start it, and the README's promises about Python."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(__file__).resolve().parents[1]


def start(*arguments):
    return subprocess.run(
        [sys.executable, "app.py", "--no-browser", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_a_folder_without_checkpoints_ends_with_one_line(tmp_path):
    done = start("--checkpoints", str(tmp_path))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert str(tmp_path) in done.stderr


def test_a_busy_port_ends_with_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = start("--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ([], {"inbrowser": True, "server_name": "127.0.0.1", "server_port": None}),
        (["--no-browser", "--host", "0.0.0.0", "--port", "8123"],
         {"inbrowser": False, "server_name": "0.0.0.0", "server_port": 8123}),
    ],
)  # fmt: skip
def test_flags_reach_the_server(monkeypatch, arguments, want):
    asked = {}

    class Page:
        local_url = "http://x/"

        def queue(self, **_):
            pass

        def launch(self, **options):
            asked.update(options)

        def block_thread(self):
            pass

    monkeypatch.setattr("demo.page.build_page", lambda host: Page())
    monkeypatch.setattr("demo.host.EngineHost.preload", lambda self: None)
    monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
    assert app.main() == 0
    assert {key: asked[key] for key in want} == want
    assert asked["ssr_mode"] is False


def test_the_readmes_python_runs_as_it_stands(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    block = block.replace('"checkpoints/', f'"{ROOT}/checkpoints/')
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, env={**os.environ,
        "PYTHONPATH": str(ROOT)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "torch.Size([4, 1, 28, 28])" in done.stdout
    assert (tmp_path / "strip.png").is_file()
