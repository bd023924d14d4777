"""Sentences without this machine's paths."""

import pytest

from demo.own_paths import without_paths

OWN = {"/srv/my nets": "checkpoints", "/srv/my nets/faces": "faces", "/srv": "."}


@pytest.mark.parametrize(
    ("text", "said"),
    [("/srv/my nets/faces/config.json is missing: put it there.", "faces/config.json is missing: put it there."),
     ("No checkpoint under /srv/my nets: add one.", "No checkpoint under checkpoints: add one."),
     ("cannot read '/tmp/gradio/ab12/x y.png'", "cannot read 'x y.png'"),
     ("(/home/ada/.cache/hub/net)", "(net)"),
     ("see /home/ada/net/, then try", "see net/, then try"),
     (r"cannot read C:\Users\ada\net.bin here", "cannot read net.bin here"),
     ("~/nets/a/b.bin", "b.bin"),
     ("5 images/s, and/or 1/2, S/T of owner/name", "5 images/s, and/or 1/2, S/T of owner/name"),
     ("see https://example.org/a/b, or /sample", "see https://example.org/a/b, or /sample"),
     ("steps must be at least 1, not '20'.", "steps must be at least 1, not '20'.")],
)  # fmt: skip
def test_a_path_loses_its_folders_and_all_else_stays(text, said):
    assert without_paths(text, OWN) == said
