"""ONNX Runtime against core.unet.UNet: every configuration of tests/test_unet.py, and both shipped nets."""

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_unet import AD, AU, CONFIGS, GOOGLE, loud_state, ours

from core import NoiseSchedule, SamplingDefaults, UNet, open_checkpoint, save_checkpoint
from core.backends import onnx_backend
from core.backends.onnx_backend import OnnxBackend, OnnxNetwork
from core.backends.onnx_export import export
from core.errors import BackendError, NetworkError
from core.sampler import walk
from core.solvers.ddim import coefficients

ort = pytest.importorskip("onnxruntime")

ROOT = Path(__file__).resolve().parents[1]
WANTED = 1e-4
PARITY = 3e-4  # for loud weights, as in test_unet.py
MORE = {
    **CONFIGS,
    "odd widths": replace(GOOGLE, block_out_channels=(9, 18), norm_num_groups=9),
    "wider than high": replace(GOOGLE, sample_size=(8, 16)),
    "dropout": replace(GOOGLE, dropout=0.5),
    "a group for each channel": replace(GOOGLE, norm_num_groups=16),
    "one level, heads": replace(
        GOOGLE, block_out_channels=(16,), down_block_types=(AD,), up_block_types=(AU,), attention_head_dim=4
    ),
}


def both(config, quiet_input=False):
    unet = ours(config, loud_state(config, quiet_input))
    return unet, OnnxNetwork(export(unet), threads=2)


def pictures(config, batch, seed=2):
    shape = (batch, config.in_channels, *config.size)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def difference(unet, onnx, x, t):
    want, got = unet(x, t), onnx(x, t)
    assert got.shape == want.shape
    assert got.dtype == torch.float32
    return float((got - want).abs().max())


class Exact(torch.nn.Module):
    """The same network in float64."""

    def __init__(self, config, state):
        super().__init__()
        self.network = ours(config, state).double()
        embedding = self.network.time_embedding
        sinusoids = embedding.sinusoids
        embedding.sinusoids = lambda t: sinusoids(t).double()

    def forward(self, x, t):
        return self.network(x.double(), t)


@pytest.mark.parametrize("quiet_input", [False, True])
@pytest.mark.parametrize("name", MORE)
def test_an_evaluation_is_as_near_to_float64_as_torchs(name, quiet_input):
    config = MORE[name]
    (unet, onnx), exact = both(config, quiet_input), Exact(config, loud_state(config, quiet_input))
    cases = [(1, 420), (3, torch.tensor([3, 420, 999])), (2, torch.tensor(0)), (3, 999), (1, torch.tensor([7]))]
    torchs, onnxs = (
        max(difference(exact, network, pictures(config, batch), t) for batch, t in cases) for network in (unet, onnx)
    )
    assert onnxs < max(WANTED, 3 * torchs)  # 2.4 times on a processor with AVX-512, under 2 on one with AVX2
    assert onnxs < 2 * PARITY


def trajectory(network, x_T, config, kind="v_prediction"):
    schedule = NoiseSchedule()
    plan = coefficients(schedule, [50 * i for i in reversed(range(20))], eta=0.0)

    def predict(x, t):
        return network(x, t)[:, : config.in_channels]

    return torch.stack([step.x_next for step in walk(predict, x_T, plan, lambda t: x_T, kind, 1.0)])


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", MORE)
def test_a_whole_trajectory_equals_torchs(name, batch):
    """v, since ε of a random net would be divided by √ᾱ and clipped to black and white.

    Attention is less loud here: each step would magnify the last one's rounding, torch's own by 1e-3.
    """
    config = MORE[name]
    state = loud_state(config)
    unet = ours(config, {key: v / 4 if ".to_q." in key or ".to_k." in key else v for key, v in state.items()})
    onnx = OnnxNetwork(export(unet), threads=1)
    x_T = pictures(config, batch)
    want, got = (trajectory(network, x_T, config) for network in (unet, onnx))
    assert float((got - want).abs().max()) < WANTED


