"""A folder opened from the page, of a schedule of another length."""

import pytest
import torch
from browser.conftest import APP, reload, serving, settings, settle, wait_done

from core import NoiseSchedule, SamplingDefaults, UNet, save_checkpoint
from tests.ports import free_port


@pytest.fixture
def address(tmp_path, tiny_folder, tiny_config):
    torch.manual_seed(7)
    defaults = SamplingDefaults(prediction_type="v_prediction")
    schedule = NoiseSchedule(num_train_timesteps=10)
    save_checkpoint(tmp_path / "mine" / "ten", UNet(tiny_config).state_dict(), tiny_config, schedule, defaults)
    command = (*APP, "--checkpoints", str(tiny_folder.parent), "--allow-checkpoints", str(tmp_path / "mine"))
    with serving(tmp_path / "log", *command, port=free_port()) as address:
        yield address


def test_a_folder_is_opened_by_its_name_and_the_controls_follow_its_schedule(open_page, address):
    page = open_page("?checkpoint=tiny&count=4", address=address)
    assert page.locator("#presets button").all_inner_texts() == ["Fast 10", "Balanced 20", "Fine 100", "DDPM-like"]
    page.fill("#open-name", "../elsewhere")
    page.keyboard.press("Enter")
    page.wait_for_selector("#open-checkpoint p:has-text('that may be opened here')")
    page.fill("#open-name", "ten")
    page.keyboard.press("Enter")
    settle(page, '#duel section[data-painted="done"]')
    page.wait_for_function("ddim.settings.checkpoint === 'ten'")
    wait_done(page)
    assert settings(page, "checkpoint", "steps") == {"checkpoint": "ten", "steps": 10}
    assert page.locator("#presets button").all_inner_texts() == ["Fast 1", "Balanced 2", "Fine 5", "DDPM-like"]
    assert page.locator("#steps .ticks span").all_inner_texts() == ["1", "10"]
    assert page.input_value("#checkpoint select") == '"ten"'
    reload(page)  # the page was built before it was opened
    assert page.input_value("#checkpoint select") == '"ten"'
    assert page.locator("#steps .ticks span").all_inner_texts() == ["1", "10"]
