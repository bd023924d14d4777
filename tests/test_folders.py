"""A file's folder is asked for before the work."""

import pytest

from core import RequestError
from core.folders import require_folder


def test_a_file_in_a_folder_that_is_there_is_fine(tmp_path, monkeypatch):
    require_folder(tmp_path / "x.npy")
    require_folder(str(tmp_path / "x.npy"))
    monkeypatch.chdir(tmp_path)
    require_folder("x.npy")
    (tmp_path / "x.npy").write_bytes(b"")
    require_folder("x.npy")  # to be written over


def test_anything_else_is_one_sentence_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    for path, words in (
        (tmp_path / "none" / "x.npy", f"The folder {tmp_path / 'none'} of x.npy does not exist: make it first"),
        (tmp_path / "file" / "x.npy", f"The folder {tmp_path / 'file'} of x.npy is a file"),
        (tmp_path, f"{tmp_path} is a folder: name a file in it."),
        ("", r". is a folder"),
    ):
        with pytest.raises(RequestError) as refused:
            require_folder(path)
        assert str(refused.value).startswith(words)