@pytest.mark.parametrize("name", ["toon-faces", "fashion-mnist"])
def test_the_shipped_nets_give_the_same_pictures(name):
    checkpoint = open_checkpoint(ROOT / "checkpoints" / name)
    unet = checkpoint.load_network().to(memory_format=torch.channels_last)
    onnx, exact = OnnxNetwork(export(unet), threads=1), Exact(unet.config, unet.state_dict())
    kind = checkpoint.defaults.prediction_type
    for batch in (1, 3):
        x_T = pictures(unet.config, batch, seed=batch).contiguous(memory_format=torch.channels_last)
        want, got = (trajectory(network, x_T, unet.config, kind) for network in (unet, onnx))
        # an error of ε at t = 950 counts 110-fold in x̂0, so rounding alone, torch's as well, can be above 1e-4
        true = trajectory(exact, x_T.double(), unet.config, kind)
        assert float((got - true).abs().max()) < max(WANTED, 2 * float((want - true).abs().max()))
    assert difference(unet, onnx, x_T[:1], 420) < WANTED  # back to the first batch size


def test_a_large_mean_costs_no_accuracy():
    """Variance as E[x²] − E[x]² would lose it: here the mean is a hundred deviations."""
    unet = ours(GOOGLE, loud_state(GOOGLE))
    with torch.no_grad():
        unet.conv_in.bias += 300
    assert difference(unet, OnnxNetwork(export(unet), threads=1), pictures(GOOGLE, 2), 420) < PARITY


def test_answers_are_the_same_twice_and_do_not_share_memory():
    _, onnx = both(GOOGLE)
    x = pictures(GOOGLE, 2)
    first = onnx(x, 5)
    kept = first.clone()
    assert torch.equal(onnx(x, 5), kept)
    onnx(x + 1, 6)
    assert torch.equal(first, kept)


def test_any_memory_format_and_grad_mode_will_do():
    unet, onnx = both(GOOGLE)
    x = pictures(GOOGLE, 2)
    want = onnx(x, 5)
    assert torch.equal(onnx(x.contiguous(memory_format=torch.channels_last), 5), want)
    assert torch.equal(onnx(x.clone().requires_grad_(), 5), want)
    with torch.inference_mode():
        assert torch.equal(onnx(x * 1, 5), want)
    assert not want.requires_grad
    assert torch.equal(OnnxNetwork(export(unet.requires_grad_(True)), 1)(x, 5), want)


def test_the_export_is_deterministic_and_leaves_torch_alone():
    unet = ours(GOOGLE, loud_state(GOOGLE))
    before = (torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_rng_state())
    one, two = export(unet), export(unet)
    after = (torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_rng_state())
    assert one == two
    assert before[:3] == after[:3]
    assert torch.equal(before[3], after[3])


