"""The files that panels offer: what is in them, whose they are, and how long their addresses lead anywhere."""

import io
import shutil
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
import pytest
from PIL import Image
from wishes import Tab, host_of

from core.record import read_record
from demo.scene import File
from demo.sessions import MAX_FILES, Session


def frames(data):
    """N×H×W×3 of a picture's bytes."""
    with Image.open(io.BytesIO(data)) as image:
        found = []
        for i in range(image.n_frames):
            image.seek(i)
            found.append(np.asarray(image.convert("RGB")))
    return np.stack(found)


@pytest.fixture
def tab(tiny_folder, tmp_path):
    return Tab(host_of(tmp_path, tiny_folder))


def record_in(data, tmp_path, name="picture"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_record(path)


def links(answer, panel):
    return {link["label"]: link["href"] for link in answer.panels[panel]["files"]}


def test_every_panel_of_explore_offers_its_files_with_the_record_of_their_run(tab, tmp_path):
    answer = tab.want(spacing="trailing")
    found = {name: data for panel in ("duel", "samples", "strip") for name, data in tab.files(answer, panel).items()}
    for both in (found.pop("tiny_seed3_a-and-b.gif"), found.pop("tiny_seed3_a-and-b.mp4")):
        assert record_in(both, tmp_path)["kind"] == "race"
    assert set(found) == {
        "tiny_seed3_S3_eta0_a.gif", "tiny_seed3_S2_eta1_b.gif", "tiny_seed3to6_S3_eta0_samples.png",
        "tiny_seed3-8_S3_eta0_strip.gif", "tiny_seed3-8_S3_eta0_strip.webp", "tiny_seed3-8_S3_eta0_strip.mp4",
        "tiny_seed3-8_S3_eta0_strip.png",
    }  # fmt: skip
    for name, data in found.items():
        request = record_in(data, tmp_path)["request"]
        assert request["settings"]["spacing"] == "trailing"
        assert f"S{request['settings']['steps']}_eta{request['settings']['eta']:g}_" in name
    assert len(frames(found["tiny_seed3-8_S3_eta0_strip.webp"])) == 20  # there and back
    assert frames(found["tiny_seed3to6_S3_eta0_samples.png"]).shape[1] >= 2 * 84  # two rows, enlarged


def test_words_are_on_films_unless_they_are_not_wanted(tab):
    names = {True: "tiny_seed3-8_S3_eta0_strip.webp", False: "tiny_seed3-8_S3_eta0_strip_plain.webp"}
    films = {words: frames(tab.files(tab.want(captions=words), "strip")[name]) for words, name in names.items()}
    pictures = tab.session.last["strip"].pixels
    k = films[False].shape[1] // 8
    assert films[False].shape[1:3] == (8 * k, 8 * k)
    assert (films[False][: len(pictures), ::k, ::k] == pictures).all()
    assert films[True].shape[1] > 384
    assert films[True].shape[2] > 384


def test_a_closed_path_loops_by_itself_and_the_sheet_is_square(tab):
    answer = tab.want(view="interpolate", keys=[3, 8], between=4)
    path = tab.files(answer, "path")
    assert {name.rpartition("_")[2] for name in path} == {"path.gif", "path.webp", "path.mp4"}
    assert len(frames(path["tiny_seed3-8_S3_eta0_path.webp"])) == 8
    ((name, data),) = tab.files(answer, "square").items()
    assert name.endswith("_sheet.png")
    _, height, width, _ = frames(data).shape
    assert height == width


def test_a_race_is_offered_once_all_have_arrived_and_carries_every_record(tab, tmp_path):
    answer, messages = tab.begin(view="compare", lanes=[{"steps": 2, "eta": 0}, {"steps": 3, "eta": 1}])
    for _ in messages:
        race = answer.panels.get("race", {"lanes": [None]})
        arrived = all(lane and lane["state"] == "done" for lane in race["lanes"])
        assert arrived or not race.get("files")
    (name, data), (other, _) = tab.files(answer, "race").items()
    assert (name, other) == ("tiny_seed3_race.gif", "tiny_seed3_race.mp4")
    assert [r["request"]["settings"]["eta"] for r in record_in(data, tmp_path)["runs"]] == [0.0, 1.0]


def test_while_a_new_run_is_on_its_way_the_file_is_of_the_last_one_and_then_of_the_new(tab, tmp_path):
    old = links(tab.want(seed=5), "samples")
    answer, messages = tab.begin(seed=6)
    while "samples" not in answer.panels:
        next(messages)
    assert links(answer, "samples") == old
    assert answer.panels["samples"]["state"] == "stale"
    for _ in messages:
        pass
    assert links(answer, "samples") != old
    ((_, data),) = tab.files(answer, "samples").items()
    assert record_in(data, tmp_path)["request"]["seeds"] == [6, 7, 8, 9]
    *_, token, name = old["PNG"].split("/")
    assert record_in(tab.session.file(token, name).make(), tmp_path)["request"]["seeds"] == [5, 6, 7, 8]


@pytest.mark.parametrize("name", ["50% done", "a%41", "a#b", "what?", "Ωß & co"])
def test_the_link_to_a_file_leads_to_it_whatever_the_checkpoint_is_called(tab, tiny_folder, name):
    shutil.copytree(tiny_folder, tab.host.root / name)
    answer = tab.want(checkpoint=name)
    for link in answer.panels["strip"]["files"]:
        address = urlsplit(urljoin("http://localhost/page/", link["href"]))
        *_, key, token, file = unquote(address.path).split("/")
        assert (key, file) == (tab.key, link["name"])
        assert file.startswith(f"{name}_seed")
        assert tab.session.file(token, file) is not None


def offered(name="x.png", runs=()):
    return File("PNG", name, runs, lambda: b"data")


def test_a_file_has_one_address_that_nobody_else_can_guess():
    session, other, run = Session("key"), Session("other"), object()
    href = session.offer(offered(runs=(run,)))
    assert session.offer(offered(runs=(run,))) == href
    prefix, _, rest = href.partition("/key/")
    token, name = rest.split("/")
    assert (prefix, name) == ("ddim/file", "x.png")
    assert len(token) >= 16
    assert session.file(token, name).make() == b"data"
    assert session.file(token, "y.png") is session.file("guess", name) is other.file(token, name) is None
    addresses = {session.offer(offered(runs=(object(),))), session.offer(offered("y.png", (run,))), href}
    assert len(addresses) == 3


def test_a_session_keeps_the_newest_files_and_those_still_offered():
    session, runs = Session("key"), [object() for _ in range(MAX_FILES + 5)]
    first = session.offer(offered("kept.png", (runs[0],)))
    old = session.offer(offered("old.png", (runs[0],)))
    for i, run in enumerate(runs):
        session.offer(offered(f"{i}.png", (run,)))
        assert session.offer(offered("kept.png", (runs[0],))) == first  # it is still on the panel
    assert session.file(first.split("/")[-2], "kept.png") is not None
    assert session.file(old.split("/")[-2], "old.png") is None
    assert session.offer(offered("old.png", (runs[0],))) != old


def test_where_no_mp4_can_be_made_none_is_offered(tab, monkeypatch):
    from core.files import mp4

    monkeypatch.setattr(mp4, "mp4_there", lambda: False)
    answer = tab.want()
    assert list(links(answer, "strip")) == ["GIF", "WebP", "PNG"]
    assert list(links(answer, "duel")) == ["GIF of both", "GIF of A", "GIF of B"]
