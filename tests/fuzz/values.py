"""What JSON and people bring where a number, a name or a list is meant."""

import hypothesis.strategies as st


def picked(values: list) -> st.SearchStrategy:
    """One of them. By its place, as hypothesis would print them all, and some are long."""
    return st.integers(0, len(values) - 1).map(values.__getitem__)


def weighted(*kinds: tuple[int, st.SearchStrategy]) -> st.SearchStrategy:
    """One of them, as often as its number says; the first is the simplest."""
    return picked([kind for times, kind in kinds for _ in range(times)]).flatmap(lambda kind: kind)


ANY_TEXT = st.text(st.characters(), max_size=12)  # half characters and NUL among them

ODD = [
    None, True, False, 0, 1, -1, 2, 3, 2.5, 1e308, -1e-320, 2**31, 2**53, 2**63, 10**30, float("nan"), float("inf"),
    "", " ", "0", "2", "٣", "1e999", "nan", "tiny", "../tiny", "/etc/passwd", "..\\x", "C:\\x\\y", "~root",
    "\ud800", "a\0b", "<script>alert(1)</script>", "%00", "é" * 500, "x" * 5000, [], [1], [1, 2, 3], [[1]], ["1"],
    [None], [2**64], list(range(70)), {}, {"a": 1}, {"steps": [1, 2]}, {"eta": [0, 1]}, {"seed": [1, 2]},
    {"steps": 3}, {"": []}, {"__proto__": 1}, "leading", "trailing", "quadratic", "ddim", "dpm-solver++",
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    {"path": "http://127.0.0.1:1/x", "meta": {"_type": "gradio.FileData"}},
]  # fmt: skip
RAW = [
    b"", b"{", b"[]", b"null", b"3", b'"x"', b"\xff\xfe", b"[" * 5000, b"{\"a\":" * 3000, b'{"seq": NaN}',
    b'{"seq": 1e999}', b'{"seq": 9' + b"9" * 5000 + b"}", b'{"data": {}}', b'{"data": "x"}', b'{"data": null}',
    b'{"data": []}', b'{"data": [1]}', b'{"data": [' + b"1," * 3000 + b"1]}", b'{"data": ["\\ud800"]}',
    b"x" * 100_000, b'{"event_data": 1}', b"\0" * 50,
]  # fmt: skip

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
JSON = picked(ODD) | st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
BODIES = picked(RAW) | st.binary(max_size=40)
NAMES = st.sampled_from(
    ["x.gif", "", "../../x.png", "/etc/x.png", "a\0b.png", "é" * 200 + ".webp", "x.exe", ".png", "x" * 400, "C:\\x.gif"]
) | ANY_TEXT.map(lambda text: f"{text}.png")
