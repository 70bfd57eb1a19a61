"""A run as `junit.xml`, which Jenkins, GitLab and GitHub's actions read: each threshold and the audit is a test case.

The load generator is one more: an error there says that the measuring stick itself failed.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from upswarm.files import write_whole
from upswarm.reports import facts
from upswarm.results.audit_record import AuditRecord
from upswarm.results.run_file import Run
from upswarm.results.thresholds import Verdict

JUNIT_FILE = "junit.xml"
GENERATOR, AUDIT = "load generator", "audit"

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Whatever XML 1.0 can't hold, escaped or not."""
_MOST_PROBLEMS = 20


def write_junit(run: Run, folder: Path) -> Path:
    """Write `junit.xml` into the folder, whole or not at all."""
    path = folder / JUNIT_FILE
    write_whole(path, junit(run))
    return path


def junit(run: Run) -> str:
    """One suite: thresholds in the scenario's order, the audit if there was one, and the generator."""
    suite = TestSuite(_legal(facts.name(run)))
    suite.hostname = _legal(run.machine.host)
    suite.timestamp = datetime.fromisoformat(run.started_at).strftime("%Y-%m-%dT%H:%M:%S")
    for name, value in _properties(run).items():
        suite.add_property(name, _legal(value))
    audited = [] if run.audit is None else [_audit(run, run.audit)]
    suite.add_testcases([*(_threshold(run, each) for each in run.verdicts), *audited, _generator(run)])
    suite.time = round(run.elapsed_s, 3)  # the cases themselves take none
    document = JUnitXml("upswarm")
    document.add_testsuite(suite)
    # by hand: junitparser would count skipped ones too, for which Jenkins' schema has no place here
    document.tests, document.failures, document.errors = suite.tests, suite.failures, suite.errors
    document.time = suite.time
    body: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body.decode()}\n'


def _properties(run: Run) -> dict[str, str]:
    machine = run.machine
    return {
        "run_id": run.run_id,
        "target": run.target,
        "scenario": facts.name(run),
        "workload": run.workload,
        "exit_code": f"{run.exit_code}",
        "machine": f"{machine.host}, {machine.system}, {machine.cpus_story} CPUs, Python {machine.python}",
        "versions": f"upswarm {machine.upswarm}, Locust {machine.locust}",
    }


def _threshold(run: Run, verdict: Verdict) -> TestCase:
    case = _case(run, verdict.threshold)
    if not verdict.holds:
        told = f"expected {verdict.threshold}, observed {verdict.observed}"
        case.result = [_result(Failure, told, "threshold", told)]
    return case


def _audit(run: Run, record: AuditRecord) -> TestCase:
    case = _case(run, AUDIT)
    if not record.holds:
        told = f"expected every acknowledged file to be intact, observed {facts.audit(record)}"
        problems = [f"{each.fate.value}: {each.file_name}: {each.detail}" for each in record.problems[:_MOST_PROBLEMS]]
        case.result = [_result(Failure, told, "audit", "\n".join([told, *problems]))]
    return case


def _generator(run: Run) -> TestCase:
    case = _case(run, GENERATOR)
    if run.generator_faults:
        more = f" (and {len(run.generator_faults) - 1} more)" if len(run.generator_faults) > 1 else ""
        told = f"the load generator itself failed, so no verdict counts: {run.generator_faults[0]}{more}"
        case.result = [_result(Error, told, "generator", "\n".join(run.generator_faults))]
    return case


def _case(run: Run, name: str) -> TestCase:
    return TestCase(_legal(name), f"upswarm.{_legal(facts.name(run))}", 0.0)


def _result(kind: type[Failure] | type[Error], message: str, sort: str, text: str) -> Failure | Error:
    result = kind(_legal(message), sort)
    result.text = _legal(text)
    return result


def _legal(text: str) -> str:
    return _ILLEGAL.sub("?", text)
