"""The page stands alone, escapes everything, explains itself, and is the same for a run that was saved and loaded."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.reports import runs, special_runs
from upswarm.reports.html import write_report
from upswarm.reports.pages import LIBRARY
from upswarm.reports.verdicts import margin
from upswarm.results.audit_record import AuditRecord, Fate, Problem
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.measurements import Measurements
from upswarm.results.metrics import METRICS
from upswarm.results.run_file import Machine, Run, WorkerRecord
from upswarm.results.tallies import ArrivalsTally
from upswarm.results.thresholds import Verdict
from upswarm.results.worker_series import WorkerSeries
from upswarm.transfer.messages import Phase

HOSTILE = "<script>alert('x')</script>\"' onload=\"x\" </style></pre>"
VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Checks that elements are closed in order; collects tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif "style" not in self.open:
            self.words.append(data)


def page(run: Run, folder: Path) -> str:
    return write_report(run, folder).read_text(encoding="utf-8")


def text(run: Run, folder: Path) -> str:
    return Reader(page(run, folder)).text


ALL_RUNS = {**runs.RUNS, **special_runs.SPECIAL_RUNS}


@pytest.mark.parametrize("build", ALL_RUNS.values(), ids=ALL_RUNS)
def test_every_element_is_closed(build: runs.Build, tmp_path: Path) -> None:
    assert Reader(page(build(), tmp_path)).open == []


@pytest.mark.parametrize("build", runs.RUNS.values(), ids=runs.RUNS)
def test_nothing_is_fetched_from_anywhere(build: runs.Build, tmp_path: Path) -> None:
    source = page(build(), tmp_path)
    reader = Reader(source)
    assert not {"link", "img", "iframe", "object", "embed"} & set(reader.tags)
    assert not {"src", "href", "srcset", "action"} & {name for name, _ in reader.attributes}
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    assert ("content", policy) in reader.attributes
    ours = source.replace(LIBRARY.read_text(encoding="utf-8"), "")
    assert "url(" not in ours
    assert "@import" not in ours


def test_names_from_outside_are_text_wherever_they_stand(tmp_path: Path) -> None:
    hostile = WorkerRecord(HOSTILE, HOSTILE, lost=True, series=WorkerSeries(1, (1,), (1,), (1,), (1,), (1,)))
    problem = Problem(Fate.MISSING, HOSTILE, HOSTILE, HOSTILE)
    run = replace(
        runs.run_of(runs.Users(4).run(1, 2.0)),
        run_id=HOSTILE,
        scenario={"name": HOSTILE, "about": HOSTILE, HOSTILE: [HOSTILE]},
        target=HOSTILE,
        verdicts=(Verdict(HOSTILE, False, HOSTILE),),
        workers=(hostile, replace(hostile, worker_id=f"{HOSTILE} 2")),
        marks=(Mark(1.0, MarkKind.FAULT, HOSTILE, 2.0),),
        notes=(HOSTILE,),
        server={HOSTILE: 1.0},
        audit=AuditRecord(1, 1, (HOSTILE,), {Fate.MISSING: 1}, (problem,), (HOSTILE,)),
        machine=Machine(HOSTILE, HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE),
        generator_faults=(HOSTILE,),
    )
    run.measurements.phases[Phase.CHUNK].failures[HOSTILE] += 1
    source = page(run, tmp_path)
    reader = Reader(source)
    assert len(reader.scripts) == reader.tags.count("script") == source.count("</script>")
    for script in reader.scripts[:-2]:
        json.loads(script)
    assert reader.open == []
    assert "onload" not in {name for name, _ in reader.attributes}
    assert reader.text.count("<script>alert('x')</script>") >= 14


@pytest.mark.parametrize(
    ("build", "word"), [(runs.good, "passed"), (runs.crashed, "failed"), (runs.silent, "invalid measurement")]
)
def test_the_verdict_is_the_first_thing_after_the_name(build: runs.Build, word: str, tmp_path: Path) -> None:
    source = page(build(), tmp_path)
    main = source[source.index("<main>") :]
    assert Reader(main[: main.index("</p>") + 4]).text == word


def test_every_threshold_stands_there_with_what_was_observed(tmp_path: Path) -> None:
    run = runs.crashed()
    shown = text(run, tmp_path)
    for verdict in run.verdicts:
        outcome = "held" if verdict.holds else "did not hold"
        apart = margin(verdict) or "–"
        assert f"{verdict.threshold} {verdict.observed} {apart} {outcome}" in shown


def test_key_figures_carry_the_definition_of_the_metrics_table(tmp_path: Path) -> None:
    shown = text(runs.good(), tmp_path)
    assert f"goodput mean 303.4 MiB/s {METRICS['goodput'].definition}" in shown


def test_the_story_tells_when_requests_failed(tmp_path: Path) -> None:
    assert "39 failed, the first in second 8 and the last in second 13." in text(runs.crashed(), tmp_path)
    assert "0 failed." in text(runs.good(), tmp_path)


def test_and_what_became_of_arrivals(tmp_path: Path) -> None:
    run = deepcopy(runs.good())
    assert "came due" not in text(run, tmp_path)
    run.measurements.arrivals = ArrivalsTally(begun=1036, late=18, dropped=21)
    assert (
        "1,057 arrivals came due: 1,036 began, 18 of them late (more than 10 ms), and 21 found all slots taken, were "
        "dropped and never sent." in text(run, tmp_path)
    )


def test_empty_parts_are_sentences(tmp_path: Path) -> None:
    shown = text(replace(runs.silent(), verdicts=(), workers=()), tmp_path)
    for sentence in (
        "Not a single request was sent.",
        "The scenario sets no threshold, so this run could neither pass nor fail by one.",
        "No data: nothing was sent.",
        "No data: no request succeeded.",
        "No data: no request was sent.",
        "No data: where nothing is sent, nothing can fail.",
        "No worker took part.",
    ):
        assert sentence in shown
    assert "No attempt and no upload failed." in text(runs.good(), tmp_path)


def test_a_lost_worker_is_named_in_the_verdict_and_in_the_table(tmp_path: Path) -> None:
    shown = text(runs.worker_lost(), tmp_path)
    assert "worker bench-3_7f3a3 was lost before it had reported everything" in shown
    assert "bench-3_7f3a3 bench-3 – – – – lost: not everything that it measured arrived" in shown


def test_below_a_failure_stand_its_first_examples(tmp_path: Path) -> None:
    shown = text(runs.crashed(), tmp_path)
    assert '503 not_ready at 13.0 s {"code": "not_ready", "detail": "the catalog is away"}' in shown
    refused = shown[shown.index("chunk refused") :]
    assert refused[: refused.index("chunk reset")].count("Connection refused at 8.") == 3
    assert "hunter2" not in shown


def test_where_the_time_went_adds_up(tmp_path: Path) -> None:
    source = page(runs.good(), tmp_path)
    rows = re.findall(r'aria-label="connect (\d+) %, send (\d+) %, wait (\d+) %, rest (\d+) %"', source)
    assert [tuple(map(int, row)) for row in rows] == [(0, 40, 55, 5)] * 3
    assert "Where the time went" not in text(runs.silent(), tmp_path)


def test_workers_say_how_they_fared_and_a_generator_at_its_limit_is_warned_of(tmp_path: Path) -> None:
    shown = text(runs.strained(), tmp_path)
    assert "bench-1 host-1 97 %, at most 100 % 41.0 ms 90.0 MiB – complete" in shown
    assert "Warning: the generator was the bottleneck, not the server: 1 of 3 workers (bench-1)" in shown
    assert "1 file of 3.0 GiB in all was made to be uploaded, which took 8.0 KiB of the disks here." in shown
    assert "Warning" not in text(runs.good(), tmp_path)


def test_charts_have_words_for_those_who_do_not_see_them(tmp_path: Path) -> None:
    source = page(runs.good(), tmp_path)
    labels = re.findall(r'<div class="canvas" role="img" aria-label="([^"]+)"', source)
    assert len(labels) == source.count("<figure ") == 4
    assert [source.count(label) for label in labels] == [2] * 4  # also where there are no scripts
    assert any(label.startswith("Throughput over 20.3 s: at most ") for label in labels)


def test_a_page_without_a_chart_has_no_library(tmp_path: Path) -> None:
    assert "script" not in Reader(page(special_runs.empty(), tmp_path)).tags


def test_ten_hours_of_a_hundred_workers_are_less_than_a_megabyte(tmp_path: Path) -> None:
    assert write_report(special_runs.ten_hours(), tmp_path).stat().st_size < 1_000_000


def test_a_run_that_was_saved_and_loaded_gives_the_same_page(tmp_path: Path) -> None:
    run = runs.crashed()
    loaded = Run.load(run.save(tmp_path))
    assert page(loaded, tmp_path / "after") == page(run, tmp_path / "before")


def test_a_page_is_written_whole_into_a_folder_that_need_not_exist(tmp_path: Path) -> None:
    path = write_report(runs.run_of(Measurements()), tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "report.html"
    assert list(path.parent.iterdir()) == [path]
