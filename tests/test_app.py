"""``python app.py`` as people and hosts start it, and the README's promises about Python."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

import app
from core import Engine
from demo.host import EngineHost
from demo.limits import Limits

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


def test_a_port_in_the_environment_that_is_none_ends_with_one_line(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "abc")
    for arguments in ((), ("--port", "7999")):  # gradio reads the variable in either case
        done = start(*arguments)
        assert done.returncode == 2
        assert done.stderr == "GRADIO_SERVER_PORT: give a whole number from 1 to 65535, not abc.\n"


def test_the_search_for_a_free_port_ends_with_one_line_at_the_last_one(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "65535")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 65535))
        taken.listen()
        done = start()
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "--port" in done.stderr


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
        ([], {"inbrowser": True, "server_name": "127.0.0.1", "server_port": None, "share": False, "max_size": 64,
              "threads": None, "api_minutes": 10, "auth": None, "public": False, "limits": Limits()}),
        (["--no-browser", "--host", "0.0.0.0", "--port", "8123", "--share", "--queue-size", "5", "--threads", "3",
          "--api-minutes", "2"],
         {"inbrowser": False, "server_name": "0.0.0.0", "server_port": 8123, "share": True, "max_size": 5,
          "threads": 3, "api_minutes": 2}),
        (["--public", "--auth", "ada:secret", "--api-pictures", "9"],
         {"public": True, "limits": Limits(9, 150, 150), "max_size": 16, "api_minutes": 2}),
    ],
)  # fmt: skip
def test_flags_reach_the_server(monkeypatch, arguments, want):
    asked = {}

    class Page:
        local_url = "http://x/"

        def launch(self, **options):
            asked.update(options)

        def close(self):
            asked["closed"] = True

    def build_page(host, queue_size):
        asked.update(threads=host.threads, api_minutes=host.api_minutes, max_size=queue_size, public=host.public,
                     limits=host.limits, allowed=host.allowed)  # fmt: skip
        return Page()

    monkeypatch.setattr("demo.page.build_page", build_page)
    monkeypatch.setattr("demo.host.EngineHost.preload", lambda self: None)

    def serve(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("demo.compute.Compute.serve", serve)
    monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
    assert app.main() == 0
    assert {key: asked[key] for key in want} == want
    if "--auth" in arguments:
        assert asked["auth"]("ada", "secret")
        assert not asked["auth"]("ada", "secrets")
    assert asked["ssr_mode"] is False
    assert asked["closed"]
    assert asked["allowed"] is None


@pytest.mark.parametrize("flag", ["--threads", "--queue-size", "--api-minutes"])
@pytest.mark.parametrize("value", ["0", "-1", "2.5", "many"])
def test_a_bad_number_ends_with_one_line(monkeypatch, capsys, flag, value):
    monkeypatch.setattr(sys, "argv", ["app.py", flag, value])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert flag in said
    assert "whole number of at least 1" in said


@pytest.mark.parametrize("value", ["0", "-1", "65536", "70000", "80.5", "http", ""])
def test_a_port_that_cannot_be_opened_ends_with_one_line(monkeypatch, capsys, value):
    for variable, argv in (("7860", ["--port", value]), (value, [])):
        monkeypatch.setenv("GRADIO_SERVER_PORT", variable)
        monkeypatch.setattr(sys, "argv", ["app.py", *argv])
        with pytest.raises(SystemExit) as ended:
            app.arguments()
        assert ended.value.code == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        assert ("--port" if argv else "GRADIO_SERVER_PORT") in said
        assert "whole number from 1 to 65535" in said


@pytest.mark.parametrize("value", ["1", "8080", "65535"])
def test_a_port_that_can_be_opened_is_taken(monkeypatch, value):
    monkeypatch.setenv("GRADIO_SERVER_PORT", value)
    monkeypatch.setattr(sys, "argv", ["app.py", "--port", value])
    assert app.arguments().port == int(value)


def test_threads_are_limited_before_the_network_is_opened(tiny_folder, monkeypatch):
    order, made = [], Engine.__init__
    monkeypatch.setattr(torch, "set_num_threads", lambda n: order.append(n))
    monkeypatch.setattr(Engine, "__init__", lambda *a: order.append("open") or made(*a))
    EngineHost(tiny_folder.parent, "cpu", threads=3).engine("tiny")
    assert order == [3, "open"]
    EngineHost(tiny_folder.parent, "cpu").engine("tiny")
    assert order == [3, "open", "open"]


def test_the_page_is_built_without_torch():
    code = (
        "import sys; from app import CHECKPOINTS; from demo.host import EngineHost; from demo.page import build_page;"
        "build_page(EngineHost(CHECKPOINTS, threads=2)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr


def test_the_repository_is_a_space_with_the_pinned_gradio():
    """The front matter that Hugging Face reads: https://huggingface.co/docs/hub/spaces-config-reference"""
    _, front, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    space = yaml.safe_load(front)
    pins = dict(re.findall(r"^(\w+)==(.+)$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert (space["sdk"], space["sdk_version"]) == ("gradio", pins["gradio"])
    assert (ROOT / space["app_file"]).is_file()
    asks = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))[1]
    found = [tuple(map(int, text.split("."))) for text in (space["python_version"], asks)]
    assert found[0] >= found[1]
    assert 0 < len(space["short_description"]) <= 60
    assert space["license"] == "mit"
    assert space["pinned"] is False
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {space["colorFrom"], space["colorTo"]} <= colours
    assert space["title"]


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
    assert (tmp_path / "strip.gif").is_file()


def test_a_device_that_is_none_ends_it_at_its_start_with_one_line():
    done = start("--device", "gpu")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Unknown device 'gpu': use auto, cpu, cuda, cuda:N or mps.\n"


def test_the_page_does_not_wait_for_torch():
    code = (
        "import sys, app, demo.page\n"
        "def built(*_): sys.exit('torch' in sys.modules)\n"
        "demo.page.build_page = built\n"
        "sys.argv = ['app.py', '--no-browser']\n"
        "app.main()"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
