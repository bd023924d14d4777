"""Compare, Interpolate and Explore's instruments, as a person uses them; and the page for everybody: axe, keys."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.conftest import LIGHT, said, settle, wait_done, wait_samples, wait_status
from browser.test_page import drag, pixels, steps_shown
from PIL import Image

from core.record import read_record, request_of


def open_tab(page, name):
    page.click(f'#views button[data-view="{name}"]')


def race_done(page, runners=3):
    settle(page, f'#race .race .lane:nth-child({runners})[data-state="done"]')
    wait_done(page)


def scrub(page, panel, value):
    page.evaluate(
        """([p, v]) => { const r = document.querySelector(`${p} .transport input`);
                         r.value = v; r.dispatchEvent(new Event('input')); }""",
        [panel, value],
    )


def test_a_race_starts_from_one_x_T_and_its_clocks_stop_one_after_the_other(open_page, tmp_path):
    page = open_page(query=LIGHT + "&view=compare")
    race_done(page)
    scrub(page, "#race", 0)
    starts = [pixels(page, f"#race .race .lane:nth-child({i}) canvas") for i in (1, 2, 3)]
    assert starts[0] == starts[1] == starts[2]
    totals = page.evaluate("[...document.querySelectorAll('#race .lane dd')].map(d => d.textContent)")
    assert totals
    scrub(page, "#race", 1000)
    assert page.locator("#race .lane.finished").count() == 3
    clocks = [float(c.rstrip(" s")) for c in page.locator("#race .clock").all_inner_texts()]
    assert all(c > 0 for c in clocks)
    scrub(page, "#race", round(500 * (min(clocks) + max(clocks)) / max(clocks)))  # between first and last arrival
    running = page.locator("#race .lane:not(.finished)").count()
    assert 1 <= running < 3  # by wall clock a short run has finished while a long one goes on
    page.click("#race button:has-text('By step')")
    assert page.locator("#race .lane.finished").count() == 0  # in step none has
    assert page.locator("#race .apart canvas").count() == 3
    assert "S = 12" in page.inner_text("#race .apart h3") or "η = 0" in page.inner_text("#race .apart h3")
    with page.expect_download() as event:
        page.click("#get-race-gif")
    path = tmp_path / "race.gif"
    event.value.save_as(path)
    with Image.open(path) as image:
        assert image.n_frames > 5
        assert image.info["loop"] == 0
    record = read_record(path)
    assert [r["request"]["settings"]["steps"] for r in record["race"]] == [4, 8, 12]


def test_runners_can_be_added_removed_and_given_their_own_settings(open_page):
    page = open_page(query=LIGHT + "&view=compare")
    race_done(page)
    page.click("#lanes button:has-text('Add a runner')")
    settle(page, '#race .lane:nth-child(4)[data-state="done"]')
    assert page.locator("#lanes button:has-text('Add a runner')").is_disabled()
    page.select_option('#lanes [data-at="3-spacing"]', "trailing")
    page.wait_for_selector("#race .lane:nth-child(4) h3:has-text('trailing')")
    for _ in range(2):
        page.click("#lanes .laneRow:last-of-type button")
    page.wait_for_function("document.querySelectorAll('#race .race > .lane').length === 2")
    wait_done(page)
    assert page.locator("#lanes .laneRow button").first.is_disabled()  # two at least


RUNNING = '#race .lane[data-state="running"]'
LONG_RACE = "?steps=4&steps_b=4&count=1&lanes=300:0,400:1"


def test_stop_ends_a_race_and_leaving_the_view_does_too(open_page):
    page = open_page(query=LONG_RACE)
    open_tab(page, "compare")
    settle(page, RUNNING)
    page.click("#stop")
    wait_status(page, "stopped")
    page.wait_for_selector(RUNNING, state="detached")  # painted when decoded
    open_tab(page, "explore")
    wait_done(page)
    open_tab(page, "compare")
    settle(page, RUNNING)
    open_tab(page, "explore")
    wait_done(page)
    assert said(page).startswith("Live on")


def test_a_path_passes_its_keys_and_is_not_the_cross_fade_between_them(open_page, tmp_path):
    page = open_page(query=LIGHT + "&view=interpolate")
    settle(page, '#path section[data-painted="done"][data-steps="4"]')
    wait_done(page)
    ribbons = page.locator("#path .ribbon")
    assert [ribbons.nth(i).locator("canvas").count() for i in (0, 1)] == [12, 12]
    assert ribbons.first.locator("canvas.key").count() == 3
    assert pixels(page, "#path .ribbon:nth-of-type(3) canvas") is not None
    for k, same in ((0, True), (2, False), (4, True)):
        scrub(page, "#path", round(1000 * k / 11))
        a, b = (pixels(page, f"#path .duo figure:nth-child({i}) canvas") for i in (1, 2))
        assert (a == b) is same, k
    with page.expect_download() as event:
        page.click("#get-path-gif")
    event.value.save_as(tmp_path / "path.gif")
    with Image.open(tmp_path / "path.gif") as image:
        assert image.n_frames == 12  # a loop comes back by itself
    request = request_of(read_record(tmp_path / "path.gif"))
    assert (request.seeds, request.frames, request.loop) == ((3, 8, 12), 12, True)


def test_keys_can_be_added_and_the_loop_opened(open_page):
    page = open_page(query=LIGHT + "&view=interpolate")
    wait_done(page)
    page.click("#keys button:has-text('Add a seed')")
    settle(page, "#path .ribbon:last-child canvas:nth-child(16):last-child")  # four keys, four pictures each
    assert page.locator("#path .ribbon canvas.key").count() == 8
    wait_done(page)
    page.click("#loop input")
    settle(page, "#path .ribbon:last-child canvas:nth-child(13):last-child")  # 3·4 + 1
    wait_done(page)


def test_dragging_over_the_sheet_shows_the_nearest_cell_then_the_place_itself(open_page):
    page = open_page(query=LIGHT + "&view=interpolate")
    settle(page, '#square section[data-sheet="done"][data-painted="done"]')
    wait_done(page)
    box = page.locator("#square .mapBox").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.wait_for_selector('#square section[data-shown="nearest"]')
    corner = pixels(page, "#square figure canvas")
    page.mouse.move(box["x"] + box["width"] * 0.63, box["y"] + box["height"] * 0.4, steps=6)
    assert page.locator("#square section").get_attribute("data-shown") == "nearest"
    assert "nearest of 49" in page.inner_text("#square figcaption >> nth=0")
    assert pixels(page, "#square figure canvas") != corner
    page.mouse.up()
    page.wait_for_selector('#square section[data-shown="done"]')
    assert "S = 4" in page.inner_text("#square figcaption >> nth=0")
    across, down = (float(page.input_value(f'#square input[aria-label$="{w}"]')) for w in ("across", "down"))
    assert 0.55 < across < 0.75
    assert 0.3 < down < 0.5
    page.focus('#square input[aria-label$="across"]')
    page.keyboard.press("Home")  # keys do the same
    page.wait_for_function("parseFloat(document.querySelector('#square .dot').style.left) < 10")


def test_own_noise_is_offered_and_changes_the_path_at_eta_1(open_page):
    page = open_page(query=LIGHT + "&view=interpolate&eta=1")
    settle(page, '#path section[data-painted="done"][data-eta="1"]')
    wait_done(page)
    note = page.inner_text("#path .note")
    assert "same added noise" in note
    before = pixels(page, "#path .ribbon canvas:nth-child(5)")
    page.click("#own-noise input")
    page.wait_for_function("document.querySelector('#path .note').textContent.includes('own noise')")
    wait_done(page)
    assert pixels(page, "#path .ribbon canvas:nth-child(5)") != before


def test_presets_and_fit_my_time_set_the_sliders(open_page):
    page = open_page(query=LIGHT)
    page.click("#presets button:has-text('Fast 10')")
    wait_samples(page, 10, 0)
    page.fill("#budget input", "0.001")
    page.click("#fit")
    page.wait_for_function("document.querySelector('#steps input[type=number]').value === '1'")
    page.fill("#budget input", "900000")
    page.click("#fit")
    page.wait_for_function("document.querySelector('#steps input[type=number]').value === '1000'")
    page.fill("#budget input", "-1")
    page.click("#fit")
    page.wait_for_selector("#fit-said [role=alert]:has-text('seconds')")


def test_the_curve_shows_where_the_steps_fall_and_how_sigma_grows(open_page):
    page = open_page(query=LIGHT)
    page.fill("#steps input[type=number]", "7")
    page.keyboard.press("Enter")
    page.wait_for_selector('#curve section[data-painted="7/0"]')
    assert page.locator("#curve circle").count() == 7

    def bars():
        return page.evaluate(
            "[...document.querySelectorAll('#curve .sigma')]"
            ".reduce((s, b) => s + (b.getAttribute('y1') - b.getAttribute('y2')), 0)"
        )

    assert bars() == 0
    heights = []
    for eta in ("0.5", "1"):
        page.fill("#eta input[type=number]", eta)
        page.keyboard.press("Enter")
        page.wait_for_selector(f'#curve section[data-painted="7/{eta}"]')
        heights.append(bars())
    assert 0 < heights[0] < heights[1]


def test_the_keyboard_alone_plays_steps_and_stops(open_page):
    page = open_page(query=LIGHT)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#duel .play').textContent === 'Pause'")
    page.keyboard.press("Space")
    scrub(page, "#duel", 1000)
    frame = int(page.locator("#duel .lane").first.get_attribute("data-frame"))
    page.keyboard.press("ArrowLeft")
    assert int(page.locator("#duel .lane").first.get_attribute("data-frame")) == frame - 1
    page.keyboard.press("ArrowRight")
    assert int(page.locator("#duel .lane").first.get_attribute("data-frame")) == frame
    with page.expect_download() as event:
        page.keyboard.press("g")
    assert event.value.suggested_filename.endswith(".gif")
    page.fill("#steps input[type=number]", "1000")
    page.keyboard.press("Enter")
    wait_status(page, "running")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    wait_status(page, "stopped")


def test_there_and_back_plays_backwards_after_the_end(open_page):
    page = open_page(query=LIGHT)
    page.click('#duel button[aria-label="Play there and back"]')
    page.click("#duel .play")
    page.wait_for_function("+document.querySelector('#duel .transport input').value < 800")  # it starts over first
    page.wait_for_function("+document.querySelector('#duel .transport input').value === 1000")
    page.wait_for_function("+document.querySelector('#duel .transport input').value < 900")
    values = page.evaluate(
        """async () => { const seen = []; for (let i = 0; i < 4; i += 1) {
             seen.push(+document.querySelector('#duel .transport input').value);
             await new Promise((r) => setTimeout(r, 120)); } return seen; }"""
    )
    assert values[0] > values[-1]


def test_every_view_fits_a_phone(open_page):
    page = open_page(width=390, height=844, query=LIGHT)
    for name in ("explore", "compare", "interpolate", "grid", "learn"):
        open_tab(page, name)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    dock = page.locator("#dock").bounding_box()
    assert dock["y"] + dock["height"] <= 845  # the sliders stay under the thumb


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(open_page, scheme):
    page = open_page(query=LIGHT)
    if scheme == "dark":
        page.evaluate("document.body.classList.add('dark')")
    found = {}
    for name in ("explore", "compare", "interpolate", "grid", "learn"):
        open_tab(page, name)
        page.wait_for_timeout(500)
        page.click("#stop")
        page.wait_for_timeout(300)
        result = Axe().run(page)
        for violation in result.response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found.setdefault(violation["id"], []).append((name, [n["html"][:160] for n in violation["nodes"][:3]]))
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


def test_the_second_tab_is_told_its_place_and_gets_its_turn(open_page):
    first, second = open_page(query=LONG_RACE), open_page(query=LIGHT)
    open_tab(first, "compare")
    settle(first, RUNNING)
    second.fill("#steps input[type=number]", "6")
    second.keyboard.press("Enter")
    wait_status(second, "waiting")
    assert "one run is before yours" in said(second)
    first.click("#stop")
    wait_samples(second, 6, 0)


def test_a_closed_tab_ends_its_run(open_page):
    first, second = open_page(query=LONG_RACE), open_page(query=LIGHT)
    open_tab(first, "compare")
    settle(first, RUNNING)
    first.close()
    second.fill("#steps input[type=number]", "6")
    second.keyboard.press("Enter")
    wait_samples(second, 6, 0)  # a thousand-step run in front would still be waited for


def test_a_drag_while_a_run_is_going_ends_with_the_last_value(open_page):
    page = open_page(query=LIGHT)
    drag(page, "#steps input[type=range]", 0.9)
    drag(page, "#steps input[type=range]", 0.1)
    S = steps_shown(page)
    assert S < 8
    wait_samples(page, S, 0)
    wait_done(page)
    assert steps_shown(page) == S


def test_a_copied_link_opens_the_same_state_elsewhere(open_page):
    page = open_page(query=LIGHT + "&seed=5&eta=0.5&view=interpolate&keys=1,2")
    page.click("#copy-link")
    page.wait_for_function("location.search.includes('keys=1')")
    query = page.evaluate("location.search")
    other = open_page(query=query)
    wait_done(other)
    assert other.locator('#views button[data-view="interpolate"]').get_attribute("aria-selected") == "true"
    assert other.input_value("#eta input[type=number]") == "0.5"
    wait_done(page)
    places = ["#path .ribbon canvas:nth-child(3)", "#square figure canvas"]
    assert [pixels(page, p) for p in places] == [pixels(other, p) for p in places]


def test_a_link_with_bad_values_is_adjusted_and_says_so(open_page):
    page = open_page(query=LIGHT.replace("steps=4", "steps=99999", 1).replace("99999&", "0&", 1) + "&spacing=odd")
    wait_done(page)
    assert "steps=0 became 1" in page.inner_text("#guide")
    assert "spacing=odd" in page.inner_text("#guide")
    assert steps_shown(page) == 1


def test_an_experiment_sets_the_state_and_says_what_to_look_at(open_page):
    page = open_page(query=LIGHT)
    open_tab(page, "learn")
    page.wait_for_selector("#flow section[data-painted]")
    wait_done(page)
    page.click("#try-eta")
    page.wait_for_selector('#views button[data-view="explore"][aria-selected="true"]')
    assert "B trembles" in page.inner_text("#guide")
    settle(page, '#duel .lane:nth-child(2)[data-state="done"][data-eta="1"][data-steps="20"]')


def test_the_exact_flow_moves_with_the_same_sliders(open_page):
    page = open_page(query=LIGHT + "&view=learn")
    page.wait_for_selector('#flow section[data-painted][data-steps="4"][data-eta="0"]')
    page.fill("#eta input[type=number]", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector('#flow section[data-eta="1"]')
    page.fill("#steps input[type=number]", "9")
    page.keyboard.press("Enter")
    page.wait_for_selector('#flow section[data-eta="1"][data-steps="9"]')
