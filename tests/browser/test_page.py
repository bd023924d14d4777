"""The main job, as a person does it: drag, stop, scrub, download."""

import numpy as np
import pytest
from browser.conftest import (
    LIGHT,
    PAST_THE_SIDES,
    download,
    drag,
    enter,
    pixels,
    said,
    scrub,
    settle,
    steps_shown,
    wait_done,
    wait_samples,
    wait_status,
)
from PIL import Image

from core.record import read_record, request_of
from core.request import Request, SamplerSettings

SILENT = "window.fetch = () => new Promise(() => {})"  # the server never answers


def test_dragging_both_sliders_ends_with_their_last_values_on_screen(open_page):
    page = open_page(LIGHT)
    drag(page, "#steps input[type=range]", 0.15)
    drag(page, "#eta input[type=range]", 0.6)
    S, eta = steps_shown(page), page.input_value("#eta input[type=number]")
    assert 2 <= S < 20
    assert 0.3 < float(eta) < 0.9
    wait_samples(page, S, eta)
    wait_done(page)
    lane = page.locator("#duel .lane").first
    assert (lane.get_attribute("data-steps"), lane.get_attribute("data-eta")) == (str(S), eta)
    assert page.locator("#strip section").get_attribute("data-steps") == str(S)
    page.click("#samples summary")
    figures = page.inner_text("#samples .readout")
    for word in ("total", "per step", "images/s", "vs DDPM 1000", "measured", "estimated"):
        assert word in figures


def test_a_change_is_answered_coarse_and_then_stands_refined(open_page):
    page = open_page(LIGHT)
    page.evaluate("""() => { const lane = document.querySelector('#duel .lane'); window.seen = [];
      new MutationObserver(() => window.seen.push(`${lane.dataset.state} ${lane.dataset.steps}`))
        .observe(lane, { attributes: true, attributeFilter: ['data-state', 'data-steps'] }); }""")
    enter(page, "#steps", 120)
    wait_samples(page, 120, 0)
    seen = page.evaluate("window.seen")
    coarse = [entry for entry in seen if entry.startswith("coarse")]
    assert coarse  # 120 evaluations take longer than a first look on any CPU
    assert all(int(entry.split()[1]) < 120 for entry in coarse)
    assert seen[-1] == "done 120"


def test_player_b_has_its_own_settings_and_the_same_start(open_page):
    page = open_page("steps=8&steps_b=4&count=1")
    enter(page, "#steps-b", 5)
    page.wait_for_selector('#duel .lane[data-state="done"][data-steps="5"]')
    wait_done(page)
    a, b = (page.locator("#duel .lane").nth(i) for i in range(2))
    assert a.get_attribute("data-steps") == "8"
    assert b.get_attribute("data-eta") == "1"
    scrub(page, "#duel", 0)
    first = [pixels(page, f"#duel .lane:nth-child({i}) canvas") for i in (1, 2)]
    assert first[0] == first[1]  # the same x_T
    scrub(page, "#duel", 1000)
    last = [pixels(page, f"#duel .lane:nth-child({i}) canvas") for i in (1, 2)]
    assert last[0] != last[1]


def test_scrubbing_and_playing_never_ask_the_server(open_page):
    page = open_page("steps=12&steps_b=4&count=1")
    asked = []
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") else None)
    seen = set()
    for value in range(0, 1001, 100):
        scrub(page, "#duel", value)
        seen.add(pixels(page, "#duel .lane canvas"))
    assert len(seen) > 8
    page.click("#duel .transport button")
    page.wait_for_function("+document.querySelector('#duel .transport input').value > 300")
    assert page.inner_text("#duel .transport button") == "Pause"
    assert asked == []


def test_stop_stops_a_long_run_and_the_page_goes_on_living(open_page):
    page = open_page("steps=4&steps_b=4&count=4")
    assert page.is_disabled("#stop")
    enter(page, "#steps", 1000)
    settle(page, '#duel .lane[data-state="running"]')
    page.click("#stop")
    wait_status(page, "stopped")
    page.wait_for_selector('section[data-state="running"], .lane[data-state="running"]', state="detached")
    assert page.is_disabled("#stop")
    enter(page, "#steps", 4)
    wait_samples(page, 4, 0)
    wait_done(page)


def test_a_newer_setting_wins_over_a_running_one(open_page):
    page = open_page(LIGHT)
    enter(page, "#steps", 1000)
    settle(page, '#duel .lane[data-state="running"]')
    enter(page, "#steps", 6)
    wait_samples(page, 6, 0)
    wait_done(page)
    assert page.locator("#duel .lane").first.get_attribute("data-steps") == "6"


