"""The main job, as a person does it: drag, stop, scrub, download."""

import re

import numpy as np
from browser.conftest import LIGHT, said, wait_done, wait_samples, wait_status
from PIL import Image

from core.record import read_record, request_of
from core.request import Request, SamplerSettings


def drag(page, selector, fraction):
    """Press on the slider's middle, move in steps, let go at a fraction of its width."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * fraction, y, steps=8)
    page.mouse.up()


def steps_shown(page, control="#steps"):
    return int(page.input_value(f"{control} input[type=number]"))


def test_dragging_both_sliders_ends_with_their_last_values_on_screen(open_page):
    page = open_page(query=LIGHT)
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
    figures = page.inner_text("#samples .readout")
    for word in ("total", "per step", "images/s", "vs DDPM 1000", "measured", "estimated"):
        assert word in figures


def test_a_change_is_answered_coarse_and_then_stands_refined(open_page):
    page = open_page(query=LIGHT)
    page.evaluate("""() => { const lane = document.querySelector('#duel .lane'); window.seen = [];
      new MutationObserver(() => window.seen.push(`${lane.dataset.state} ${lane.dataset.steps}`))
        .observe(lane, { attributes: true, attributeFilter: ['data-state', 'data-steps'] }); }""")
    page.fill("#steps input[type=number]", "60")
    page.keyboard.press("Enter")
    wait_samples(page, 60, 0)
    seen = page.evaluate("window.seen")
    coarse = [entry for entry in seen if entry.startswith("coarse")]
    assert coarse  # 60 evaluations take longer than a first look on any CPU
    assert all(int(entry.split()[1]) < 60 for entry in coarse)
    assert seen[-1] == "done 60"


def test_player_b_has_its_own_settings_and_the_same_start(open_page):
    page = open_page(query="steps=8&steps_b=4&count=1")
    page.fill("#steps-b input[type=number]", "5")
    page.keyboard.press("Enter")
    page.wait_for_selector('#duel .lane[data-state="done"][data-steps="5"]')
    wait_done(page)
    a, b = (page.locator("#duel .lane").nth(i) for i in range(2))
    assert a.get_attribute("data-steps") == "8"
    assert b.get_attribute("data-eta") == "1"
    scrub(page, 0)
    first = [pixels(page, f"#duel .lane:nth-child({i}) canvas") for i in (1, 2)]
    assert first[0] == first[1]  # the same x_T
    scrub(page, 1000)
    last = [pixels(page, f"#duel .lane:nth-child({i}) canvas") for i in (1, 2)]
    assert last[0] != last[1]


def scrub(page, value):
    page.evaluate(
        """v => { const r = document.querySelector('#duel .transport input');
                  r.value = v; r.dispatchEvent(new Event('input')); }""",
        value,
    )


def pixels(page, selector):
    return page.evaluate(
        """s => { const c = document.querySelector(s);
                  return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).join(); }""",
        selector,
    )


def test_scrubbing_and_playing_never_ask_the_server(open_page):
    page = open_page(query="steps=12&steps_b=4&count=1")
    asked = []
    page.on("request", lambda r: asked.append(r.url) if r.url.startswith("http") and "heartbeat" not in r.url else None)
    seen = set()
    for value in range(0, 1001, 100):
        scrub(page, value)
        seen.add(pixels(page, "#duel .lane canvas"))
    assert len(seen) > 8
    page.click("#duel .transport button")
    page.wait_for_function("+document.querySelector('#duel .transport input').value > 300")
    assert page.inner_text("#duel .transport button") == "Pause"
    assert asked == []


def test_stop_stops_a_long_run_that_was_asked_about_first(open_page):
    page = open_page(query="steps=4&steps_b=4&count=4")
    page.fill("#steps input[type=number]", "1000")
    page.keyboard.press("Enter")
    wait_status(page, "estimate")
    assert re.search(r"estimated at [\d.]+ (s|min)", said(page))
    assert page.locator("#samples section").get_attribute("data-state") == "preview"
    page.click("#go-on")
    page.wait_for_selector('#samples section[data-state="running"], #duel .lane[data-state="running"]')
    page.click("#stop")
    wait_status(page, "stopped")
    page.wait_for_selector('[data-state="running"]', state="detached")  # painted when decoded
    page.fill("#steps input[type=number]", "4")
    page.keyboard.press("Enter")
    wait_samples(page, 4, 0)  # and the page goes on living


def test_a_newer_setting_wins_over_a_running_one(open_page):
    page = open_page(query=LIGHT)
    page.fill("#steps input[type=number]", "1000")
    page.keyboard.press("Enter")
    wait_status(page, "running")
    page.fill("#steps input[type=number]", "6")
    page.keyboard.press("Enter")
    wait_samples(page, 6, 0)
    wait_done(page)
    assert page.locator("#duel .lane").first.get_attribute("data-steps") == "6"


DOWNLOADS = [
    ("#get-strip-gif", "interpolation.gif", 20, (168, 168)),
    ("#get-strip-webp", "interpolation.webp", 20, (168, 168)),
    ("#get-a-gif", "trajectory-a.gif", 9, (348, 168)),
]


def test_downloads_decode_and_carry_their_settings(open_page, tmp_path):
    page = open_page(query="steps=8&steps_b=4&count=1")
    for button, name, frames, size in DOWNLOADS:
        with page.expect_download() as event:
            page.click(button)
        assert event.value.suggested_filename == name
        path = tmp_path / name
        event.value.save_as(path)
        with Image.open(path) as image:
            assert (image.n_frames, image.size) == (frames, size)
            assert image.info["loop"] == 0
            image.seek(frames // 2)
            assert np.asarray(image.convert("L")).std() > 5  # a picture, not a blank
        record = read_record(path)
        settings = SamplerSettings(steps=8, eta=0.0, spacing="leading", clip=True)
        strip = name.startswith("interpolation")
        assert request_of(record) == (Request((3, 8), settings, frames=11) if strip else Request((3,), settings))
        assert record["timing"]["precision"] == "fp32"
        assert record["checkpoint"]["name"] == "fashion-mnist"


def test_arrow_keys_move_the_steps_and_typed_values_are_exact_or_clamped(open_page):
    page = open_page(query="steps=20&steps_b=4&count=1")
    page.focus("#steps input[type=range]")
    page.keyboard.press("ArrowLeft")
    assert steps_shown(page) == 15
    wait_samples(page, 15, 0)
    for typed, kept in (("13", 13), ("0", 1), ("-7", 1), ("", 1)):
        page.fill("#steps input[type=number]", typed)
        page.keyboard.press("Enter")
        assert steps_shown(page) == kept
    wait_samples(page, 1, 0)
    assert "trailing" in page.inner_text("#samples .note")  # one leading step is noise, and the page says so


def test_bad_numbers_become_one_sentence(open_page):
    page = open_page(query=LIGHT)
    page.fill("#seed input", "12345678")
    page.keyboard.press("Tab")
    wait_status(page, "error")
    assert said(page) == "The seed must lie between 0 and 999999, not 12345678."
    page.fill("#seed input", "5")
    page.keyboard.press("Tab")
    page.wait_for_selector('#samples canvas[title="seed 5"]')


def test_rolling_seeds_brings_other_pictures(open_page):
    page = open_page(query=LIGHT)
    before = pixels(page, "#samples canvas")
    page.click("#dice")
    page.wait_for_function("!document.querySelector('#samples canvas[title=\"seed 3\"]')")
    wait_done(page)
    assert pixels(page, "#samples canvas") != before


def test_a_phone_shows_results_first_and_never_scrolls_sideways(open_page):
    page = open_page(width=390, height=844, query=LIGHT)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    samples, controls = (page.locator(s).bounding_box()["y"] for s in ("#samples", "#controls"))
    assert samples < controls


def test_something_real_is_there_before_the_model(open_page, server):
    import json
    import urllib.request

    config = json.load(urllib.request.urlopen(server + "/config"))
    values = {c["props"].get("elem_id"): c["props"].get("value") for c in config["components"]}
    for name in ("samples", "strip"):
        recorded = json.loads(values[name])
        assert recorded["state"] == "recorded"
        assert recorded["tiles"].startswith("data:image/webp")
    page = open_page(wait=False)
    page.wait_for_selector("#samples section[data-painted]")
    assert page.locator("#samples canvas").count() == 16
