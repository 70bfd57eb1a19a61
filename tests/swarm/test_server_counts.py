"""Reading the server's own counters; in a process of its own where Locust would be imported."""

import pytest

from upswarm.swarm.server_counts import MOST, difference, parsed

TEXT = """\
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{status="204",method="PUT"} 7.0
requests_total{status="500",method="say \\"no\\""} 1.0
# TYPE waiting gauge
waiting 3.0
# TYPE took_seconds histogram
took_seconds_bucket{le="+Inf"} 9.0
took_seconds_count 9.0
# TYPE upswarm_files gauge
upswarm_files 4.0
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1000.5
"""


def test_counters_are_named_as_in_the_text_with_their_labels_in_order():
    assert parsed(TEXT) == {
        'requests_total{method="PUT",status="204"}': 7.0,
        'requests_total{method="say \\"no\\"",status="500"}': 1.0,
        "upswarm_files": 4.0,
        "process_start_time_seconds": 1000.5,
    }


@pytest.mark.parametrize("text", ["<html>no</html>", "a b c d", "x{", '{"a": 1}'])
def test_what_is_no_text_of_prometheus_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 (the parser's own words)
        parsed(text)


def test_only_what_was_counted_in_between_is_kept():
    before = {"a": 3.0, "b": 5.0, "upswarm_files": 9.0, "x_start_time_seconds": 1.0}
    after = {"a": 4.0, "b": 5.0, "c": 2.0, "upswarm_files": 7.0, "x_start_time_seconds": 1.0}
    assert difference(before, after) == {"a": 1.0, "c": 2.0, "upswarm_files": -2.0}


@pytest.mark.parametrize("after", [{"a": 2.0}, {}, {"a": 9.0, "x_start_time_seconds": 2.0}, {"b": 9.0}])
def test_nobody_knows_what_a_server_counted_that_was_started_anew(after):
    assert difference({"a": 3.0, "x_start_time_seconds": 1.0}, after) == {}


def test_their_number_is_bounded():
    assert len(difference({"a": 1.0}, {"a": 1.0, **{f"c{number}": 1.0 for number in range(MOST + 9)}})) == MOST
