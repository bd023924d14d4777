"""The short form of ``python -m tests.fuzz cli``: the same cases every time, all within seconds."""

import pytest
import torch

from tests.fuzz.cli import CASES, Bench
from tests.fuzz.drive import round_of

COUNT = 120


@pytest.mark.filterwarnings("ignore")
def test_odd_words_and_odd_files_end_with_one_line(tmp_path):
    threads = torch.get_num_threads()
    bench = Bench.of(tmp_path)
    found = round_of(CASES, bench.run, 0, COUNT)
    torch.set_num_threads(threads)
    assert found.wrong is None, str(found.wrong)
    assert found.tried == COUNT
    assert sum(times for end, times in bench.ends.items() if end.endswith(" 0")) > COUNT // 20, bench.counts()
