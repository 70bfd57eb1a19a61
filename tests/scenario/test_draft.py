"""A new scenario as a text: whatever was answered, it loads, and says what was answered."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.scenario import answers
from upswarm.scenario.answers import Load
from upswarm.scenario.credentials import CREDENTIALS, Credentials, read_credentials
from upswarm.scenario.draft import Draft
from upswarm.scenario.loader import parse
from upswarm.scenario.urls import EMBEDDED
from upswarm.units import parse_rate

URLS = [
    "http://127.0.0.1:8000",
    "https://h/a;b=c&d=%23e",
    "http://h/%7Bx%7D,[1]",
    "http://h/'\"-*&!|>@`",
    "http://h/ä: x",
]
NAMES = ["evening", "1.5", "on", "null", "2026-01-01", "0x10", "a.b_c-d", "No", "1e3"]
CONTENTS = ["sparse", "random", "compressible:2.5", "dedup:4", f"corpus:{__file__}"]
THRESHOLDS = (
    "upload.failed count == 0",
    "chunk.failed rate < 0.1%",
    "goodput mean > 1MiB/s",
    "init.response_time p99 < 2s",
)
PROTOCOLS = sorted(answers.protocols(URLS[0]))

loads = st.one_of(
    st.builds(Load, users=st.integers(1, 100_000)),
    st.builds(Load, uploads=st.integers(1, 10**9), users=st.none() | st.integers(1, 50)),
    st.sampled_from(["1/s", "2.5/s", "300/m", "100000/s"]).map(lambda rate: Load(rate=rate)),
)
drafts = st.builds(
    Draft,
    name=st.sampled_from(NAMES),
    target=st.sampled_from([EMBEDDED, *URLS]),
    protocol=st.sampled_from([*PROTOCOLS, "upswarm.protocols.tus:Tus"]),
    credentials=st.sampled_from(sorted(CREDENTIALS)).map(read_credentials),
    size=st.sampled_from(["0B", "1", "16MiB", "1MiB-64MiB", "1.5GB"]).map(answers.read_size),
    content=st.sampled_from(CONTENTS).map(answers.read_content),
    load=loads,
    duration_s=st.floats(1, 30 * 24 * 3600),
    chunk_size=st.sampled_from(["server", "1", "64KiB", "8MiB"]).map(answers.read_chunk_size),
    thresholds=st.lists(st.sampled_from(THRESHOLDS), min_size=1).map(tuple),
)


@given(drafts)
def test_every_draft_is_a_scenario_that_says_what_was_answered(draft: Draft) -> None:
    scenario = draft.scenario("x.yaml")
    assert (scenario.name, scenario.target.url) == (draft.name, draft.target)
    assert str(scenario.target.protocol) == draft.protocol
    assert scenario.thresholds == draft.thresholds
    assert scenario.resolved()["files"][0]["content"] == draft.content
    assert scenario.resolved()["transfer"]["chunk_size"] == (
        "server" if draft.protocol in answers.WHOLE_FILES else draft.chunk_size
    )


@given(drafts)
def test_the_workload_is_as_large_and_as_long_as_was_answered(draft: Draft) -> None:
    workload = draft.scenario("x.yaml").workload
    if draft.load.rate is not None:
        assert workload.arrivals is not None
        (stage,) = workload.arrivals.stages
        assert stage.rate == parse_rate(draft.load.rate)
        assert stage.hold == pytest.approx(draft.duration_s, abs=0.001)
    elif draft.load.uploads is not None:
        assert workload.iterations is not None
        assert workload.iterations.count == draft.load.uploads
        assert draft.load.users in {None, workload.iterations.users}
    else:
        assert workload.users is not None
        stages = workload.users.build().stages
        assert stages.peak == draft.load.users
        assert stages.duration_s == pytest.approx(draft.duration_s, abs=0.001)


@given(drafts)
def test_a_draft_is_short_and_names_variables_only(draft: Draft) -> None:
    text = draft.text("schema.json")
    assert len(text.splitlines()) <= 25 + len(draft.thresholds)
    assert text.startswith("# yaml-language-server: $schema=schema.json\nname: ")
    assert text.endswith("\n")
    for variable in draft.credentials.variables:
        assert f"${{{variable}}}" in text


@pytest.mark.parametrize("kind", sorted(set(CREDENTIALS) - {"none"}))
def test_credentials_come_from_the_environment(kind: str) -> None:
    draft = replace(DRAFT, credentials=read_credentials(kind))
    environ = {name: f"{number:04}" for number, name in enumerate(draft.credentials.variables)}
    auth = parse(draft.text(""), "x.yaml", environ).target.auth
    assert auth is not None
    assert all(value in str(auth.revealed()) for value in environ.values())


def test_what_the_environment_says_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOAD_TOKEN", "hunter2")
    monkeypatch.setenv("MAX_RETRIES", "many")
    draft = replace(DRAFT, credentials=read_credentials("bearer"))
    assert "hunter2" not in str(draft.scenario("x.yaml").resolved(reveal_secrets=True))


DRAFT = Draft(
    "x", EMBEDDED, "chunked", Credentials("none"), "1MiB", "random", Load(users=2), 10.0, "server", THRESHOLDS
)
