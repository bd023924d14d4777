"""What the command line writes, and where: asked before the work, all of it or nothing."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from core.__main__ import main
from core.engine import Engine

ROOT = Path(__file__).parents[1]


@pytest.fixture
def sample(tiny_folder, tmp_path, monkeypatch):
    """The exit status of ``sample`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    argv = ["sample", str(tiny_folder), "--seeds", "1", "--steps", "2", "--device", "cpu"]
    return lambda *options: main([*argv, *options])


@pytest.fixture
def unopened(monkeypatch):
    """The engine must not be asked."""

    def opened(*_):
        raise AssertionError("the checkpoint was opened")

    monkeypatch.setattr(Engine, "open", opened)


def refused(capsys, words):
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert len(err) < 300
    assert words in err


@pytest.mark.usefixtures("unopened")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "a.npy", "--timing", "a.npy"], "are one file"),
        (["--out", "a.npy", "--timing", "./a.npy"], "are one file"),
        (["--out", "a.npy", "--timing", "link"], "are one file"),
        (["--out", "n" * 252 + ".npy"], "too long"),
        (["--out", "folder.npy"], "is a folder"),
        (["--out", "pipe.npy"], "is a pipe"),
        (["--out", "circle.npy"], "Too many levels of symbolic links"),
        (["--out", "a.npy", "--timing", ""], "the name is empty"),
        (["--out", ""], "the name is empty"),
        (["--out", "a\0.npy"], "characters that no name can have"),
        (["--out", "\ud800.npy"], "characters that no name can have"),
        (["--out", "x" * 5000 + ".npy"], "too long"),
    ],
)
def test_what_cannot_be_written_is_noticed_before_the_work(sample, tmp_path, capsys, options, words):
    (tmp_path / "link").symlink_to("a.npy")
    (tmp_path / "circle.npy").symlink_to("circle.npy")
    (tmp_path / "folder.npy").mkdir()
    os.mkfifo(tmp_path / "pipe.npy")
    before = sorted(tmp_path.iterdir())
    assert sample(*options) == 2
    refused(capsys, words)
    assert sorted(tmp_path.iterdir()) == before


@pytest.fixture
def open_to_all():
    """A folder that every user may look into; pytest's own are for its user alone."""
    with tempfile.TemporaryDirectory(prefix="ddim-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def somebody():
    """Not root, who may write everywhere; where that is who runs this, as in CI."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.usefixtures("unopened")
def test_a_folder_that_is_read_only_is_noticed_before_the_work(sample, open_to_all, capsys):
    (open_to_all / "shut").mkdir(mode=0o555)
    with somebody():
        assert sample("--out", str(open_to_all / "shut" / "x.npy")) == 2
    refused(capsys, "read-only")


def test_a_timing_that_cannot_be_written_leaves_no_picture(sample, tmp_path, capsys):
    assert sample("--out", "x.png", "--timing", "/dev/full") == 2
    refused(capsys, "No space left on device: /dev/full")
    assert list(tmp_path.iterdir()) == []


def test_a_device_takes_the_timing_and_stays_one(sample, tmp_path):
    assert sample("--out", "x.png", "--timing", "/dev/null") == 0
    assert Path("/dev/null").is_char_device()
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_a_picture_goes_where_a_link_points(sample, tmp_path):
    (tmp_path / "link.png").symlink_to("x.png")
    assert sample("--out", "link.png") == 0
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("words", [["--out", ""], ["--out", "file"], ["--state", "file"], ["--state", "file/below"]])
def test_train_asks_for_its_folders_before_it_reads_a_picture(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert main(["train", "nowhere", "--out", "net", "--state", "state", *words]) == 2
    refused(capsys, "file" if words[1] else "the name is empty")


def process(words, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "core", *words], cwd=ROOT, env=environment, check=False, text=True, **options
    )


def test_help_is_shown_where_characters_are_lacking():
    plain = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = process(["sample", "--help"], env=plain, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "clip x?0" in done.stdout


def test_a_reader_that_goes_away_ends_it_in_silence():
    reading, writing = os.pipe()
    os.close(reading)
    done = process(["sample", "--help"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_under_its_output_is_one_line():
    with open("/dev/full", "w") as full:
        done = process(["--help"], stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (2, "stdout cannot be written: No space left on device\n")
