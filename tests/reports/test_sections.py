"""What is told of marks, of the audit, of classes, of a warm-up, of the server, and of margins."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports import runs, special_runs
from tests.reports.test_html import Reader, page, text
from upswarm.reports.story import audited
from upswarm.reports.verdicts import margin
from upswarm.results.audit_record import AuditRecord, Fate
from upswarm.results.thresholds import Verdict


def test_what_was_marked_is_told_with_what_it_cost(tmp_path: Path) -> None:
    shown = text(special_runs.survived(), tmp_path)
    assert (
        "2 8.00 s to 11.0 s the server was killed (SIGKILL) 43 failed attempts, 34 retries; no chunk arrived" in shown
    )
    assert "4 25.0 s worker bench-2 joined and took a third of the files" in shown
    assert "2 faults are marked, the first after 8.00 s: the server was killed (SIGKILL)." in shown


def test_the_audit_says_in_a_sentence_whether_the_server_kept_its_word(tmp_path: Path) -> None:
    survived = text(special_runs.survived(), tmp_path)
    intact = "files that the server acknowledged is there and byte for byte what was sent."
    assert re.search(rf"Audit: Every one of the \d+ {intact}", survived)
    source = page(special_runs.broken_promises(), tmp_path)
    shown = Reader(source).text
    assert "The server did not keep its word: of the 194 acknowledged files that were looked at, 1 missing" in shown
    assert "20250314-092653-evening-rush-000044 77aa corrupt expected crc32c 1b2c, found 00ff" in shown
    assert '<div class="promise bad"' in source
    assert "udit" not in text(runs.good(), tmp_path)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (AuditRecord(9, 4, ("size",), {Fate.INTACT: 4}),
         "Each of the 4 files that were looked at, of 9 acknowledged ones, is there; its bytes were not compared"),
        (AuditRecord(9, 9, (), {Fate.INTACT: 8, Fate.UNVERIFIABLE: 1}), "8 of 9 acknowledged files are there as they"),
        (AuditRecord(9, 0, (), {}), "Nothing was audited: no acknowledged file was looked at."),
        (AuditRecord(0, 0, (), {}), "Nothing was audited"),
    ],
)  # fmt: skip
def test_an_audit_claims_no_more_than_it_knows(record: AuditRecord, sentence: str) -> None:
    assert sentence in audited(replace(runs.good(), audit=record))


def test_classes_and_the_warm_up_have_tables_where_there_are_any(tmp_path: Path) -> None:
    shown = text(special_runs.classes(), tmp_path)
    assert "Classes of files" in shown
    assert "a class with a long name, and <angles>" in shown
    assert "Thresholds are judged without the first 5 s." in shown
    assert not {"Classes of files", "Warm-up"} & set(text(runs.good(), tmp_path).split(". "))


def test_what_the_server_said_stands_beside_what_the_clients_counted(tmp_path: Path) -> None:
    shown = text(special_runs.survived(), tmp_path)
    assert re.search(r"bytes received \S+ GiB \S+ GiB yes what was on the way", shown)
    assert re.search(r"files 489 490 yes a file may stand there", shown)
    assert "What the server said" not in text(runs.good(), tmp_path)


def test_what_a_container_leaves_its_processes_is_told(tmp_path: Path) -> None:
    run = runs.good()
    machine = replace(run.machine, cpus=64, usable_cpus=0.5, memory_limit_bytes=256 << 20)
    health = replace(
        run.workers[0].health, seconds=9, usable_cpus=0.5, peak_rss_bytes=80 << 20, memory_limit_bytes=1 << 28
    )
    workers = (replace(run.workers[0], health=health), *run.workers[1:])
    shown = text(replace(run, machine=machine, workers=workers), tmp_path)
    assert "CPUs 0.5 of 64 memory limit 256.0 MiB" in shown
    assert "(0.5 CPUs allowed)" in shown
    assert "80.0 MiB (limit 256.0 MiB)" in shown
    assert "allowed)" not in text(run, tmp_path)


@pytest.mark.parametrize(
    ("verdict", "apart"),
    [
        (Verdict("goodput mean > 50MiB/s", True, "", value=75.0, limit=50.0), "50 % above"),
        (Verdict("chunk.response_time p99 < 400ms", True, "", value=0.3, limit=0.4), "25 % below"),
        (Verdict("goodput mean > 50MiB/s", True, "", value=125.0, limit=50.0), "2.5 times the limit"),
        (Verdict("upload.failed count == 0", False, "", value=3.0, limit=0.0), "3 above"),
        (Verdict("upload.failed count == 0", True, "", value=0.0, limit=0.0), "at the limit"),
        (Verdict("of.another version", True, "", value=1.0, limit=0.0), "above"),
        (Verdict("upload.failed count == 0", False, "no data"), ""),
    ],
)
def test_a_margin_says_how_far_the_limit_was(verdict: Verdict, apart: str) -> None:
    assert margin(verdict) == apart
