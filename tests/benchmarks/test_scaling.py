"""The harness of scaling, with a handful of stubs. No cost is asserted; that the stubs are taken for workers is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CANNED = """
import json, random
from benchmarks import stub_reports
print(json.dumps(stub_reports.canned(60, 2, random.Random(1))[0].to_document()["seconds"]))
"""


def test_a_real_master_takes_stubs_for_workers_and_hears_the_last_report_of_each(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    tiny = ("--counts", "3", "--rates", "20", "--seconds", "1", "--settle", "1", "--processes", "2")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scaling", "--dir", str(tmp_path), *tiny, "--json", str(found)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(found.read_text())["scaling"]
    assert (row["workers"], row["lost"], row["missed"], row["exit_code"]) == (3, 0, 0, 0)
    assert row["window"]["in heartbeat"] > 0
    assert row["kinds"]["in stats"][0] >= 3, "they come every three seconds, so there may be none in the window"
    assert {name: row["kinds"][name][0] for name in ("out upswarm_plan", "in upswarm_last_report")} == {
        "out upswarm_plan": 3,
        "in upswarm_last_report": 3,
    }
    assert "in upswarm_hello" in done.stdout
    assert list(tmp_path.iterdir()) == [found]


def test_a_report_that_was_made_up_holds_as_many_requests_as_it_says() -> None:
    done = subprocess.run([sys.executable, "-c", _CANNED], cwd=ROOT, capture_output=True, text=True, check=True)
    seconds = json.loads(done.stdout)
    assert 5 <= seconds["first"] <= 6, "the first began before"
    assert seconds["first"] + len(seconds["attempts"]) == 9
    assert sum(seconds["attempts"]) == 180
