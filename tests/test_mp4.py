"""The optional MP4: what is in it, as its own ffmpeg reads it back, and what is refused."""

import re
import struct
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from core import RequestError
from core.embedded import embedded_text
from core.errors import DataError
from core.files import mp4
from core.files.encoders import durations
from core.files.mp4 import FPS, mp4_bytes, times_shown
from core.record import to_text

RECORD = {"schema": "ddim-run/2", "words": "η = 0 – “x_T”; a=b\\c\n#d", "seeds": [3, 8]}


def smooth(count, height=41, width=63):
    """Frames of soft colour that differ: what H.264 is for."""
    y, x, k = np.meshgrid(np.arange(height), np.arange(width), np.arange(count), indexing="ij")
    planes = [100 + 2 * y + 10 * k, 60 + 2 * x, 200 - y - x + 3 * k]
    return np.stack(planes, axis=-1).clip(0, 255).astype(np.uint8).transpose(2, 0, 1, 3).copy()


def decoded(path, height, width):
    """(what ffmpeg says of the film, F×H×W×3)."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    return done.stderr.decode(), np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)


@pytest.mark.parametrize(
    ("ms", "shown"),
    [((80, 80, 80), [2, 2, 2]), ((60, 60), [2, 1]), ((20, 20, 20), [1, 1, 1]), ((40, 600, 1540), [1, 15, 38])],
)
def test_frames_stand_as_long_as_they_would_in_a_gif(ms, shown):
    assert times_shown(ms) == shown


def test_the_film_plays_every_frame_for_its_time_near_its_pixels(tmp_path):
    frames = smooth(5)
    path = tmp_path / "x.mp4"
    path.write_bytes(mp4_bytes(frames, RECORD, 80, 1500, keys={0}))
    said, shown = decoded(path, 42, 64)  # sides made even
    counts = times_shown(durations(5, 80, 1500, {0}))
    assert re.search(rf"h264 .* yuv420p.* 64x42.* {FPS} fps", said), said
    assert len(shown) == sum(counts)
    expected = np.repeat(frames, counts, axis=0).astype(float)
    error = shown[:, :41, :63] - expected
    assert np.sqrt((error**2).mean()) < 4
    assert abs(error.mean()) < 2
    assert (np.sqrt((error**2).mean((1, 2, 3))) < 6).all()  # no frame in another's place: they are 10 apart


def test_the_settings_come_back_whole(tmp_path):
    (tmp_path / "x.mp4").write_bytes(mp4_bytes(smooth(2), RECORD))
    assert embedded_text(tmp_path / "x.mp4") == to_text(RECORD)
    long = RECORD | {"seeds": list(range(9000))}
    (tmp_path / "y.mp4").write_bytes(mp4_bytes(smooth(1), long))
    assert embedded_text(tmp_path / "y.mp4") == to_text(long)


def test_a_record_that_does_not_fit_is_refused():
    with pytest.raises(RequestError, match=r"^An MP4 cannot carry the settings of so many seeds: choose \.gif or"):
        mp4_bytes(smooth(1), {"seeds": list(range(30_000))})


def test_without_the_package_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(mp4, "mp4_there", lambda: False)
    with pytest.raises(RequestError, match=r"pip install imageio-ffmpeg==0\.8\.1, or choose \.gif or \.webp\.$"):
        mp4_bytes(smooth(1), RECORD)


def test_a_film_of_somebody_else_or_one_that_lies_carries_nothing(tmp_path):
    whole = mp4_bytes(smooth(2), RECORD)
    at = whole.index(b"moov") - 4
    assert whole.count(b"\xa9cmt") == 1
    cases = {
        "other": whole.replace(b"\xa9cmt", b"\xa9xyz"),
        "endless": struct.pack(">I", 0) + whole[4:],
        "huge": whole[:at] + struct.pack(">I", 2**32 - 1) + b"free" + whole[at + 8 :],
        "short": whole[: whole.index(b"\xa9cmt")],
    }
    for name, data in cases.items():
        (tmp_path / f"{name}.mp4").write_bytes(data)
        assert embedded_text(tmp_path / f"{name}.mp4") is None, name
    (tmp_path / "z.mp4").write_bytes(b"\0\0\0\x20gtyp" + bytes(40))
    with pytest.raises(DataError, match="not a picture"):
        embedded_text(tmp_path / "z.mp4")
