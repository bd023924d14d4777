"""Pictures of one's own in the page: dropped, moved, carried up and back, and a path between two."""

import numpy as np
import pytest
from browser.conftest import LIGHT, download, pixels, settings, settle, state, wait_done
from PIL import Image

from core.record import read_record

DROP = """([panel, data, name]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.querySelector(`#${panel} section`).dispatchEvent(event);
}"""


@pytest.fixture
def page(open_page):
    page = open_page(LIGHT + "&view=picture&picture_to=none")  # a refusal is logged by the browser
    settle(page, '#journey section[data-painted="done"]')
    return page


def drawn(folder, name, size, colour):
    """A disc on a light ground, as a file."""
    y, x = np.mgrid[: size[1], : size[0]]
    disc = (x - size[0] / 2) ** 2 + (y - size[1] / 2) ** 2 < (min(size) / 3) ** 2
    Image.fromarray(np.where(disc, colour, 230).astype(np.uint8)).save(folder / name)
    return folder / name


def give(page, panel, path):
    """Drop a file on a place for a picture, until it is what the page is set to."""
    import base64

    before = settings(page, panel)[panel]
    page.evaluate(DROP, [panel, base64.b64encode(path.read_bytes()).decode(), path.name])
    page.wait_for_function("([p, b]) => ddim.settings[p] !== b", arg=[panel, before])
    name = settings(page, panel)[panel]
    page.wait_for_selector(f'#{panel} section[data-painted="{name}"]')
    return name


STATION = "#journey .stations figure:nth-child(1) canvas"


def changed(page, before):
    """Until what the network sees of the picture is another; what else the view computes is not waited for."""
    page.wait_for_function(
        """([selector, before]) => { const c = document.querySelector(selector);
           return Array.from(c.getContext("2d").getImageData(0, 0, c.width, c.height).data).join() !== before; }""",
        arg=[STATION, before],
    )
    return pixels(page, STATION)


def test_an_example_goes_up_to_noise_and_comes_back(page):
    assert page.locator("#picture .examples canvas").count() == 24
    assert "up and down · error" in page.inner_text("#journey .headline")
    stations = [pixels(page, f"#journey .stations figure:nth-child({k}) canvas") for k in (1, 2, 3)]
    assert len(set(stations)) == 3
    wait_done(page)
    assert "examples: " in page.inner_text("#gauss .figures")
    assert page.locator("#errors circle").count() == 11  # five S, plain and refined, and the page's own
    assert not page.is_visible("#eta")
    page.click("#picture .examples canvas >> nth=5")
    assert changed(page, stations[0]) not in stations


def test_two_dropped_pictures_become_a_strip_and_its_gif(page, tmp_path):
    one = give(page, "picture", drawn(tmp_path, "one.png", (120, 60), 40))
    two = give(page, "picture_to", drawn(tmp_path, "two.jpg", (50, 50), 120))
    assert len({one, two, "example-0"}) == 3
    wait_done(page)
    assert page.locator("#bridge .ribbon canvas").count() == 11
    ends = [pixels(page, f"#bridge .ribbon canvas:nth-child({k})") for k in (1, 11)]
    assert len(set(ends)) == 2
    path = download(page, "#bridge", "gif", tmp_path)
    assert path.name == "fashion-mnist_picture_S4_between-pictures.gif"
    assert read_record(path)["latents_sha256"]
    with Image.open(path) as film:
        assert film.n_frames > 5


def test_the_part_that_is_taken_can_be_moved_and_zoomed(page, tmp_path):
    example = pixels(page, STATION)
    give(page, "picture", drawn(tmp_path, "wide.png", (200, 100), 40))
    middle = changed(page, example)
    hole = page.locator("#picture .hole")
    hole.scroll_into_view_if_needed()
    box = hole.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2 * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.wait_for_function("ddim.settings.crop[0] === 1")
    changed(page, middle)
    hole.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("ddim.settings.crop[0] === 0.95")
    page.evaluate("""() => { const z = document.querySelector("#picture .zoom input"); z.value = 2;
        z.dispatchEvent(new Event("input")); z.dispatchEvent(new Event("change")); }""")
    page.wait_for_function("ddim.settings.crop[2] === 2")
    share = page.evaluate(
        "document.querySelector('#picture .hole').offsetHeight / document.querySelector('#picture .stage').offsetHeight"
    )
    assert share == pytest.approx(0.5, abs=0.03)


# Every value that the place for a picture is drawn from, so that an old one can come late.
LATE = """addEventListener('DOMContentLoaded', () => {
  const made = window.ddim.kinds.given;
  window.ddim.kinds.given = (root) => {
    const draw = made(root);
    return (value, current) => {
      if (root.dataset.panel === "picture" && value.width) window.again = () => draw(value, () => true);
      return draw(value, current);
    };
  };
});"""


def test_an_answer_to_an_older_change_does_not_move_the_part_back(open_page):
    page = open_page(LIGHT + "&view=picture&picture_to=none", init=LATE)
    moved = page.evaluate("""async () => {
        const hole = document.querySelector("#picture .hole"), section = document.querySelector("#picture section");
        const left = () => hole.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
        left();
        await again(); // what was drawn before the change, while nothing has answered it yet
        const first = section.dataset.crop;
        left();
        return [first, section.dataset.crop];
    }""")
    assert moved == ["0.45,0.5,1", "0.4,0.5,1"]
    wait_done(page)
    assert settings(page, "crop")["crop"] == [0.4, 0.5, 1]
    assert page.get_attribute("#picture section", "data-crop") == "0.4,0.5,1"


def test_what_is_no_picture_is_said_and_changes_nothing(page, tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    page.set_input_files("#picture input[type=file]", str(tmp_path / "x.png"))
    page.wait_for_selector("#picture .said:has-text('The picture is no readable picture.')")
    assert settings(page, "picture") == {"picture": "example-0"}
    wait_done(page)
    assert state(page) == "done"
