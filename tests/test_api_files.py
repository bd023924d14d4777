"""The files of the API: where they lie, how many, and for how long (demo/api_files.py)."""

from pathlib import Path

import pytest

from demo.api_files import ApiFiles


@pytest.fixture
def kept(tmp_path):
    now, gone = [0.0], []
    files = ApiFiles(tmp_path / "api", gone.append, max_bytes=100, kept_s=10, clock=lambda: now[0])
    files.now, files.gone = now, gone
    return files


def there(kept):
    return sorted(path.name for path in kept.folder.rglob("*") if path.is_file())


def test_files_lie_under_their_names_where_nobody_can_guess(kept):
    first, second = kept.keep({"a.png": b"1", "b.npy": b"22"}), kept.keep({"a.png": b"333"})
    assert Path(first["b.npy"]).read_bytes() == b"22"
    assert Path(first["a.png"]).name == "a.png"
    assert len({Path(first["a.png"]).parent, Path(second["a.png"]).parent}) == 2
    assert len(Path(first["a.png"]).parent.name) >= 20


def test_the_oldest_go_where_there_are_too_many_bytes_but_never_the_newest(kept):
    paths = [kept.keep({f"{i}.npy": bytes(40)}) for i in range(4)]
    assert there(kept) == ["2.npy", "3.npy"]
    assert kept.gone == [paths[0]["0.npy"], paths[1]["1.npy"]]
    kept.keep({"large.npy": bytes(500)})
    assert there(kept) == ["large.npy"]
    assert kept.size == 500
    assert len(list(kept.folder.iterdir())) == 1  # no empty folder stays


def test_the_old_go_with_the_next_call(kept):
    kept.keep({"old.npy": b"1"})
    kept.now[0] = 9
    kept.keep({"new.npy": b"2"})
    kept.now[0] = 12
    kept.keep({"newest.npy": b"3"})
    assert there(kept) == ["new.npy", "newest.npy"]


def test_the_oldest_go_where_there_are_too_many_calls(tmp_path):
    files = ApiFiles(tmp_path / "api", max_calls=3)
    for i in range(5):
        files.keep({f"{i}.npy": b"1"})
    assert there(files) == ["2.npy", "3.npy", "4.npy"]
    assert len(list(files.folder.iterdir())) == 3