def test_threads_may_call_it_at_once_with_batches_of_their_own(monkeypatch):
    monkeypatch.setattr(onnx_backend, "MAX_SESSIONS", 2)  # fewer than are in use: they go and come while others run
    onnx = OnnxNetwork(export(ours(GOOGLE, loud_state(GOOGLE))), threads=2)
    batches = [1, 2, 3, 4, 5]
    wants = {batch: onnx(pictures(GOOGLE, batch), 5) for batch in batches}
    wrong = []

    def ask(start):
        for i in range(8):
            batch = batches[(start + i) % len(batches)]
            if not torch.equal(onnx(pictures(GOOGLE, batch), 5), wants[batch]):
                wrong.append(batch)

    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_picture_is_the_same_alone_among_others_and_with_any_number_of_threads():
    unet = open_checkpoint(ROOT / "checkpoints" / "fashion-mnist").load_network()
    model, x = export(unet), pictures(unet.config, 5)
    alone = torch.cat([OnnxNetwork(model, 2)(part, 420) for part in x.split(1)])
    assert torch.equal(OnnxNetwork(model, 2)(x, 420), alone)
    assert torch.equal(OnnxNetwork(model, 1)(x, 420), alone)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_every_picture_is_in_one_piece_and_no_thread_is_left_idle(threads):
    onnx = OnnxNetwork(b"", threads)
    for batch in range(1, 40):
        rounds = onnx._plan(batch)
        every = [piece for _, pieces in rounds for piece in pieces]
        assert [i for piece in every for i in range(piece.start, piece.stop)] == list(range(batch))
        for each, pieces in rounds:
            load = [0] * (threads // each)
            for piece in pieces:  # each goes to whoever is free first
                load[load.index(min(load))] += piece.stop - piece.start
            assert max(load) == min(load) or threads % sum(load)
    assert onnx._plan(0) == []


def test_sessions_are_made_once_and_those_used_last_are_kept(monkeypatch):
    monkeypatch.setattr(onnx_backend, "MAX_SESSIONS", 2)
    onnx = OnnxNetwork(export(ours(GOOGLE, loud_state(GOOGLE))), threads=2)
    made = []
    make = onnx._make
    monkeypatch.setattr(onnx, "_make", lambda *key: made.append(key) or make(*key))
    assert not onnx.ready(2)
    onnx.prepare(2)
    assert onnx.ready(2)
    onnx(pictures(GOOGLE, 2), 1)
    onnx(pictures(GOOGLE, 2), torch.tensor([4, 4]))  # one time for both
    assert made == [(1, 1, 1)]
    onnx(pictures(GOOGLE, 3), 1)  # two beside each other, then one by both threads
    assert made == [(1, 1, 1), (1, 1, 2)]
    assert not onnx.ready(4)
    onnx.prepare(4)  # pairs
    assert made[2:] == [(2, 1, 1)]
    assert (onnx.ready(1), onnx.ready(2), onnx.ready(4)) == (True, False, True)


def test_a_file_that_left_the_cache_is_made_again(tmp_path, monkeypatch):
    """The cache keeps eight; a server goes on with a network that it has open, whoever filled it since."""
    monkeypatch.setenv("DDIM_CACHE", str(tmp_path / "cache"))
    unet = UNet(GOOGLE)
    save_checkpoint(tmp_path / "net", unet.state_dict(), GOOGLE, NoiseSchedule(), SamplingDefaults())
    network = OnnxBackend().open(open_checkpoint(tmp_path / "net"), CPU, "fp32").network
    x = pictures(GOOGLE, 2)
    alone = network(x[:1], 1)
    for file in (tmp_path / "cache").iterdir():
        file.unlink()
    both = network(x, 1)  # in sessions of another size
    assert torch.equal(both[:1], alone)


def test_of_a_very_large_network_one_session_is_kept(monkeypatch):
    monkeypatch.setattr(onnx_backend, "MAX_SESSION_BYTES", 10)
    onnx = OnnxNetwork(export(ours(GOOGLE, loud_state(GOOGLE))), threads=2)
    for batch in (1, 2):
        onnx.prepare(batch)
    assert (onnx.ready(1), onnx.ready(2), onnx.ready(4)) == (False, True, True)  # no second size of piece


def test_what_it_cannot_take_is_refused_by_name():
    _, onnx = both(GOOGLE)
    for x, t, says in (
        (pictures(GOOGLE, 1).to(torch.bfloat16), 1, "bfloat16"),
        (pictures(GOOGLE, 1)[..., :4], 1, "use the torch backend"),
        (pictures(GOOGLE, 3), torch.tensor([1, 2]), "2 times for 3 pictures"),
    ):
        with pytest.raises(NetworkError, match=says):
            onnx(x, t)


CPU = torch.device("cpu")


def test_what_it_cannot_serve_is_said_by_name(monkeypatch):
    assert OnnxBackend().why_not(CPU, "fp32") is None
    assert "not bf16: use the torch backend" in OnnxBackend().why_not(CPU, "bf16")
    assert "not on cuda:0: use the torch backend" in OnnxBackend().why_not(torch.device("cuda:0"), "fp32")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "pip install" in OnnxBackend().why_not(CPU, "fp32")


@pytest.mark.parametrize("when", ["it runs", "it is opened"])
def test_memory_that_it_does_not_get_is_told_as_what_it_is(monkeypatch, when):
    """Its exceptions share no base class, and "use the torch backend" would help nobody."""
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    words = (
        "[ONNXRuntimeError] : 6 : bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 8589934592"
    )

    def broken(*_, **__):
        raise RuntimeException(words)

    class Session:
        run = broken

    _, onnx = both(GOOGLE)
    if when == "it runs":
        monkeypatch.setattr(onnx, "_session", lambda *_: Session())
    else:
        monkeypatch.setattr(onnx._runtime, "InferenceSession", broken)
    with pytest.raises(MemoryError, match="8589934592"):
        onnx(pictures(GOOGLE, 1), 1)


def test_a_broken_model_is_a_clear_error(tmp_path):
    with pytest.raises(BackendError, match="use the torch backend"):
        OnnxNetwork(b"no model", 1).prepare(1)
    with pytest.raises(BackendError, match="export the network again"):
        OnnxNetwork(tmp_path / "none.onnx", 1)


def test_a_network_opens_from_the_cache_and_without_one(tiny_folder, tmp_path, monkeypatch):
    checkpoint = open_checkpoint(tiny_folder)
    x = pictures(checkpoint.config, 2)

    def answer():
        return OnnxBackend().open(checkpoint, CPU, "fp32").network(x, 5)

    want = OnnxNetwork(export(checkpoint.load_network()), 1)(x, 5)
    monkeypatch.setenv("DDIM_CACHE", str(tmp_path / "cache"))
    assert torch.equal(answer(), want)
    names = [path.name.partition(".")[0] for path in (tmp_path / "cache").iterdir()]
    assert names == [f"{checkpoint.sha256}-v1"]
    monkeypatch.setattr(onnx_backend, "export", lambda unet: pytest.fail("exported again"))
    assert torch.equal(answer(), want)
    monkeypatch.undo()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DDIM_CACHE", str(tmp_path / "file"))
    assert torch.equal(answer(), want)


def test_large_networks_are_refused_where_protobuf_ends(monkeypatch):
    monkeypatch.setattr("core.backends.onnx_graph.MAX_BYTES", 2000)
    with pytest.raises(BackendError, match="too large for ONNX"):
        export(UNet(GOOGLE))


def test_the_pinned_runtime_reports_to_nobody():
    """From 1.29 on the wheels hold an uploader (1DS), which keeps a data base under the user's cache folder."""
    library = Path(ort.__file__).parent / "capi"
    (native,) = library.glob("onnxruntime_pybind11_state*.so")
    with_uploader = b"Applications6Events" in native.read_bytes()  # Microsoft::Applications::Events
    assert not with_uploader, f"onnxruntime {ort.__version__} reports what it runs: pin one that does not"
    onnx_backend.load_runtime()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"  # for a newer one that someone installed


def test_the_model_is_what_its_inputs_say():
    unet = ours(GOOGLE, loud_state(GOOGLE))
    session = ort.InferenceSession(export(unet), providers=["CPUExecutionProvider"])
    assert {value.name: value.shape for value in session.get_inputs()} == {"x": ["batch", 3, 8, 8], "t": ["times"]}
    assert [value.shape for value in session.get_outputs()] == [["batch", 3, 8, 8]]
    with torch.no_grad():  # a free batch works too
        want = unet(pictures(GOOGLE, 5), 9).numpy()
    (got,) = session.run(None, {"x": pictures(GOOGLE, 5).numpy(), "t": np.array([9], np.float32)})
    assert np.abs(got - want).max() < PARITY
