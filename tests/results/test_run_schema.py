"""The published JSON Schema of run.json says what the files are, no more and no less."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from tests.results.long_runs import long_run
from tests.results.test_run_upgrade import SAMPLE
from upswarm.results.audit_record import AuditRecord, Fate, Problem
from upswarm.results.marks import Mark, MarkKind
from upswarm.results.run_file import Run
from upswarm.results.run_schema import MEANINGS, markdown, schema
from upswarm.results.thresholds import Verdict

DOCS = Path(__file__).parents[2] / "docs"


def saved(run, folder):
    return json.loads(run.save(folder).read_text())


@pytest.fixture
def full(tmp_path):
    """A run file in which there is something of everything."""
    run = long_run(seconds=400, workers=2)
    problem = Problem(Fate.MISSING, "a.bin", "17", "expected 7 B, found nothing")
    audit = AuditRecord(3, 2, ("size",), {Fate.INTACT: 1, Fate.MISSING: 1}, (problem,), ("one was not asked",))
    return replace(
        run, audit=audit, marks=(Mark(1.5, MarkKind.FAULT, "it was killed", 2.5),), warm_up_s=10.0,
        settled=run.measurements, server={'upswarm_requests_total{status="204"}': 7.0},
        verdicts=(Verdict("upload.failed count == 0", True, "0"),), notes=("a note",),
    )  # fmt: skip


def test_the_committed_schema_is_the_one_of_the_types():
    assert json.loads((DOCS / "run.schema.json").read_text()) == schema(), "run `make schema`"


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_every_key_is_explained(full, tmp_path):
    assert list(saved(full, tmp_path)) == list(MEANINGS)
    assert markdown() in (DOCS / "run-file.md").read_text(), "put what `--markdown` prints into docs/run-file.md"


def test_a_run_file_with_everything_in_it_is_valid(full, tmp_path):
    jsonschema.validate(saved(full, tmp_path), schema())


def test_an_older_run_file_is_valid_once_it_is_written_anew(tmp_path):
    jsonschema.validate(saved(Run.load(SAMPLE), tmp_path), schema())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: run.update(colour="red"),
        lambda run: run.pop("machine"),
        lambda run: run["measurements"]["phases"].update(lunch={}),
        lambda run: run["measurements"]["phases"]["chunk"].update(colour=1),
        lambda run: run["measurements"]["seconds"].pop("late"),
        lambda run: run["measurements"]["intervals"]["intervals"][0].update(colour=1),
        lambda run: run["workers"][0]["series"].update(colour=[]),
        lambda run: run["audit"]["counts"].update(eaten=1),
        lambda run: run.update(schema_version=1),
    ],
)
def test_what_is_no_part_of_a_run_file_is_refused(full, tmp_path, spoil):
    document = saved(full, tmp_path)
    spoil(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema())
