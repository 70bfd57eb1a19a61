"""The harness itself, in fractions of a second: that it measures, counts and cleans up. No speed is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import psutil
import pytest

from benchmarks import line_rate, samples, table
from benchmarks.client import UnsuccessfulError
from benchmarks.crowd import Span, crowd
from tests.servers import wait_for

ROOT = Path(__file__).parents[2]
TINY = ("--chunks", "1MiB", "--file", "2MiB", "--seconds", "0.01", "--repeats", "2")


def run_line_rate(directory: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.line_rate", "--dir", str(directory), *options],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_repeat_of_a_target_is_in_the_json_and_nothing_is_left(tmp_path):
    found = tmp_path / "found.json"
    work = tmp_path / "work"
    work.mkdir()
    done = run_line_rate(work, "--targets", "sink,upswarm,upswarm-crc32c", *TINY, "--json", str(found))
    assert done.returncode == 0, done.stderr
    document = json.loads(found.read_text())
    order = [(sample["name"], sample["repeat"]) for sample in document["samples"]]
    names = ["sink", "upswarm", "upswarm-crc32c"]
    assert order == [(name, 0) for name in names] + [(name, 1) for name in reversed(names)]
    assert all(sample["sample"]["chunk_bytes_per_s"] > 0 for sample in document["samples"])
    made_files = {sample["name"] for sample in document["samples"] if sample["sample"]["file_bytes_per_s"]}
    assert made_files == {"upswarm", "upswarm-crc32c"}
    assert document["machine"]["cores"] == os.cpu_count()
    assert "| upswarm-crc32c" in done.stdout
    assert list(work.iterdir()) == []
    assert not [process for process in psutil.process_iter(["environ"]) if _serves(process, work)]


def test_a_harness_that_is_killed_leaves_no_process_behind(tmp_path):
    options = ["--dir", str(tmp_path), "--targets", "sink", *TINY, "--seconds", "60"]
    harness = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.line_rate", *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: len(psutil.Process(harness.pid).children()) >= 3, timeout_s=20)
        family = psutil.Process(harness.pid).children(recursive=True)
    finally:
        harness.kill()
        harness.wait()
    assert len(family) >= 3  # the sink and two clients
    assert psutil.wait_procs(family, timeout=10)[1] == []


def test_bytes_that_the_server_refused_are_in_no_figure(tmp_path):
    tiny_chunks = (*TINY[2:], "--chunks", "1KiB")
    done = run_line_rate(tmp_path, "--targets", "upswarm", *tiny_chunks, "--json", str(tmp_path / "found.json"))
    assert done.returncode == 1
    document = json.loads((tmp_path / "found.json").read_text())
    assert [sample["sample"] for sample in document["samples"]] == [None, None]
    assert "chunk_size_rejected" in document["failures"][0]
    assert "upswarm (2 failed)" in done.stdout


def test_a_missing_tool_is_named_with_the_line_that_installs_it(tmp_path):
    done = run_line_rate(tmp_path, "--targets", "iperf3", *TINY, PATH=str(tmp_path))
    assert done.returncode == 2
    assert "iperf3 is not installed: apt-get install iperf3" in done.stderr


def test_told_so_it_goes_on_without_a_missing_tool(tmp_path):
    done = run_line_rate(tmp_path, "--targets", "iperf3,sink", "--skip-missing", *TINY, PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "without iperf3" in done.stderr
    assert "| sink" in done.stdout


def test_only_the_time_in_which_all_were_sending_counts():
    early = Span(0.0, 4.0, (1.0, 2.0, 3.0, 4.0), 0.0)
    late = Span(0.5, 6.5, (2.5, 4.5, 6.5), 0.0)
    assert samples.chunk_rate([[{"chunks": early}, {"chunks": late}]], 7) == pytest.approx(5 * 7 / 3.5)


def test_what_never_overlapped_counts_from_first_to_last():
    first, second = Span(0.0, 1.0, (1.0,), 0.0), Span(3.0, 4.0, (4.0,), 0.0)
    assert samples.chunk_rate([[{"chunks": first}, {"chunks": second}]], 6) == pytest.approx(2 * 6 / 4.0)


def test_phases_are_in_step_and_a_round_follows_while_there_is_more():
    seen = []
    more = iter([True, False])
    with crowd([partial(_steps, 0), partial(_steps, 1)], ("a", "b")) as clients:
        rounds = clients.rounds(lambda: next(more), seen.append)
    assert seen == ["a", "a", "b", "b"] * 2
    assert [[spans["b"].done_s for spans in of_round] for of_round in rounds] == [[(0,), (1,)]] * 2
    for of_round in rounds:
        assert max(spans["a"].ended_s for spans in of_round) <= min(spans["b"].began_s for spans in of_round)


def test_a_client_that_fails_ends_all_of_them_with_its_reason():
    with (
        crowd([partial(_steps, 0), _failing], ("a", "b")) as clients,
        pytest.raises(UnsuccessfulError, match="refused"),
    ):
        clients.rounds(lambda: True, lambda phase: None)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([5.0], 50, 5.0), ([1.0, 2.0, 3.0, 4.0], 50, 2.0), ([1.0, 2.0, 3.0, 4.0], 99, 4.0), (range(1, 101), 99, 99)],
)
def test_a_percentile_is_one_of_the_values(values, percent, expected):
    assert table.percentile(list(values), percent) == expected


def test_a_spread_is_the_median_with_both_ends():
    assert [table.spread([]), table.spread([2.0]), table.spread([3.0, 1.0, 2.0])] == ["–", "2.00", "2.00 (1.00–3.00)"]


def test_the_readme_explains_every_row_and_every_column():
    readme = (ROOT / "benchmarks" / "README.md").read_text()
    assert [name for name in line_rate.NAMES if f"| `{name}` |" not in readme] == []
    assert [heading for heading in line_rate.HEADINGS[1:] if f"| {heading} |" not in readme] == []


def _steps(number: int):
    return {"a": lambda: (), "b": lambda: (number,)}


def _failing():
    raise UnsuccessfulError("refused")


def _serves(process: psutil.Process, directory: Path) -> bool:
    return str(directory) in (process.info["environ"] or {}).get("UPSWARM_DATA_DIR", "")


GREEDY = """
from upswarm.content.random import Random, RandomFile

class Greedy(Random):
    def open(self, name, size_bytes, seed):
        return GreedyFile(name, size_bytes, seed)

class GreedyFile(RandomFile):
    def views(self, offset, length):
        self.kept = b"".join(super().views(offset, length))
        yield memoryview(self.kept)
"""


def test_a_content_that_takes_memory_is_told_from_one_that_does_not(tmp_path):
    (tmp_path / "greedy.py").write_text(GREEDY)
    (tmp_path / "scratch").mkdir()
    options = ["--contents", "random,greedy:Greedy", "--files", "1,60", "--sizes", "1MiB", "--send", "1MiB"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.content_memory", "--dir", str(tmp_path / "scratch"), *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (failure,) = [line for line in done.stdout.splitlines() if "more than for its first row" in line]
    assert failure.startswith("greedy:Greedy takes ")
    assert list((tmp_path / "scratch").iterdir()) == []
