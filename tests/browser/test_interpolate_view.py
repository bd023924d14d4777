"""A path through keys, and a sheet that one drags through."""

from browser.conftest import LIGHT, download, pixels, scrub, settle, wait_done
from PIL import Image

from core.record import read_record, request_of


def test_a_path_passes_its_keys_and_is_not_the_cross_fade_between_them(open_page, tmp_path):
    page = open_page(LIGHT + "&view=interpolate")
    settle(page, '#path section[data-painted="done"][data-steps="4"]')
    wait_done(page)
    ribbons = page.locator("#path .ribbon")
    assert [ribbons.nth(i).locator("canvas").count() for i in (0, 1)] == [12, 12]
    assert ribbons.first.locator("canvas.key").count() == 3
    rows = [f"#path .ribbon >> nth={i} >> canvas >> nth=" for i in (0, 1)]
    for k, same in ((0, True), (2, False)):  # a key, and a picture between two
        shown = [page.locator(f"{row}{k}").evaluate("c => c.toDataURL()") for row in rows]
        assert (shown[0] == shown[1]) is same, k
    for k, same in ((0, True), (2, False), (4, True)):
        scrub(page, "#path", round(1000 * k / 11))
        a, b = (pixels(page, f"#path .duo figure:nth-child({i}) canvas") for i in (1, 2))
        assert (a == b) is same, k
    path = download(page, "#path", "gif", tmp_path)
    with Image.open(path) as image:
        assert image.n_frames == 12  # a loop comes back by itself
    request = request_of(read_record(path))
    assert (request.seeds, request.frames, request.loop) == ((3, 8, 12), 12, True)


def test_keys_can_be_added_and_the_loop_opened(open_page):
    page = open_page(LIGHT + "&view=interpolate")
    page.click("#keys button:has-text('Add a seed')")
    settle(page, "#path .ribbon:last-child canvas:nth-child(16):last-child")  # four keys, four pictures each
    assert page.locator("#path .ribbon canvas.key").count() == 8
    wait_done(page)
    page.click("#loop input")
    settle(page, "#path .ribbon:last-child canvas:nth-child(13):last-child")  # 3·4 + 1
    wait_done(page)


def test_every_picture_of_the_longest_path_can_be_made_out_and_each_row_begins_with_a_key(open_page):
    page = open_page(LIGHT + "&view=interpolate&steps=2&between=15&keys=1,2,3,4,5,6,7,8")
    settle(page, "#path .ribbon:last-child canvas:nth-child(120):last-child")
    wait_done(page)
    for size in ((1280, 900), (1920, 1080)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_function(
            """() => { const all = [...document.querySelector('#path .ribbon').children];
              const first = all.filter((c) => c.offsetLeft === all[0].offsetLeft);
              return all[0].clientWidth >= 24 && first.every((c) => c.matches('.key')); }"""
        )
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('#path .ribbon canvas').clientWidth >= 24")


def test_dragging_over_the_sheet_shows_the_nearest_cell_then_the_place_itself(open_page):
    page = open_page(LIGHT + "&view=interpolate")
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


def test_every_picture_of_the_sheet_can_be_made_out(open_page):
    page = open_page(LIGHT + "&view=interpolate")
    settle(page, '#square section[data-sheet="done"][data-painted="done"]')
    wait_done(page)
    for width in (1280, 1920, 390):  # half of the panel would leave 25 px at 1280, and 21 at 390
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(
            """beside => { const [sheet, chosen] = ['.mapBox', 'figure canvas'].map(
                (part) => document.querySelector(`#square ${part}`).getBoundingClientRect());
              return sheet.width >= 7 * 34 && (chosen.top < sheet.bottom) === beside; }""",
            arg=width == 1920,
        )


def test_own_noise_is_offered_and_changes_the_path_at_eta_1(open_page):
    page = open_page(LIGHT + "&view=interpolate&eta=1")
    settle(page, '#path section[data-painted="done"][data-eta="1"]')
    wait_done(page)
    note = page.inner_text("#path .note")
    assert "same added noise" in note
    before = pixels(page, "#path .ribbon canvas:nth-child(5)")
    page.click("#own-noise input")
    settle(page, "#path .note:has-text('own noise')")
    wait_done(page)
    assert pixels(page, "#path .ribbon canvas:nth-child(5)") != before
