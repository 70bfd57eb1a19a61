"""Overrides: what a run may have otherwise than its scenario says, and what is said of what it can't have."""

from __future__ import annotations

from pathlib import Path

import pytest

from upswarm.errors import UsageError
from upswarm.scenario.loader import parse, resolve
from upswarm.scenario.model import Scenario
from upswarm.scenario.overrides import Overrides

URL = "http://h:1"


def scenario(text: str = "") -> Scenario:
    return parse(text, "s.yaml", {"TOKEN": "hunter2"})


def refused(overrides: Overrides, text: str = "", target: str | None = None) -> list[str]:
    with pytest.raises(UsageError) as raised:
        overrides.applied_to(scenario(text), target)
    return str(raised.value).splitlines()


def test_nothing_wished_is_the_scenario_itself() -> None:
    own = scenario()
    assert Overrides().applied_to(own) is own


def test_each_override_stands_where_the_yaml_would_have_it() -> None:
    changed = Overrides("tus", "compressible:3", "8MiB", "4", "sha256").applied_to(scenario())
    written = scenario(
        "target: {protocol: tus}\nfiles: [{size: 16MiB, content: {compressible: 3}}]\n"
        "transfer: {chunk_size: 8MiB, parallel_chunks: 4, digest: sha256}"
    )
    assert changed == written
    assert resolve(changed.resolved()) == changed


def test_the_content_is_that_of_all_classes_and_nothing_else_of_them_changes() -> None:
    own = scenario("files: [1MiB, {size: 2MiB, weight: 3, content: {dedup: {ratio: 2, block: 64KiB}}}]")
    changed = Overrides(content="random").applied_to(own)
    assert [each.content.build().name for each in changed.files] == ["random", "random"]
    assert [(each.size, each.weight) for each in changed.files] == [(each.size, each.weight) for each in own.files]


def test_a_path_is_relative_to_where_the_command_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    changed = Overrides(content="corpus:photos").applied_to(scenario())
    assert changed.files[0].content.build().parameters == {"path": str(tmp_path / "photos")}


def test_a_protocol_of_ones_own_description_can_be_replaced() -> None:
    text = Path("scenarios/custom-http.yaml").read_text()
    changed = Overrides(protocol="put", digest="none", parallel_chunks="1").applied_to(scenario(text), URL)
    assert str(changed.target.protocol) == "put"


def test_credentials_outlive_it() -> None:
    own = scenario("target: {url: http://h:1, auth: {bearer: '${TOKEN}'}}")
    changed = Overrides(digest="crc32c").applied_to(own)
    assert changed.target == own.target
    assert "hunter2" not in repr(changed)


def test_all_mistakes_are_said_at_once_each_behind_its_option() -> None:
    said = refused(Overrides("tuss", "randum", "8 parsecs", "x", "md5"))
    assert sorted(line.partition(", found")[0].partition("(")[0] for line in said) == [
        "--chunk-size: expected `server` or a size such as 8MiB or 1.5GB",
        "--content: expected a content ",
        "--digest: expected 'none', 'crc32c' or 'sha256'",
        "--parallel-chunks: expected a whole number",
        "--protocol: expected a protocol ",
    ]


@pytest.mark.parametrize(
    ("overrides", "text", "said"),
    [
        (Overrides(parallel_chunks="4"), "target: {url: 'http://h:1', protocol: put}",
         ["--parallel-chunks: expected 1, for in put chunks come one after the other, found 4"]),
        (Overrides(protocol="put"), "target: http://h:1\ntransfer: {digest: crc32c, parallel_chunks: 4}",
         ["--protocol: the scenario's transfer.parallel_chunks: expected 1, for in put chunks come one after "
          "the other, found 4 (give --parallel-chunks too)",
          "--protocol: the scenario's transfer.digest: expected none, which is what chunks can carry in put, "
          "found 'crc32c' (give --digest too)"]),
        (Overrides(protocol="s3"), "",
         ["--protocol: expected chunked or tus, which is what the embedded server speaks, or another target; "
          "found 's3'"]),
        (Overrides(content="random"), f"files: [{{content: {{corpus: {__file__}}}}}]",
         ["--content: the scenario's files[0].size: is missing, but needed"]),
        (Overrides(content="compressible:900"), "", ["--content: expected at most 100, found 900"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(overrides: Overrides, text: str, said: list[str]) -> None:
    assert refused(overrides, text) == said
