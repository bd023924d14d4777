"""What is still open at t, in the page."""

import pytest
from browser.conftest import LIGHT, download, enter, pixels, settings, settle, wait_done
from PIL import Image

from core.record import read_record, recorded


@pytest.fixture
def page(open_page):
    page = open_page(LIGHT + "&view=branches&branch_at=250,750&branch_count=2")
    settle(page, '#tree section[data-painted="done"]')
    wait_done(page)
    return page


def cell(row, column):
    return f"#tree tbody tr:nth-child({row}) td:nth-of-type({column}) canvas"


def test_each_row_shows_where_it_parts_and_what_came_of_it(page):
    heads = [text.split("\n")[0] for text in page.locator("#tree tbody th").all_inner_texts()]
    assert heads == ["t = 750", "t = 250"]
    assert page.locator("#tree thead th").all_inner_texts() == ["x at t", "branch 1", "branch 2"]
    assert "rms 0." in page.locator("#tree tbody th").first.inner_text()
    for row in (1, 2):
        fork, one, other = (pixels(page, cell(row, column)) for column in (1, 2, 3))
        assert fork != one
        assert one != other
    assert page.is_visible("#steps")
    assert not page.is_visible("#count")


def test_at_eta_0_the_branches_are_one(page):
    enter(page, "#branch-eta", 0)
    settle(page, '#tree section[data-painted="done"] .said:has-text("all alike")')
    wait_done(page)
    assert pixels(page, cell(1, 2)) == pixels(page, cell(1, 3)) == pixels(page, cell(2, 2))
    enter(page, "#branch-at", "0, 500, 740")
    settle(page, '#tree section[data-painted="done"] tbody tr:nth-child(3)')
    wait_done(page)
    heads = [text.split("\n")[0] for text in page.locator("#tree tbody th").all_inner_texts()]
    assert heads == ["t = 750", "t = 500", "t = 0"]


def test_the_film_of_all_rows_is_exported_and_loads_again(page, tmp_path):
    names = ("view", "steps", "branch_at", "branch_count", "branch_eta")
    before, shown = settings(page, *names), pixels(page, cell(1, 2))
    path = download(page, "#tree", "gif", tmp_path)
    assert path.name == "fashion-mnist_seed3_S4_eta0_branches.gif"
    with Image.open(path) as image:
        assert image.n_frames == 5
    assert recorded(read_record(path)).at == (750, 250)
    page.click('#view button[data-view="reproduce"]')
    page.set_input_files("#drop input[type=file]", str(path))
    page.wait_for_selector("#found :text('2 branches from x_t at t = 750, 250')")
    page.evaluate("ddim.set({ steps: 9, branch_at: [100], branch_count: 4, branch_eta: 0 })")
    page.click("#load-found")
    wait_done(page)
    assert settings(page, *names) == before
    assert pixels(page, cell(1, 2)) == shown
