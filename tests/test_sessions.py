"""The sessions of the tabs: keys, bounds, expiry and the files they were offered."""

from types import SimpleNamespace

from demo.scene import File
from demo.sessions import MAX_FILES, Sessions

RUN = SimpleNamespace()


def file(name="a.png", run=RUN):
    return File("PNG", name, (run,), lambda: b"bytes")


def part(address):
    _, _, key, token, name = address.split("/")
    return key, token, name


def test_keys_are_made_by_the_server_and_are_all_different():
    sessions = Sessions()
    keys = {sessions.new().key for _ in range(50)}
    assert len(keys) == 50
    assert all(len(key) >= 24 for key in keys)
    for key in ("", "mine", None, 3, ["x"], "../etc/passwd"):
        assert sessions.get(key) is None


def test_too_many_sessions_let_the_one_go_that_was_silent_for_longest():
    sessions = Sessions(most=3)
    first, second, third = (sessions.new() for _ in range(3))
    assert sessions.get(first.key) is first
    sessions.new()
    assert sessions.get(second.key) is None
    assert second.gone
    assert not first.gone
    assert not third.gone
    assert len(sessions) == 3


def test_a_session_expires_after_its_last_message():
    now = [0.0]
    sessions = Sessions(expires_s=10, clock=lambda: now[0])
    kept, left = sessions.new(), sessions.new()
    now[0] = 8
    assert sessions.get(kept.key) is kept
    now[0] = 12
    assert sessions.get(left.key) is None
    assert left.gone
    assert sessions.get(kept.key) is kept


def test_a_file_has_one_address_that_only_its_session_answers():
    sessions = Sessions()
    mine, other = sessions.new(), sessions.new()
    address = mine.offer(file())
    assert mine.offer(file()) == address
    key, token, name = part(address)
    assert key == mine.key
    assert mine.file(token, name).make() == b"bytes"
    assert mine.file(token, "b.png") is None
    assert mine.file("guess", name) is None
    assert other.file(token, name) is None


def test_files_of_other_runs_have_other_addresses_and_old_ones_go():
    session = Sessions().new()
    runs = [SimpleNamespace() for _ in range(MAX_FILES + 1)]
    addresses = [session.offer(file(run=run)) for run in runs]
    assert len(set(addresses)) == len(runs)
    assert session.file(*part(addresses[0])[1:]) is None
    assert session.file(*part(addresses[-1])[1:]) is not None


def test_forgetting_is_for_good():
    sessions = Sessions()
    session = sessions.new()
    sessions.forget(session.key)
    sessions.forget("nobody")
    assert session.gone
    assert sessions.get(session.key) is None


def test_who_is_silent_goes_though_nobody_new_comes():
    now = [0.0]
    sessions = Sessions(expires_s=10, clock=lambda: now[0])
    left = sessions.new()
    now[0] = 10
    sessions.expire()
    assert not left.gone
    now[0] = 11
    sessions.expire()
    assert (left.gone, len(sessions)) == (True, 0)
