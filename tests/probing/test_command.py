"""`upswarm probe` as it is typed: its exit codes, what it prints, and what it takes from the scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.journey.runs import Workshop, answers, free_port
from tests.probing.tus_http import Manners, tus_http
from upswarm.cli import cli
from upswarm.errors import ScenarioError, TargetError, UsageError

SCENARIO = """\
target: {{url: "{url}", protocol: "{protocol}"{more}}}
transfer: {{chunk_size: 200kB}}
"""


def written(folder: Path, url: str, *, protocol: str = "tus", more: str = "") -> str:
    path = folder / "probe.yaml"
    path.write_text(SCENARIO.format(url=url, protocol=protocol, more=more))
    return str(path)


def probe(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["probe", "--within", "1s", *arguments])


def test_a_target_that_resumes_is_a_success_in_words_also_one_that_is_not_the_scenarios(tmp_path: Path) -> None:
    with tus_http() as (url, _):
        result = probe(written(tmp_path, "http://127.0.0.1:1/files"), "--target", url)
    assert result.exit_code == 0, result.output
    assert "chunks of 195.3 KiB" in result.output
    assert "the server held all that was sent." in result.output
    assert "Nothing on the way buffers whole bodies" in result.output
    assert result.output.rstrip().endswith("Exit code 0.")


def test_a_file_that_comes_out_wrong_is_a_failure(tmp_path: Path) -> None:
    with tus_http(Manners(damages=True)) as (url, _):
        result = probe(written(tmp_path, url))
    assert result.exit_code == 3
    assert "wrong bytes" in result.output


def test_the_document_is_all_that_json_prints_and_has_no_credentials_in_it(tmp_path: Path) -> None:
    """They went with every request all the same, else there would be no early refusal with a 404."""
    with tus_http(Manners(token="very-secret")) as (url, _):
        result = probe(written(tmp_path, url, more=", auth: {bearer: very-secret}"), "--json")
    document = json.loads(result.stdout)
    assert (document["exit_code"], result.exit_code, document["keeping"]) == (0, 0, "all_bytes")
    assert (document["cuts"][0]["file"], document["buffering"]["early_refusal"]["status"]) == ("right", 404)
    assert "very-secret" not in result.output


def test_a_target_that_refuses_uploads_is_the_wrong_one(tmp_path: Path) -> None:
    with tus_http(Manners(token="very-secret")) as (url, _):
        result = probe(written(tmp_path, url))
    assert isinstance(result.exception, TargetError)
    assert "an upload without any cut failed" in str(result.exception)
    assert "401" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--target", "{nobody}"], TargetError, "no answer from the target"),
        (["--target", "ftp://host"], UsageError, "target: expected `embedded` or a URL"),
    ],
)
def test_a_target_that_is_none_is_said_before_anything_is_sent(
    tmp_path: Path, arguments: list[str], error: type[Exception], message: str
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    result = probe(written(tmp_path, "embedded"), *(each.format(nobody=nobody) for each in arguments))
    assert isinstance(result.exception, error)
    assert result.exception.exit_code == 2
    assert message in str(result.exception)


def test_another_target_is_refused_where_the_scenario_says_how_the_embedded_one_is_started(tmp_path: Path) -> None:
    """Else its faults would be looked for in a server that has none."""
    with tus_http() as (url, _):
        result = probe(written(tmp_path, "embedded", more=", embedded: {workers: 1}"), "--target", url)
    assert isinstance(result.exception, UsageError)
    assert f"expected the target `embedded`, which the scenario's target.embedded is for, found {url}" in str(
        result.exception
    )


def test_a_scenario_that_is_none_is_said_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("target: {url: embedded, protocoll: tus}")
    result = probe(str(path))
    assert isinstance(result.exception, ScenarioError)
    assert "bad.yaml:1:" in str(result.exception)


def test_the_embedded_server_is_probed_by_name_and_gone_with_its_files_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ended = Workshop(tmp_path).upswarm("probe", "resume-probe", "--within", "1s", "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert (document["keeping"], document["chunk_size_bytes"]) == ("all_bytes", 1 << 20)
    assert document["buffering"]["verdict"] == "nothing_buffers"
    assert not answers(document["target"].removesuffix("/tus/"))
    assert list(tmp_path.glob("upswarm-embedded-*")) == []
