"""A line a run: what was computed, how it ended, and nothing of whom it was for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from wishes import Tab, host_of, served

from core import Request, SamplerSettings
from demo.run_log import LEVELS, RUNS, RunEntry, configure

ROOT = Path(__file__).resolve().parents[1]
KEYS = {"time", "level", "kind", "name", "checkpoint", "S", "eta", "pictures", "evaluations", "seconds", "outcome"}


@pytest.fixture
def lines(capsys):
    """configure() at a level, then what has been logged since the last call."""
    kept = RUNS.handlers, RUNS.propagate, RUNS.level

    def at(level=None):
        if level is not None:
            configure(level)
            return None
        return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]

    yield at
    RUNS.handlers, RUNS.propagate = kept[:2]
    RUNS.setLevel(kept[2])


@pytest.fixture
def tab(tiny_folder, tmp_path):
    return Tab(host_of(tmp_path, tiny_folder))


def test_a_run_of_the_page_is_one_line_of_numbers(tab, lines):
    lines("info")
    tab.want(seed=987654, steps=4, eta=0.25, count=4)
    (line,) = lines()
    assert line.keys() == KEYS
    assert (line["kind"], line["name"], line["checkpoint"]) == ("page", "explore", "tiny")
    assert (line["level"], line["outcome"]) == ("info", "done")
    assert (line["eta"], line["S"]) == ([0.25, 1.0], [2, 4])  # B has its own
    assert line["pictures"] >= 4
    assert line["evaluations"] >= 4 + 2
    assert line["seconds"] > 0
    text = json.dumps(line)
    assert "987654" not in text
    assert tab.key not in text


def test_what_was_done_before_takes_no_evaluations(tab, lines):
    tab.want()
    lines("info")
    tab.want()
    (line,) = lines()
    assert (line["outcome"], line["pictures"], line["evaluations"], line["S"]) == ("done", 0, 0, None)


def test_how_a_run_of_the_page_ends_is_said(tab, lines, monkeypatch):
    tab.want()
    lines("debug")
    _, messages = tab.begin(seed=5, steps=900)
    next(message for message in messages if message and message.get("status"))
    tab.stop()
    list(messages)
    assert lines()[-1]["outcome"] == "stopped"

    _, messages = tab.begin(seed=6, steps=900)
    next(message for message in messages if message and message.get("status"))
    tab.want(seed=7, steps=3)
    list(messages)
    assert [(line["outcome"], line["level"]) for line in lines()] == [("done", "info"), ("superseded", "debug")]

    monkeypatch.setattr(tab.host.pace, "expected_ms", lambda name, batch: 1000.0)
    tab.want(seed=8, steps=900, start=False)
    assert lines()[-1]["outcome"] == "asked"

    def broken(*_, **__):
        raise MemoryError

    monkeypatch.setattr("demo.computing.run_film", broken)
    tab.want(seed=9)
    line = lines()[-1]
    assert (line["outcome"], line["error"], line["level"]) == ("failed", "MemoryError", "error")


def test_a_call_of_the_api_is_one_line_however_it_ends(tiny_folder, tmp_path, lines):
    host = host_of(tmp_path, tiny_folder)
    with served(host) as address:
        client = Client(address, verbose=False, download_files=False)
        lines("info")
        client.predict(seeds=[987654, 1], steps=3, eta=0.5, api_name="/sample")
        with pytest.raises(AppError):
            client.predict(checkpoint="/srv/other", seeds=[1], api_name="/sample")
        with pytest.raises(AppError):
            client.predict(seeds="987654", api_name="/sample")
        done, nowhere, odd = lines()
        client.close()
    assert done.keys() == KEYS
    assert (done["kind"], done["name"], done["checkpoint"]) == ("api", "sample", "tiny")
    assert (done["S"], done["eta"], done["pictures"], done["evaluations"]) == (3, 0.5, 2, 3)
    assert done["outcome"] == "done"
    assert (nowhere["outcome"], nowhere["error"], nowhere["checkpoint"]) == ("refused", "CheckpointError", "")
    assert (odd["outcome"], odd["error"]) == ("refused", "RequestError")
    text = json.dumps([done, nowhere, odd])
    for private in ("987654", "127.0.0.1", "/srv"):
        assert private not in text


def test_a_call_that_is_closed_early_was_stopped(tiny_folder, tmp_path, lines):
    from demo import api_runs
    from demo.api import with_sentences

    host = host_of(tmp_path, tiny_folder)
    lines("info")
    stream = with_sentences(host, "sample", "tiny", api_runs.sample(host, "tiny", [1], 900, 0.0, None))
    next(stream)
    stream.close()
    assert [(line["outcome"], line["S"]) for line in lines()] == [("stopped", 900)]


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_leaves_out_what_is_below_it(lines, level):
    lines(level)
    for outcome in ("superseded", "done", "failed"):
        entry = RunEntry("page", "grid", "tiny")
        entry.asked([Request((1, 2), SamplerSettings(5)), Request((1,), SamplerSettings(9))])
        entry.end(outcome)
        entry.end("stopped")  # ends once
    said = [line["outcome"] for line in lines()]
    assert said == {"debug": ["superseded", "done", "failed"], "info": ["done", "failed"]}.get(level, ["failed"])


def test_inside_another_program_nothing_is_printed():
    """A process of its own, since here app.main may have run before."""
    code = "from demo.run_log import RunEntry; RunEntry('page', 'grid', 'tiny').end('failed')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
