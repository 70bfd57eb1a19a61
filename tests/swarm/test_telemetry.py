"""What Prometheus and OpenTelemetry are told, and who asked for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.reports import runs
from tests.reports.live.test_live import live_of
from upswarm.reports.live.live import Live
from upswarm.results.histogram import Histogram
from upswarm.swarm.telemetry import wishes
from upswarm.swarm.telemetry.figures import BUCKETS_S, PREFIX, TABLE, cumulative, markdown, samples

PAGE = (Path(__file__).parents[2] / "docs" / "watching.md").read_text()
ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
ROWS = {row.name: row for row in TABLE}


def test_the_page_has_the_table_of_metrics() -> None:
    assert markdown() in PAGE


@pytest.mark.parametrize("build", runs.RUNS.values())
def test_every_value_belongs_to_a_row_and_every_series_is_there_once(build) -> None:
    found = list(samples(live_of(build())))
    assert all(len(ROWS[each.name].labels) == len(each.labels) for each in found)
    assert all(isinstance(each.value, Histogram) == (ROWS[each.name].kind == "histogram") for each in found)
    assert len({(each.name, each.labels) for each in found}) == len(found)


def test_before_a_run_it_is_only_said_that_there_is_none() -> None:
    assert [tuple(each) for each in samples(Live())] == [("upswarm_load_running", (), False)]


def test_names_are_as_prometheus_wants_them() -> None:
    for row in TABLE:
        assert row.name.startswith(PREFIX)
        assert row.name.endswith("_total") == (row.kind == "counter")
        assert row.kind != "histogram" or row.name.endswith("_seconds")


def test_a_time_that_nobody_knows_is_absent() -> None:
    live = replace(live_of(next(iter(runs.RUNS.values()))()), planned_s=None)
    assert f"{PREFIX}planned_seconds" not in {each.name for each in samples(live)}


def test_buckets_hold_all_times_up_to_their_ends() -> None:
    times = Histogram()
    for value_s in (0.0005, 0.0009, 0.004, 0.3, 9.9, 4000):
        times.record(value_s)
    counts = dict(cumulative(times))
    assert list(counts) == list(BUCKETS_S)
    assert (counts[0.001], counts[0.0025], counts[0.005], counts[0.25], counts[0.5], counts[300]) == (2, 2, 3, 3, 4, 5)
    assert set(dict(cumulative(Histogram())).values()) == {0}


@pytest.mark.parametrize(
    ("environ", "traces", "metrics"),
    [
        ({}, False, False),
        (ENDPOINT, True, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True, False),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, False, True),
        (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False, True),
        (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False, False),
    ],
)
def test_only_what_the_environment_asks_for_is_sent(environ, traces: bool, metrics: bool) -> None:
    assert (wishes.wished("traces", environ), wishes.wished("metrics", environ)) == (traces, metrics)
    assert list(wishes.complaints(environ)) == []


def test_what_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ENDPOINT | {"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert list(wishes.complaints(asked)) == [
        "OTEL_TRACES_EXPORTER: expected otlp or none, found zipkin",
        "OTEL_EXPORTER_OTLP_PROTOCOL: expected http/protobuf, which is used now, found grpc",
    ]
    monkeypatch.setattr(wishes, "find_spec", lambda _: None)
    (missing,) = wishes.complaints(ENDPOINT)
    assert missing.endswith("so none are sent: pip install 'upswarm[otel]'")
