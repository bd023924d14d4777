"""The bounded cache of what was computed."""

from demo.cache import Cache


def test_what_was_not_used_for_longest_goes_first():
    cache = Cache(max_bytes=30)
    for key in "abc":
        cache.put(key, key.upper(), 10)
    assert cache.get("a") == "A"
    cache.put("d", "D", 10)
    assert [cache.get(key) for key in "abcd"] == ["A", None, "C", "D"]
    assert cache.size == 30


def test_what_alone_is_above_the_bound_is_not_kept_and_pushes_nothing_out():
    cache = Cache(max_bytes=30)
    cache.put("a", "A", 10)
    cache.put("big", "B", 31)
    assert cache.get("big") is None
    assert cache.get("a") == "A"


def test_putting_again_counts_once():
    cache = Cache(max_bytes=30)
    for size in (10, 25):
        cache.put("a", size, size)
    assert (cache.get("a"), cache.size) == (25, 25)
