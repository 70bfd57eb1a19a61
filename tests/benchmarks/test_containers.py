"""The harnesses of containers and full_card. Nothing is asserted of the machine's speed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trustme

from benchmarks import containers, full_card, servers, worker_runs
from benchmarks.client import UnsuccessfulError
from benchmarks.worker_runs import Asked, Sample

UPSWARM = [sys.executable, "-m", "upswarm.cli"]
ROOT = Path(__file__).parents[2]


def sample(bytes_per_s: float, cpu_s_per_gib: float) -> Sample:
    return Sample(bytes_per_s, cpu_s_per_gib, 0.25, 0.004, 0.1, None)


def test_a_sample_is_a_real_run_into_the_sink_over_tls_too(tmp_path: Path) -> None:
    pem = tmp_path / "sink.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with servers.sink(tmp_path, "tls", "127.0.0.1", str(pem)) as sink:
        found = worker_runs.take(UPSWARM, Asked(f"https://127.0.0.1:{sink.port}", 1 << 16, 1, 0.3), tmp_path)
    assert found.bytes_per_s > 0
    assert found.cpu_s_per_gib > 0


def test_a_run_that_fails_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(UnsuccessfulError, match="the run ended with 2"):
        worker_runs.take(UPSWARM, Asked("no URL", 1, 1, 1.0), tmp_path)


def test_ratios_are_those_within_a_repeat() -> None:
    found = [(0, "bare", 200.0, 0.2, 400.0), (0, "bridge", 100.0, 0.3, 400.0),
             (1, "bare", 10.0, 0.4, 10.0), (1, "bridge", 10.0, 0.8, 40.0)]  # fmt: skip
    results = [containers.Result(1, repeat, name, sample(*figures), limit) for repeat, name, *figures, limit in found]
    bare, bridge = containers.report(results).splitlines()[2:]
    assert "0.75 (0.50–1.00)" in bare
    assert "0.25 (0.25–0.25)" in bridge
    assert "1.75 (1.50–2.00)" in bridge


def test_a_full_card_has_a_row_for_each_number_of_users() -> None:
    results = [full_card.Result(users, 0, sample(25e6, 1.0), 25e6) for users in (1, 16)]
    one, many = full_card.report(results).splitlines()[2:]
    assert [cell.strip() for cell in one.split("|")[1:-1]] == ["1", "200", "1.00", "100", "–", "25", "4"]
    assert many.startswith("| 16 ")


def test_the_readme_explains_every_column() -> None:
    readme = (ROOT / "benchmarks" / "README.md").read_text()
    headings = [*containers.HEADINGS[1:], *full_card.HEADINGS]
    assert [heading for heading in headings if f"| {heading} |" not in readme] == []
