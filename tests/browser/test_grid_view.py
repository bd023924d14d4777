"""The matrix of two settings in the page."""

import pytest
from browser.conftest import LIGHT, download, enter, open_tab, pixels, settle, steps_shown, wait_done
from PIL import Image

from core.record import read_record

GRID = LIGHT + "&view=grid&grid_steps=2,4&grid_etas=0,1"
CELL = "#grid tbody tr:nth-child({}) td:nth-of-type({})"


@pytest.fixture
def page(open_page):
    page = open_page(GRID)
    settle(page, '#grid section[data-painted="done"]')
    wait_done(page)
    return page


def test_cells_fill_and_say_what_each_took(page):
    words = page.locator("#grid tbody td span").all_inner_texts()
    assert len(words) == 4
    assert all(word.endswith((" ms", " s")) for word in words)
    assert page.locator("#grid thead th").all_inner_texts() == ["S = 2", "S = 4"]
    assert page.locator("#grid tbody th").all_inner_texts() == ["η = 0", "η = 1"]
    assert "4 cells · 12 network evaluations" in page.inner_text("#grid .caption")
    enter(page, "#grid-steps", "4, 2, 9, oh")
    settle(page, '#grid thead th:nth-of-type(3):has-text("S = 9")')
    wait_done(page)
    assert page.input_value("#grid-steps input") == "2, 4, 9"


def test_a_click_opens_the_cell_in_explore(page):
    wanted = pixels(page, CELL.format(1, 2) + " canvas")
    page.click(CELL.format(1, 2) + " button")
    page.wait_for_selector("#samples section", state="visible")
    settle(page, '#samples section[data-painted="done"][data-steps="4"][data-eta="0"]')
    wait_done(page)
    assert steps_shown(page) == 4
    assert pixels(page, "#samples canvas") == wanted
    open_tab(page, "grid")
    page.click(CELL.format(2, 1) + " button")
    settle(page, '#samples section[data-painted="done"][data-steps="2"][data-eta="1"]')


def test_the_png_carries_every_cell(page, tmp_path):
    path = download(page, "#grid", "png", tmp_path)
    assert path.name == "fashion-mnist_seed3_grid.png"
    assert len(read_record(path)["runs"]) == 4
    with Image.open(path) as image:
        assert image.width > 300


def test_any_two_settings_can_be_the_axes(page):
    assert not page.is_visible("#dock")
    page.select_option("#grid-x select", label="Seed")
    page.wait_for_function("document.documentElement.dataset.axes === 'seed eta'")
    enter(page, "#grid-seeds", "8, 5")
    settle(page, '#grid section[data-painted="done"] thead th:nth-of-type(2):has-text("seed 8")')
    wait_done(page)
    assert page.inner_text("#grid h2") == "Seed across, η down"
    assert page.locator("#grid thead th").all_inner_texts() == ["seed 5", "seed 8"]
    shown = [name for name in ("steps", "eta", "seed", "spacing", "solver") if page.is_visible(f"#{name}")]
    assert shown == ["steps", "spacing"]  # what no axis varies
    page.select_option("#grid-y select", label="Solver")
    settle(page, '#grid section[data-painted="done"] tbody th:has-text("DPM-Solver++")')
    page.uncheck('#grid-solvers input[value="ddim"]')
    settle(page, '#grid section[data-painted="done"] tbody tr:only-child th:has-text("DPM-Solver++")')
    wait_done(page)
    page.click('#grid-solvers input[value="dpm-solver++"]')  # the last one stays
    assert page.is_checked('#grid-solvers input[value="dpm-solver++"]')
    page.click(CELL.format(1, 2) + " button")
    settle(page, '#samples section[data-painted="done"]')
    assert page.evaluate("[ddim.settings.seed, ddim.settings.solver, ddim.settings.eta]") == [8, "dpm-solver++", 0]


def test_an_axis_that_is_chosen_twice_changes_places(page):
    page.select_option("#grid-x select", label="Randomness η")
    settle(page, '#grid section[data-painted="done"] thead th:has-text("η = 1")')
    wait_done(page)
    assert page.evaluate("[ddim.settings.grid_x, ddim.settings.grid_y]") == ["eta", "steps"]
    assert page.input_value("#grid-y select") == '"steps"'
