"""The temporary folder of a process (demo/scratch.py): whatever ends it, the folder goes, and nobody else's does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.scratch import LOCK, PREFIX, YOUNG_S, sweep

ROOT = Path(__file__).resolve().parent.parent
HOLD = (
    "import signal, sys; from demo import scratch; folder = scratch.use();"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); (folder / 'file').write_text('x');"
    "print(folder, flush=True); sys.stdin.read()"
)


@pytest.fixture
def start(tmp_path):
    """Begin a process that holds a folder under tmp_path: (the process, the folder)."""
    begun = []

    def one():
        env = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
        process = subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, env=env, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        begun.append(process)
        return process, Path(process.stdout.readline().strip())

    yield one
    for process in begun:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.mark.parametrize("how", ["SIGTERM", "end of its work"])
def test_the_folder_goes_with_its_process(start, how):
    process, folder = start()
    assert (folder / "file").is_file()
    if os.name != "nt":
        assert folder.stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGTERM) if how == "SIGTERM" else process.stdin.close()
    assert process.wait(20) == 0
    assert not folder.exists()


def test_the_next_start_removes_what_a_killed_process_left_and_nothing_that_is_in_use(start, tmp_path):
    living, in_use = start()
    killed, left = start()
    killed.kill()
    killed.wait()
    assert (left / "file").is_file()
    _, newest = start()
    assert not left.exists()
    assert (in_use / "file").is_file()
    assert (newest / "file").is_file()
    assert living.poll() is None


def test_what_is_not_ours_or_may_be_on_its_way_stays(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere, target_is_directory=True)
    (tmp_path / "gradio").mkdir()
    young, old = tmp_path / f"{PREFIX}young", tmp_path / f"{PREFIX}old"
    young.mkdir()
    old.mkdir()
    past = young.stat().st_mtime - YOUNG_S - 1
    os.utime(old, (past, past))
    assert sweep(tmp_path) == [old]
    assert elsewhere.is_dir()
    assert young.is_dir()
