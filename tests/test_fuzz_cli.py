"""The short form of ``python -m tests.fuzz cli``: the same cases every time, all within seconds."""

import pytest
import torch
from fuzz.cli import Bench

CASES = 150


@pytest.mark.filterwarnings("ignore")
def test_odd_words_and_odd_files_end_with_one_line(tmp_path):
    threads = torch.get_num_threads()
    bench = Bench.of(tmp_path)
    wrong = [f"seed {seed}: {found}" for seed in range(CASES) if (found := bench.run(seed)).wrong]
    torch.set_num_threads(threads)
    assert wrong == []
    assert sum(times for end, times in bench.ends.items() if end.endswith(" 0")) > CASES // 20, bench.counts()
