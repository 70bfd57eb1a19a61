"""`target.metrics`: where a server tells what it has counted."""

import pytest
from pydantic import ValidationError

from upswarm.scenario.loader import parse, resolve
from upswarm.scenario.target import TargetRoom


@pytest.mark.parametrize("place", ["/metrics", "/internal/prom?all=1", "https://metrics.example.org:9100/metrics"])
def test_a_path_or_a_url_will_do(place):
    assert TargetRoom(metrics=place).metrics == place


@pytest.mark.parametrize("place", ["metrics", "", "ftp://example.org/metrics", "http:///metrics", "embedded"])
def test_anything_else_is_refused(place):
    with pytest.raises(ValidationError, match="expected"):
        TargetRoom(metrics=place)


def test_credentials_in_it_are_refused():
    with pytest.raises(ValidationError, match="expected a URL without credentials"):
        TargetRoom(metrics="http://user:word@example.org/metrics")


def test_what_its_query_says_goes_to_workers_and_into_no_run_file():
    place = "https://h/v1/metrics?format=prometheus&token=hunter2&quick"
    scenario = parse(f"target: {{url: 'http://h', metrics: '{place}'}}", "s.yaml", {})
    kept = scenario.resolved()
    assert kept["target"]["metrics"] == "https://h/v1/metrics?format=***&token=***&***"
    assert "hunter2" not in f"{scenario!r} {kept} {scenario.model_dump_json()}"
    assert resolve(scenario.resolved(reveal_secrets=True)) == scenario
    assert resolve(kept).target.url == "http://h"
