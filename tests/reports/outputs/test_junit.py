"""`junit.xml`, read back by junitparser, and by an XML parser that knows nothing of it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, TestCase

from tests.reports import outsiders, runs
from upswarm.reports.outputs.junit import junit, write_junit
from upswarm.results.run_file import Run


def cases(run: Run) -> dict[str, TestCase]:
    (suite,) = JUnitXml.fromstring(junit(run).encode())
    return {case.name: case for case in suite}


def test_each_threshold_and_the_generator_is_a_test_case() -> None:
    found = cases(runs.good())
    assert list(found) == [*runs.THRESHOLDS[:4], "load generator"]
    assert all(case.is_passed and case.classname == "upswarm.evening-rush" for case in found.values())


def test_a_threshold_that_did_not_hold_says_what_was_expected_and_what_observed() -> None:
    found = cases(runs.crashed())
    (failure,) = found["upload.failed count == 0"].result
    assert isinstance(failure, Failure)
    assert failure.message == failure.text == "expected upload.failed count == 0, observed 8"
    assert found["load generator"].is_passed


def test_a_fault_of_the_generator_is_an_error_and_no_failure() -> None:
    (error,) = cases(runs.silent())["load generator"].result
    assert isinstance(error, Error)
    assert error.message.endswith("the run was cut off after 0.4 s of 20 s (and 1 more)")
    assert error.text.splitlines() == list(runs.silent().generator_faults)


def test_an_audit_is_a_test_case_where_there_was_one() -> None:
    intact = runs.run_of(runs.good().measurements, audit=outsiders.audited(intact=9))
    broken = runs.run_of(runs.good().measurements, audit=outsiders.audited(intact=7, missing=2))
    assert cases(intact)["audit"].is_passed
    (failure,) = cases(broken)["audit"].result
    assert failure.message.endswith("9 of 9 acknowledged files looked at (size, digest): 7 intact, 2 missing")
    assert failure.text.splitlines()[1] == "missing: a.bin: expected 5 B, found 3 B"
    assert "audit" not in cases(runs.good())


def test_the_properties_say_which_run_it_was() -> None:
    (suite,) = JUnitXml.fromstring(junit(runs.crashed()).encode())
    told = {each.name: each.value for each in suite.properties()}
    assert told["run_id"] == "20250314-092653-evening-rush"
    assert (told["target"], told["scenario"], told["exit_code"]) == ("http://127.0.0.1:8000", "evening-rush", "3")
    assert told["machine"].startswith("bench-1, Linux")


@pytest.mark.parametrize("build", runs.RUNS.values(), ids=runs.RUNS)
def test_the_counts_are_those_of_the_cases(build: runs.Build) -> None:
    (suite,) = root = ElementTree.fromstring(junit(build()))
    for element in (root, suite):
        assert int(element.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(element.attrib["failures"]) == len(suite.findall("testcase/failure"))
        assert int(element.attrib["errors"]) == len(suite.findall("testcase/error"))
    assert float(suite.attrib["time"]) == build().elapsed_s
    assert [child.tag for child in suite][:2] == ["properties", "testcase"], "schemas want them in this order"
    assert set(root.attrib) <= {"name", "time", "tests", "failures", "errors"}, "Jenkins' schema knows no others"
    assert all({"name", "classname", "time"} <= set(case.attrib) for case in suite.findall("testcase"))
    assert all("message" in each.attrib and "type" in each.attrib for each in suite.findall("testcase/*"))


def test_what_xml_can_not_hold_is_replaced_and_the_rest_is_escaped(tmp_path: Path) -> None:
    path = write_junit(outsiders.hostile(), tmp_path)
    (suite,) = ElementTree.parse(path).getroot()
    assert suite.attrib["name"].startswith("?[31m<script>alert(1)</script> | `x`")
    assert "???" in suite.attrib["name"]
    assert all(each.tag in {"properties", "testcase"} for each in suite)
