"""`target.metrics`: where a server tells what it has counted."""

import pytest
from pydantic import ValidationError

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
