"""The harness of run_memory, with the smallest rows. Of the memory only is asserted that some was seen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.run_memory import Found, Row, not_flat, parser, report
from upswarm.units import write_size

ROOT = Path(__file__).parents[2]
MiB, GiB = 1 << 20, 1 << 30
TINY = ("--contents", "sparse", "--users", "2", "--sizes", "1MiB", "--seconds", "0.5")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.run_memory", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_row_is_a_real_run_that_leaves_nothing(tmp_path: Path) -> None:
    found, work = tmp_path / "found.json", tmp_path / "work"
    work.mkdir()
    done = run("--dir", str(work), "--clients", "upswarm", *TINY, "--json", str(found))
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(found.read_text())["run_memory"]
    assert (row["client"], row["users"], row["size_bytes"]) == ("upswarm", 2, MiB)
    assert row["resident_bytes"] > row["private_bytes"] > 10 * MiB
    assert row["sent_bytes"] >= MiB
    assert list(work.iterdir()) == []


def test_what_grows_with_the_files_or_too_much_with_the_users_is_said() -> None:
    asked = parser().parse_args([])
    few, many, long = (Row("upswarm", "sparse", users, size) for users, size in ((10, MiB), (110, MiB), (10, 10 * GiB)))
    seen = {few: 70, many: 70 + 16 + 12, long: 70 + 16}
    assert not_flat({row: Found(resident * MiB, 0, 0) for row, resident in seen.items()}, asked) == []
    for row in (many, long):
        grown = {each: Found((resident + (each == row)) * MiB, 0, 0) for each, resident in seen.items()}
        (failure,) = not_flat(grown, asked)
        assert failure.startswith(f"sparse, {row.users} users with {write_size(row.size_bytes)}: expected ")


def test_a_row_that_would_not_be_safe_says_what_it_would_need() -> None:
    few, many = Row("k6", "random", 10, MiB), Row("k6", "random", 1000, 64 * MiB)
    shown = report({few: Found(100 * MiB, 90 * MiB, GiB), many: None})
    assert "left out: 125.0 GiB and more" in shown
    (row,) = [line.split() for line in shown.splitlines() if " 1MiB " in line]
    assert row[-8:] == ["100.0", "|", "90.0", "|", "–", "|", "1.00", "|"]