DOWNLOADS = [
    ("#strip", "gif", "fashion-mnist_seed3-8_S8_eta0_strip_plain.gif", 20, (168, 168)),
    ("#strip", "webp", "fashion-mnist_seed3-8_S8_eta0_strip_plain.webp", 20, (168, 168)),
    ("#duel", "_a_plain.gif", "fashion-mnist_seed3_S8_eta0_a_plain.gif", 9, (348, 168)),
]


@pytest.mark.parametrize(("panel", "end", "name", "frames", "size"), DOWNLOADS)
def test_downloads_decode_and_carry_their_settings(open_page, tmp_path, panel, end, name, frames, size):
    page = open_page("steps=8&steps_b=4&count=1&captions=0")
    path = download(page, panel, end, tmp_path)
    assert path.name == name
    with Image.open(path) as image:
        assert (image.n_frames, image.size) == (frames, size)
        assert image.info["loop"] == 0
        image.seek(frames // 2)
        assert np.asarray(image.convert("L")).std() > 5  # a picture, not a blank
    record = read_record(path)
    settings = SamplerSettings(steps=8, eta=0.0, spacing="leading", clip=True)
    wanted = Request((3, 8), settings, frames=11) if panel == "#strip" else Request((3,), settings)
    assert request_of(record) == wanted
    assert record["timing"]["precision"] == "fp32"
    assert record["checkpoint"]["name"] == "fashion-mnist"


def test_a_film_carries_words_unless_they_are_not_wanted(open_page, tmp_path):
    page = open_page("steps=8&steps_b=4&count=1")
    made = {}
    for words in (True, False):
        page.locator("#captions input").set_checked(words)
        wait_done(page)
        made[words] = download(page, "#duel", "_S8_eta0_a.gif" if words else "_S8_eta0_a_plain.gif", tmp_path)
    with Image.open(made[True]) as said, Image.open(made[False]) as plain:
        assert said.height > plain.height
        assert said.n_frames == plain.n_frames
    assert read_record(made[True])["request"] == read_record(made[False])["request"]


def test_arrow_keys_move_the_steps_and_typed_values_are_exact_or_clamped(open_page):
    page = open_page("steps=20&steps_b=4&count=1")
    page.focus("#steps input[type=range]")
    page.keyboard.press("ArrowLeft")
    assert steps_shown(page) == 15
    wait_samples(page, 15, 0)
    for typed, kept in (("13", 13), ("0", 1), ("-7", 1), ("", 1)):
        page.fill("#steps input[type=number]", typed)
        page.keyboard.press("Enter")
        assert steps_shown(page) == kept
    wait_samples(page, 1, 0)
    assert "take more steps" in page.inner_text("#samples .note")  # one leading step is noise, and the page says so


def test_rolling_seeds_brings_other_pictures(open_page):
    page = open_page(LIGHT)
    before = pixels(page, "#samples canvas")
    page.click("#dice")
    page.wait_for_function("!document.querySelector('#samples canvas[title=\"seed 3\"]')")
    wait_done(page)
    assert pixels(page, "#samples canvas") != before


def test_a_phone_shows_results_first_and_never_scrolls_sideways(open_page):
    page = open_page(LIGHT, size=(390, 844))
    assert page.evaluate(PAST_THE_SIDES) == []
    samples, controls = (page.locator(s).bounding_box()["y"] for s in ("#samples", "#controls"))
    assert samples < controls


def test_something_real_is_there_before_the_model(open_page):
    page = open_page(None, wait=False, init=SILENT)
    page.wait_for_selector('#samples section[data-painted="recorded"]')
    assert page.locator("#samples canvas").count() == 16
    assert len({pixels(page, f"#samples canvas:nth-child({i})") for i in (1, 2, 3)}) == 3
    assert page.inner_text("#samples .chip") == page.inner_text("#strip .chip") == "recorded run"
    assert "recorded" in said(page)
    page.wait_for_function("[...document.querySelectorAll('#duel canvas')].every((c) => c.width > 1)")
    scrub(page, "#duel", 0)
    start = pixels(page, "#duel canvas")
    scrub(page, "#duel", 1000)
    assert pixels(page, "#duel canvas") != start  # it plays


def test_the_page_cannot_talk_to_another_host(open_page):
    page = open_page("count=1&steps=2&steps_b=2", excused=["other.example"])
    refused = "fetch('https://other.example/').then(() => 'there', (error) => error.name)"
    page.evaluate("""() => { window.refused = [];
      addEventListener('securitypolicyviolation', (event) => window.refused.push(event.effectiveDirective)); }""")
    assert page.evaluate(refused) == "TypeError"
    page.evaluate("() => { document.body.append(Object.assign(new Image(), { src: 'https://other.example/x.png' })); }")
    page.wait_for_function("window.refused.length === 2")
    assert page.evaluate("window.refused") == ["connect-src", "img-src"]
