"""A file is there whole or not at all, whatever happens while it is written."""

import threading

import pytest

from core.atomic import write_atomically


def test_a_function_may_write_to_the_open_file(tmp_path):
    write_atomically(tmp_path / "x", lambda file: [file.write(b"ab"), file.seek(1), file.write(b"c")])
    assert (tmp_path / "x").read_bytes() == b"ac"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("x")])
@pytest.mark.parametrize("before", [None, b"old"])
def test_a_failure_leaves_what_was_there_and_no_part(tmp_path, error, before):
    path = tmp_path / "x"
    if before:
        path.write_bytes(before)

    def half(file):
        file.write(b"ha")
        file.flush()
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, half)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == ([("x", before)] if before else [])


def test_a_target_that_cannot_be_replaced_leaves_no_part(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "x", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_folder_that_is_not_there_is_the_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_atomically(tmp_path / "nowhere" / "x", b"new")


def test_two_threads_may_write_one_target(tmp_path):
    meet = threading.Barrier(2, timeout=10)

    def write(letter):
        def slowly(file):
            file.write(letter * 1000)
            meet.wait()  # both have begun, and neither has ended
            file.write(letter * 1000)

        write_atomically(tmp_path / "x", slowly)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "x").read_bytes() in (b"a" * 2000, b"b" * 2000)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
