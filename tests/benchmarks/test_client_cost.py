"""The harness of client_cost, in fractions of a second. No speed is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.client_cost import Result, Sample, parser, report

ROOT = Path(__file__).parents[2]


def run(*options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.client_cost", *options],
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_repeat_of_a_client_is_in_the_json(tmp_path):
    found = tmp_path / "found.json"
    tiny = ("--clients", "upswarm,FastHttpUser", "--chunks", "64KiB", "--seconds", "0.1", "--repeats", "1")
    done = run("--dir", str(tmp_path), *tiny, "--json", str(found))
    assert done.returncode == 0, done.stderr
    samples = json.loads(found.read_text())["samples"]
    assert [sample["name"] for sample in samples] == ["upswarm", "FastHttpUser"]
    assert all(sample["sample"]["requests_per_cpu_s"] > 0 < sample["sample"]["lag_p99_ms"] for sample in samples)
    assert "| FastHttpUser" in done.stdout


def test_a_client_that_is_not_installed_is_said_to_be_missing(tmp_path):
    done = run("--dir", str(tmp_path), "--clients", "wrk", PATH="/nowhere")
    assert (done.returncode, "apt-get install wrk" in done.stderr) == (2, True)


def test_a_ratio_is_that_of_requests_per_cpu_second_within_a_repeat():
    found = [(0, "upswarm", 300), (0, "wrk", 100), (1, "upswarm", 80), (1, "wrk", 20)]
    results = [Result(1 << 20, repeat, name, Sample(1e9, 0.2, requests)) for repeat, name, requests in found]
    shown = report(parser().parse_args([]), ["upswarm", "wrk"], results)
    assert "3.50 (3.00–4.00)" in shown
