"""The loader names every mistake at once: its place, what was expected, what was found, the nearest word."""

from __future__ import annotations

from pathlib import Path

import pytest

from upswarm.errors import Finding, ScenarioError
from upswarm.scenario.answers import read_target
from upswarm.scenario.loader import load, parse, resolve
from upswarm.scenario.urls import check_url

BROKEN = """\
name: broken
sede: 3
target:
  protocol: chunkd
files:
  - {size: 5MiBx, content: sparce}
workload: {users: {stages: [{to: 4}, {hold: 10}]}}
thresholds:
  - chunk.respose_time p99 < 400ms
"""


def findings(text: str, environ: dict[str, str] | None = None) -> list[Finding]:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "s.yaml", environ or {})
    return caught.value.findings


def test_all_mistakes_are_named_at_once_in_the_order_of_the_file() -> None:
    found = findings(BROKEN)
    assert [(each.line, each.column, each.key) for each in found] == [
        (2, 1, "sede"),
        (4, 13, "target.protocol"),
        (6, 12, "files[0].size"),
        (6, 28, "files[0].content"),
        (7, 29, "workload.users.stages[0]"),
        (7, 45, "workload.users.stages[1].hold"),
        (9, 5, "thresholds[0]"),
    ]


def test_the_nearest_right_word_is_offered() -> None:
    hints = {each.key: each.hint for each in findings(BROKEN)}
    assert hints["sede"] == 'did you mean "seed"?'
    assert hints["target.protocol"] == 'did you mean "chunked"?'
    assert hints["files[0].content"] == 'did you mean "sparse"?'
    assert hints["thresholds[0]"] == 'did you mean "chunk.response_time"?'


def test_the_error_text_can_be_clicked_on_in_a_terminal() -> None:
    with pytest.raises(ScenarioError, match=r"(?m)^  s\.yaml:2:1: sede: is no key of scenario; expected one of name, "):
        parse(BROKEN, "s.yaml", {})


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("- 1", "scenario", "expected a mapping, found a list"),
        ("files: 3", "files", "expected a list, found 3"),
        ("files: []", "files", "expected at least 1 in the list, found an empty list"),
        ("files: [{content: sparse}]", "files[0].size", "is missing, but needed"),
        ("files: [{size: 1MiB, weight: 0}]", "files[0].weight", "expected more than 0, found 0"),
        ("files: [{size: {}}]", "files[0].size", "expected exactly one of fixed, uniform, lognormal, found none"),
        ("files: [{size: {uniform: [2MiB, 1MiB]}}]", "files[0].size", "expected the smaller size first"),
        ("transfer: {digest: md5}", "transfer.digest", "expected 'none', 'crc32c' or 'sha256', found 'md5'"),
        (
            "transfer: {chunk_size: 0}",
            "transfer.chunk_size",
            "expected `server` or a size such as 8MiB or 1.5GB, found 0",
        ),
        ("transfer: {timeout: {idle: 0}}", "transfer.timeout.idle", "expected more than 0, found 0"),
        (
            "transfer: {transport: requests, timeout: {total: 3s}}",
            "transfer",
            "expected no timeout.total with the transport `requests`",
        ),
        ("transfer: {retry: {attempts: 0}}", "transfer.retry.attempts", "expected at least 1, found 0"),
        ("transfer: {retry: {attempts: many}}", "transfer.retry.attempts", "expected a whole number, found 'many'"),
        ("transfer: {retry: {statuses: [200]}}", "transfer.retry.statuses[0]", "expected at least 400, found 200"),
        (
            "target: ftp://host",
            "target",
            "expected `embedded` or a URL such as http://127.0.0.1:8000, found 'ftp://host'",
        ),
        ("target: http://me:hunter2@host", "target", "expected a URL without credentials, found some in it"),
        (
            "target: 'http://h/files?sig=hunter2'",
            "target",
            "expected a URL without a query or a fragment, found one",
        ),
        ("name: a b", "name", "expected a text that matches ^[A-Za-z0-9._-]*$, found 'a b'"),
        ("seed: -1", "seed", "expected at least 0, found -1"),
        (
            "workload: {users: {stages: [{to: 0, over: 3s}]}}",
            "workload.users",
            "expected at least one user and more than 0s; nothing would be uploaded",
        ),
        (
            "target: {protocol: gcs}\ntransfer: {digest: crc32c}",
            "transfer.digest",
            "expected none, which is what chunks can carry in gcs, found 'crc32c'",
        ),
        (
            "target: {protocol: oci}\ntransfer: {parallel_chunks: 4}",
            "transfer.parallel_chunks",
            "expected 1, for in oci chunks come one after the other, found 4",
        ),
        ("thresholds: [goodput p99 > 3]", "thresholds[0]", "expected one of mean, total after goodput, found 'p99'"),
    ],
)
def test_a_mistake_says_what_was_expected_and_what_was_found(text: str, key: str, message: str) -> None:
    (found,) = findings(text)
    assert (found.key, found.message) == (key, message)


