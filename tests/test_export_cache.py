"""The cache of exported models: whole files for everyone, damage seen, old ones dropped."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.backends import export_cache
from core.backends.export_cache import cache_folder, cached_export
from core.errors import BackendError

ROOT = Path(__file__).resolve().parents[1]


def never():
    raise AssertionError("made again")


def test_a_model_is_made_once_and_then_found(tmp_path):
    folder = tmp_path / "not" / "there yet"
    made = cached_export("key", lambda: b"model", folder)
    assert made.read_bytes() == b"model"
    assert cached_export("key", never, folder) == made
    assert [path.name for path in folder.iterdir()] == [made.name]


def test_another_key_has_a_file_of_its_own(tmp_path):
    one, two = (cached_export(key, key.encode, tmp_path) for key in ("key", "key-2"))
    assert one.read_bytes() == b"key"
    assert two.read_bytes() == b"key-2"
    assert cached_export("key", never, tmp_path) == one


@pytest.mark.parametrize("damage", [b"mod", b"", b"modeL", b"model and more"])
def test_a_damaged_file_is_made_anew(tmp_path, damage):
    path = cached_export("key", lambda: b"model", tmp_path)
    path.write_bytes(damage)
    assert cached_export("key", lambda: b"model", tmp_path).read_bytes() == b"model"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_fails_to_be_made_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_cache.os, "replace", full)
    with pytest.raises(BackendError, match=r"No space left on device.*set DDIM_CACHE"):
        cached_export("key", lambda: b"model", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match=r"file.*set DDIM_CACHE"):
        cached_export("key", lambda: b"model", tmp_path / "file" / "folder")


def test_the_folder_is_the_users_own_unless_told(monkeypatch, tmp_path):
    monkeypatch.delenv("DDIM_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "ddim-explorer"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder() == tmp_path / ".cache" / "ddim-explorer"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "ddim-explorer"
    monkeypatch.setenv("DDIM_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_what_was_not_used_for_longest_goes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(export_cache, "KEEP_FILES", 3)
    for i in range(3):
        os.utime(cached_export(str(i), str(i).encode, tmp_path), (i, i))
    cached_export("0", never, tmp_path)  # used again
    cached_export("3", lambda: b"3", tmp_path)
    assert {path.name[0] for path in tmp_path.iterdir()} == {"0", "2", "3"}


def test_all_files_together_keep_within_their_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(export_cache, "KEEP_BYTES", 10)
    for i in range(3):
        os.utime(cached_export(str(i), lambda: b"12345", tmp_path), (i, i))
    assert {path.name[0] for path in tmp_path.iterdir()} == {"1", "2"}
    cached_export("large", lambda: b"x" * 100, tmp_path)
    assert {path.name[0] for path in tmp_path.iterdir()} == {"l"}


def test_the_parts_of_a_dead_process_go_and_those_of_a_living_one_stay(tmp_path):
    old, new = tmp_path / "a.part", tmp_path / "b.part"
    old.write_bytes(b"")
    new.write_bytes(b"")
    os.utime(old, (time.time() - 2 * export_cache.STALE_S,) * 2)
    cached_export("key", lambda: b"model", tmp_path)
    assert not old.exists()
    assert new.exists()


RACE = """
import sys, time
from pathlib import Path
from core.backends.export_cache import cached_export
folder, me, other = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(folder / me).touch()
while not (folder / other).exists():
    time.sleep(0.001)
for key in range(20):
    def make():
        time.sleep(0.002)
        return bytes([key]) * 100_000
    path = cached_export(str(key), make, folder / "cache")
    assert path.read_bytes() == bytes([key]) * 100_000
"""


def test_two_processes_may_make_the_same_models_at_once(tmp_path):
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    both = [
        subprocess.Popen([*command, *names], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for names in (("one", "two"), ("two", "one"))
    ]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    names = [path.name for path in (tmp_path / "cache").iterdir()]
    assert len(names) == export_cache.KEEP_FILES
    assert not [name for name in names if name.endswith(".part")]
