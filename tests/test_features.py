"""Feature nets: trained, stated, saved, opened strictly; colours and classes are really learnt."""

import json
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core import CheckpointError, DataError
from core.__main__ import main
from core.evaluate.feature_net import MAX_FEATURES, FeatureConfig, FeatureNet, open_feature_net, save_feature_net
from core.train.features import Labelled, accuracy, feature_config, load, train

CONFIG = FeatureConfig("toy", 16, 3, (16, 16), {"shape_bar": 2}, ("colour_skin",), ("colour_background",), features=8)


def toy(n, seed=0):
    """Bars tall or wide, of a grey on a ramp, before a background on a ring."""
    rng = np.random.default_rng(seed)
    wide, skin, ground = rng.integers(0, 2, n), rng.random(n), rng.random(n)
    angle = 2 * np.pi * ground
    images = np.empty((n, 3, 16, 16), dtype=np.uint8)
    images[:, 0] = (128 + 100 * np.cos(angle))[:, None, None]
    images[:, 1] = (128 + 100 * np.sin(angle))[:, None, None]
    images[:, 2] = 60
    for i in range(n):
        rows, columns = (slice(2, 14), slice(6, 10)) if wide[i] == 0 else (slice(6, 10), slice(2, 14))
        images[i, :, rows, columns] = int(255 * skin[i])
    labels = {"shape_bar": wide.astype(np.uint8), "colour_skin": skin.astype(np.float32),
              "colour_background": ground.astype(np.float32)}  # fmt: skip
    return Labelled(images, labels)


@pytest.fixture(scope="module")
def net():
    return train(toy(1500), CONFIG, epochs=12, batch=50, lr=1e-2, seed=0)


def test_it_learns_classes_ramps_and_rings(net):
    scores = accuracy(net, toy(300, seed=1))
    assert scores["shape_bar"] > 0.95
    assert scores["colour_skin"] > 0.9
    assert scores["colour_background"] > 0.93  # a blind guess on a ring scores 0.75


def test_a_ring_is_measured_the_short_way_round():
    class Fixed(torch.nn.Module):
        config = FeatureConfig("x", 1, 1, (), {}, (), ("colour_background",))

        def labels(self, images):
            return {"colour_background": torch.full((len(images),), 0.98)}

    data = Labelled(np.zeros((2, 1, 1, 1), np.uint8), {"colour_background": np.array([0.02, 0.98], np.float32)})
    assert accuracy(Fixed(), data)["colour_background"] == pytest.approx(1 - 0.02)


def test_saved_and_opened_it_measures_the_same(net, tmp_path):
    save_feature_net(tmp_path / "net.safetensors", net, {"shape_bar": 0.5})
    opened, scores = open_feature_net(tmp_path / "net.safetensors")
    assert scores == {"shape_bar": 0.5}
    assert opened.config == net.config
    pixels = toy(70, seed=2).images
    assert torch.equal(opened.measure_pixels(pixels), net.measure_pixels(pixels))
    assert opened.measure_pixels(pixels).shape == (70, 8)


def test_how_pictures_are_batched_does_not_decide_the_figures(net):
    pixels = toy(70, seed=2).images
    assert torch.allclose(net.measure_pixels(pixels, batch=7), net.measure_pixels(pixels), atol=1e-5)


def test_pictures_of_another_size_are_refused(net):
    with pytest.raises(CheckpointError, match="feature net toy measures 3×16×16 pictures, these are 1×28×28"):
        net.measure_pixels(np.zeros((2, 1, 28, 28), np.uint8))


def test_files_that_are_no_feature_net_are_refused(net, tmp_path):
    good = tmp_path / "good.safetensors"
    save_feature_net(good, net, {})
    tensors = load_file(good)
    (tmp_path / "text.safetensors").write_text("no")
    save_file(tensors, tmp_path / "bare.safetensors")
    about = {"config": json.dumps({"name": "x"}), "accuracy": "{}"}
    save_file(tensors, tmp_path / "config.safetensors", metadata=about)
    whole = {"config": json.dumps(CONFIG.__dict__), "accuracy": "{}"}
    save_file({k: v for k, v in tensors.items() if k != "measure.bias"}, tmp_path / "less.safetensors", metadata=whole)
    save_file(tensors | {"more": torch.zeros(1)}, tmp_path / "more.safetensors", metadata=whole)
    for name in ("text", "bare", "config", "less", "more", "nowhere"):
        with pytest.raises(CheckpointError, match=f"{name}.safetensors is no feature net"):
            open_feature_net(tmp_path / f"{name}.safetensors")


def test_the_layer_that_measures_has_at_most_64_dimensions():
    assert FeatureNet(CONFIG).measure.out_features == 8
    assert FeatureConfig("x", 8, 1, (8,), {"class": 2}).features == MAX_FEATURES == 64


def idx_pair(folder, images, classes):
    (folder / "x-images-idx3-ubyte").write_bytes(
        b"\0\0\x08\x03" + struct.pack(">III", *images.shape) + images.tobytes()
    )
    (folder / "x-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + struct.pack(">I", len(classes)) + classes.tobytes())
    return folder / "x-images-idx3-ubyte"


def test_idx_labels_lie_beside_their_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    path = idx_pair(tmp_path, images, np.array([0, 1, 2, 9, 4, 5], np.uint8))
    data = load(path)
    assert data.labels["class"].tolist() == [0, 1, 2, 9, 4, 5]
    config = feature_config("x", data, (8,))
    assert (config.classes, config.size, config.channels) == ({"class": 10}, 8, 1)


def test_labels_that_do_not_fit_are_refused(tmp_path):
    path = idx_pair(tmp_path, np.zeros((6, 8, 8), np.uint8), np.zeros(5, np.uint8))
    with pytest.raises(DataError, match="6 images but 5 labels"):
        load(path)
    np.savez(tmp_path / "bare.npz", images=np.zeros((4, 8, 8), np.uint8))
    with pytest.raises(DataError, match="no labels"):
        load(tmp_path / "bare.npz")


def test_the_command_trains_states_and_saves(tmp_path, capsys):
    for name, n in (("train", 300), ("held", 60)):
        data = toy(n)
        np.savez(tmp_path / f"{name}.npz", images=data.images.transpose(0, 2, 3, 1), **data.labels)
    command = ["features", str(tmp_path / "train.npz"), str(tmp_path / "held.npz"), "--name", "toy", "--widths", "8,8",
               "--epochs", "1", "--batch", "50", "--out", str(tmp_path / "toy.safetensors")]  # fmt: skip
    assert main(command) == 0
    _, scores = open_feature_net(tmp_path / "toy.safetensors")
    out = capsys.readouterr().out
    assert "held out n = 60" in out
    assert f"{scores['shape_bar']:.4f}" in out
    first = load_file(tmp_path / "toy.safetensors")
    assert main(command) == 0
    again = load_file(tmp_path / "toy.safetensors")  # (the order of a file's metadata is not fixed)
    assert all(torch.equal(first[name], again[name]) for name in first)  # the same seed, the same net


@pytest.mark.parametrize("bad", [("--epochs", "0"), ("--batch", "1"), ("--lr", "0"), ("--batch", "301")])
def test_options_that_cannot_be_are_refused(tmp_path, bad, capsys):
    data = toy(300)
    np.savez(tmp_path / "d.npz", images=data.images.transpose(0, 2, 3, 1), **data.labels)
    path = str(tmp_path / "d.npz")
    assert main(["features", path, path, "--name", "x", "--out", str(tmp_path / "o.safetensors"), *bad]) == 2
    assert capsys.readouterr().err.count("\n") == 1