@pytest.mark.parametrize(
    "url",
    ["http://h/?sig=X", "h/?sig=X", "http://h/#X", "http://h?X", "//me:X@h", "me:X@h", "X@h", "http://me:X/y@h",
     "http://me:X@[h", "http:/me:X@h", "ftp://me:X@h", "http://h:80/a b?X"],
)  # fmt: skip
def test_a_secret_in_a_target_is_refused_and_not_repeated(url: str) -> None:
    for read in (check_url, read_target):
        with pytest.raises(ValueError, match=r"^expected a URL") as caught:
            read(url.replace("X", "hunter2"))
        assert "hunter2" not in str(caught.value)


def test_a_key_that_stands_twice_is_a_mistake() -> None:
    (found,) = findings("seed: 1\nseed: 2\n")
    assert (found.line, found.message) == (2, "expected each key once, found it again (first in line 1)")


def test_a_text_that_is_no_yaml_names_its_place() -> None:
    (found,) = findings("files: [")
    assert (found.line, found.key) == (1, "scenario")
    assert found.message.startswith("is not YAML: ")


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="can't be read: No such file"):
        load(tmp_path / "none.yaml")


def test_a_file_that_is_not_text_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="it is not UTF-8 text"):
        load(path)


def test_environment_variables_are_filled_in() -> None:
    scenario = parse("target: '${TARGET}'\nseed: ${SEED:-7}", "s.yaml", {"TARGET": "http://h:1"})
    assert (scenario.target.url, scenario.seed) == ("http://h:1", 7)


def test_an_unset_variable_is_the_only_mistake_that_is_named_at_its_place() -> None:
    (found,) = findings("target: ${TARGET}")
    assert found.message == "expected the environment variable TARGET to be set, found none"


def test_a_wrong_secret_is_not_shown() -> None:
    (found,) = findings("target: {auth: {bearer: [hunter2]}}")
    assert (found.key, found.message) == ("target.auth.bearer", "expected a text")


def test_a_secret_stays_out_of_everything_that_is_written() -> None:
    scenario = parse("target: {auth: {bearer: '${TOKEN}'}}", "s.yaml", {"TOKEN": "hunter2"})
    assert "hunter2" not in f"{scenario!r} {scenario.resolved()}"
    assert scenario.resolved(reveal_secrets=True)["target"]["auth"] == {"bearer": "hunter2"}


def test_sizes_are_written_as_people_write_them() -> None:
    files = parse("files: [4MiB, 1500B, {size: {uniform: [0B, 1.5GB]}}]", "s.yaml", {}).resolved()["files"]
    assert [file["size"] for file in files] == [
        {"fixed": "4MiB"},
        {"fixed": "1500B"},
        {"uniform": ["0B", "1500000000B"]},
    ]


@pytest.mark.parametrize("text", ["", "files: [16MiB, {size: {lognormal: {median: 4MiB, p95: 1GiB}}, weight: 9}]"])
def test_a_resolved_scenario_is_read_back_as_the_same(text: str) -> None:
    scenario = parse(text, "s.yaml", {})
    assert resolve(scenario.resolved(reveal_secrets=True)) == scenario


