"""Overrides with `locust` itself: from the command line, the environment and its files of settings."""

from __future__ import annotations

from pathlib import Path

from tests.journey.runs import Workshop, end_of, family


def test_overrides_come_from_wherever_locust_takes_its_options(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.locust]\nchunk-size = "8 parsecs"\n')
    (tmp_path / "locust.conf").write_text("digest = md5\n")
    workshop = Workshop(tmp_path, UPSWARM_PROTOCOL="tuss")
    process = workshop.locust("--headless", "--parallel-chunks", "many", "--content=randum")
    with family(process):
        ended = end_of(process)
    assert ended.code == 2
    said = [line.partition(": expected ")[0] for line in ended.err.splitlines() if line.startswith("--")]
    assert sorted(said) == ["--chunk-size", "--content", "--digest", "--parallel-chunks", "--protocol"]


def test_a_run_does_what_the_overrides_say_and_its_file_keeps_it(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, UPSWARM_CONTENT="compressible:3")
    changes = ("--protocol", "tus", "--chunk-size", "1MiB", "--parallel-chunks", "2", "--digest", "sha256")
    ended = workshop.upswarm("run", workshop.scenario(hold="1s"), "--reports", str(workshop.reports), *changes)
    assert ended.code == 0, ended.err
    run = workshop.run()
    assert run.scenario["target"]["protocol"] == "tus"
    assert {str(each["content"]) for each in run.scenario["files"]} == {"{'compressible': {'ratio': 3.0}}"}
    transfer = run.scenario["transfer"]
    assert (transfer["chunk_size"], transfer["parallel_chunks"], transfer["digest"]) == ("1MiB", 2, "sha256")
