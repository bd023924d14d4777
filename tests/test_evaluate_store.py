"""The JSON of an evaluation: written whole, never about two networks, never two settings under one name."""

import json

import pytest
from evaluate_small import make_checkpoint

from core import DataError, open_checkpoint
from core.evaluate.store import SCHEMA, Store, read_document


@pytest.fixture
def checkpoint(tmp_path, tiny_config):
    return open_checkpoint(make_checkpoint(tmp_path / "net", tiny_config))


def record(n=10, value=1.0):
    return {"kind": "quality", "conditions": {"n": n, "precision": "fp32"}, "figures": {"frechet": value}}


def test_what_is_put_is_there_when_it_is_opened_again(tmp_path, checkpoint):
    path = tmp_path / "evaluation.json"
    Store.open(path, checkpoint).put("quality/eta=0/S=5", record(value=0.1 + 0.2))
    again = Store.open(path, checkpoint)
    assert again.cells["quality/eta=0/S=5"]["figures"]["frechet"] == 0.1 + 0.2
    assert again.document["schema"] == SCHEMA
    assert again.document["checkpoint"]["sha256"] == checkpoint.sha256
    assert [p.name for p in tmp_path.glob("evaluation*")] == ["evaluation.json"]


def test_a_cell_is_done_under_its_own_conditions_only(tmp_path, checkpoint):
    store = Store.open(tmp_path / "e.json", checkpoint)
    store.put("a", record(n=10))
    assert store.has("a", {"n": 10, "precision": "fp32"})
    assert not store.has("b", {"n": 10, "precision": "fp32"})
    with pytest.raises(DataError, match=r"e\.json has a with n = 10, not 20.*--out.*--redo"):
        store.has("a", {"n": 20, "precision": "fp32"})
    with pytest.raises(DataError, match="seeds_from = None, not 7"):
        store.has("a", {"n": 10, "precision": "fp32", "seeds_from": 7})
    assert not store.has("a", {"n": 20, "precision": "fp32"}, redo=True)
    assert not store.has("a", {"n": 10, "precision": "fp32"}, redo=True)  # as asked: a speed cell, a new figure


def test_cells_of_one_kind_share_what_they_depend_on(tmp_path, checkpoint):
    store = Store.open(tmp_path / "e.json", checkpoint)
    store.put("a", record(n=10))
    store.fits("quality", {"n": 10, "seeds_from": 7})
    store.fits("speed", {"n": 16})
    with pytest.raises(DataError, match=r"e\.json has a with n = 10, not 20.*--out.*--redo"):
        store.fits("quality", {"n": 20})
    store.fits("quality", {"n": 20}, replaced=["a"])


def test_two_evaluations_of_one_file_keep_each_others_cells(tmp_path, checkpoint):
    first, second = (Store.open(tmp_path / "e.json", checkpoint) for _ in range(2))
    first.put("a", record(value=1.0))
    second.put("b", record(value=2.0))
    first.put("c", record(value=3.0))
    second.put("a", record(value=4.0))
    first.put("d", record(value=5.0))
    found = read_document(tmp_path / "e.json")["cells"]
    assert {key: cell["figures"]["frechet"] for key, cell in found.items()} == {"a": 1.0, "b": 2.0, "c": 3.0, "d": 5.0}
    assert [path.name for path in tmp_path.glob("e.json*")] == ["e.json"]


def test_figures_of_other_weights_are_refused(tmp_path, checkpoint, tiny_config):
    Store.open(tmp_path / "e.json", checkpoint).put("a", record())
    other = open_checkpoint(make_checkpoint(tmp_path / "other", tiny_config, seed=4))
    with pytest.raises(DataError, match=r"figures of other weights.*name another --out"):
        Store.open(tmp_path / "e.json", other)


def test_a_figure_that_is_no_number_is_not_written(tmp_path, checkpoint):
    store = Store.open(tmp_path / "e.json", checkpoint)
    with pytest.raises(ValueError, match="JSON"):
        store.put("a", record(value=float("nan")))
    assert not (tmp_path / "e.json").exists()
    assert store.cells == {}


@pytest.mark.parametrize("text", ["{", "[]", "{}", json.dumps({"schema": "other", "cells": {}}), '{"schema": "x"}',
                                  json.dumps({"schema": SCHEMA})])  # fmt: skip
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "e.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"e\.json"):
        read_document(path)
    with pytest.raises(DataError, match="is missing"):
        read_document(tmp_path / "none.json")