def test_three_lines_are_enough() -> None:
    text = "target: http://127.0.0.1:8000\nfiles: [16MiB]\nworkload: {users: {stages: [{to: 10, over: 5s}]}}\n"
    scenario = parse(text, "s.yaml", {})
    assert scenario.build_mix().mean_bytes == 16 << 20
    assert scenario.build_workload().peak_users == 10


def test_a_scenario_without_a_name_is_called_after_its_file(tmp_path: Path) -> None:
    path = tmp_path / "evening.yaml"
    path.write_text("seed: 1\n")
    assert load(path).name == "evening"


def test_a_plugin_may_be_named_by_its_module() -> None:
    protocol, content = "upswarm.protocols.chunked:Chunked", "upswarm.content.random:Random"
    text = f"target: {{protocol: '{protocol}'}}\nfiles: [{{size: 1MiB, content: '{content}'}}]"
    scenario = parse(text, "s.yaml", {})
    assert (str(scenario.target.protocol), scenario.build_mix().draw(0).content.name) == (protocol, content)


def retry(text: str, **environ: str) -> tuple[int, float]:
    """The attempts and the first pause of a scenario in these surroundings."""
    policy = parse(text, "s.yaml", environ).transfer.build().retry
    return policy.attempts, policy.base_s


def test_retries_come_from_the_environment_where_the_scenario_says_nothing() -> None:
    assert retry("") == retry("transfer: {digest: crc32c}") == (5, 0.2)
    assert retry("", MAX_RETRIES="0", RETRY_BACKOFF="1.5") == (1, 1.5)
    assert retry("transfer: {retry: {cap: 30s}}", MAX_RETRIES="7", RETRY_BACKOFF="300ms") == (8, 0.3)
    assert retry("transfer: {retry: {attempts: 2, base: 1s}}", MAX_RETRIES="7", RETRY_BACKOFF="3") == (2, 1.0)
    assert retry("transfer: {retry: {attempts: 2}}", MAX_RETRIES="7", RETRY_BACKOFF="3") == (2, 3.0)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("MAX_RETRIES", "many", "a whole number from 0 to 99"),
        ("MAX_RETRIES", "-1", "a whole number from 0 to 99"),
        ("MAX_RETRIES", "100", "a whole number from 0 to 99"),
        ("RETRY_BACKOFF", "soon", "a duration"),
        ("RETRY_BACKOFF", "-1", "seconds, or a duration"),
        ("RETRY_BACKOFF", "inf", "seconds, or a duration"),
        ("RETRY_BACKOFF", "nan", "seconds, or a duration"),
    ],
)
def test_a_wrong_word_in_the_environment_is_a_mistake(variable: str, value: str, expected: str) -> None:
    (found,) = findings("", {variable: value})
    assert found.key == "environment"
    assert found.message.startswith(f"{variable}: expected {expected}")
    assert repr(value) in found.message


@pytest.mark.parametrize("text", ["transfer:", "transfer: 3", "transfer: {retry: often}", "- 1"])
def test_the_environment_does_not_hide_what_is_wrong_in_the_file(text: str) -> None:
    assert findings(text, {"MAX_RETRIES": "3"}) == findings(text)


@pytest.mark.parametrize("name", ["os:path", "os:getcwd", "builtins:list"])
def test_what_makes_no_protocol_is_none(name: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse(f"target: {{url: http://h, protocol: '{name}'}}", "s.yaml", {})
    (found,) = raised.value.findings
    assert (found.key, found.column) == ("target.protocol", 35)
    assert found.message.startswith(f"expected the class of a protocol, found {name!r}: ")


@pytest.mark.parametrize(
    "text",
    ["\x00", "about: 2026-13-45", "seed: !!int x", "{[a]: b}", "? {a: b}\n: c", "files: &a [*a]", "[" * 3000,
     "!!timestamp x", "seed: !!bool x", "seed: " + "9" * 5000],
)  # fmt: skip
def test_what_is_yaml_by_its_grammar_alone_is_a_mistake_too(text: str) -> None:
    (found,) = findings(text)
    assert found.message.startswith("is not YAML: ")
