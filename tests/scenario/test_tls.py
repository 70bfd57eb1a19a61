"""`transfer.tls.ca_file` is looked at when the scenario is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from upswarm.errors import Finding, ScenarioError
from upswarm.scenario.loader import load


def scenario(folder: Path, ca_file: str) -> Path:
    path = folder / "s.yaml"
    path.write_text(f"transfer:\n  tls: {{ca_file: {ca_file}}}\n")
    return path


def finding(folder: Path, ca_file: str) -> Finding:
    with pytest.raises(ScenarioError) as raised:
        load(scenario(folder, ca_file))
    (found,) = raised.value.findings
    return found


def test_authorities_are_found_beside_the_scenario_wherever_it_is_run_from(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    assert load(scenario(tmp_path, "ca.pem")).transfer.route.ca_file == str(tmp_path / "ca.pem")


def test_a_file_that_is_not_there_is_a_mistake_at_its_place(tmp_path: Path) -> None:
    found = finding(tmp_path, "ca.pem")
    assert (found.line, found.column, found.key) == (2, 18, "transfer.tls.ca_file")
    assert found.message == "expected a file with certificates in PEM, found 'ca.pem': No such file or directory"


def test_a_file_without_certificates_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing\n")
    assert finding(tmp_path, "ca.pem").message.endswith("found 'ca.pem': a file without any")
