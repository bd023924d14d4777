"""Files are made a few at a time, each once, and who asks for more is told when to come again."""

import asyncio
import threading
import time
from dataclasses import replace

import httpx
import pytest
from wishes import Tab, host_of, served

from demo.live import Live
from demo.making import A_TAB, ALL, Making
from demo.refused import Refused
from demo.sessions import Session
from tests.loops import run_apart


class Gate:
    """Work that goes on until it is opened. made: what was begun."""

    def __init__(self):
        self.opened, self.made = threading.Event(), []

    def file(self, name):
        def make():
            self.made.append(name)
            assert self.opened.wait(10)
            return name.encode()

        return make


def asked_for(making, gate, files):
    """What becomes of files (tab, name), all asked for before any is made."""

    async def all_of_them():
        tasks = [asyncio.create_task(making.get(tab, name, gate.file(name))) for tab, name in files]
        while sum(task.done() for task in tasks) + len(making._made) < len(set(files)):
            await asyncio.sleep(0.001)
        gate.opened.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return run_apart(all_of_them())


def statuses(answers):
    return [answer.status if isinstance(answer, Refused) else 200 for answer in answers]


def test_a_tab_has_a_few_at_a_time_and_then_again_as_many():
    making = Making(lambda make: make())
    for turn in "ab":
        files = [("one", f"{turn}{i}") for i in range(A_TAB + 3)]
        answers = asked_for(making, Gate(), [*files, ("two", f"{turn}x")])
        assert statuses(answers) == [200] * A_TAB + [429] * 3 + [200]


def test_all_tabs_together_have_so_many():
    making = Making(lambda make: make())
    answers = asked_for(making, Gate(), [(f"tab {i}", f"{i}") for i in range(ALL + 2)])
    assert statuses(answers) == [200] * ALL + [503] * 2
    assert making._of == {}


def test_a_file_is_made_once_however_often_it_is_asked_for():
    making, gate = Making(lambda make: make()), Gate()
    assert asked_for(making, gate, [("one", "x")] * 9) == [b"x"] * 9
    assert asked_for(making, gate, [("one", "x")]) == [b"x"]
    assert gate.made == ["x"]


def test_one_that_cannot_be_made_gives_its_place_back_and_is_not_kept():
    making = Making(lambda make: make())

    def broken():
        raise OSError("no")

    async def asked():
        for _ in range(A_TAB + 1):
            with pytest.raises(OSError, match="no"):
                await making.get("one", "x", broken)
        return await making.get("one", "x", lambda: b"there")

    assert run_apart(asked()) == b"there"


def test_a_visitor_who_asks_for_many_files_at_once(tiny_folder, tmp_path, monkeypatch):
    """Over a real server, which goes on answering meanwhile; what was refused can be had afterwards, and what was
    made is not made again."""
    host = host_of(tmp_path, tiny_folder)
    live, gate = Live(host), Gate()
    tab = Tab(host, live)
    links = [link["href"] for panel in tab.want().panels.values() for link in (panel or {}).get("files") or ()]
    assert len(links) > A_TAB + 2
    found, kept = {}, Session.file
    monkeypatch.setattr(Session, "file", lambda *which: replace(kept(*which), make=gate.file(which[1])))
    with served(host, live=live) as address:

        def get(link):
            found[link] = httpx.get(f"{address}{link}", timeout=20)

        threads = [threading.Thread(target=get, args=(link,)) for link in links]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 10
        while len(found) < len(links) - A_TAB and time.monotonic() < end:
            time.sleep(0.01)
        refused = [link for link in links if link in found]
        assert len(refused) == len(links) - A_TAB
        for link in refused:
            assert (found[link].status_code, found[link].headers["retry-after"]) == (429, "2")
            assert found[link].text.startswith("Six files of this page are being made: try again")
        assert httpx.get(f"{address}config", timeout=10).status_code == 200
        gate.opened.set()
        for thread in threads:
            thread.join()
        assert all(answer.status_code == 200 for link, answer in found.items() if link not in refused)
        for link in links:
            assert httpx.get(f"{address}{link}", timeout=20).status_code == 200
        assert len(gate.made) == len(links)
