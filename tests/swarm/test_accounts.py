"""Uploads that were nobody's, or that two workers began."""

from __future__ import annotations

from upswarm.results.measurements import Measurements
from upswarm.scenario.loader import resolve
from upswarm.swarm.accounts import imbalance

ARRIVALS = {"arrivals": {"stages": [{"rate": "10/s", "hold": "10s"}], "max_in_flight": 4}}
COUNTED = {"iterations": {"count": 100, "users": 4}}
PEOPLE = {"users": {"stages": [{"to": 4, "over": "0s"}, {"hold": "10s"}]}}


def said(kind, *, begun=0, dropped=0, made=0, following=(), complete=True):
    measured = Measurements()
    measured.arrivals.begun, measured.arrivals.dropped, measured.files.made = begun, dropped, made
    return imbalance(resolve({"workload": kind}).build_workload(), measured, following, complete=complete)


def test_nothing_is_said_of_what_adds_up():
    assert said(ARRIVALS, begun=93, dropped=7) == ""
    assert said(COUNTED, made=100) == ""
    assert said(PEOPLE, made=17) == "", "there is always another file"


def test_arrivals_that_were_nobodys_are_said():
    assert said(ARRIVALS, begun=90, dropped=3).startswith(
        "7 of the run's 100 arrivals were nobody's (90 begun, 3 dropped): "
    )


def test_what_was_begun_twice_is_said():
    assert said(COUNTED, made=102).startswith("2 of the run's 100 uploads were begun twice (102 begun)")
    assert said(ARRIVALS, begun=101).startswith("1 of the run's 100 arrivals were begun twice")


def test_an_early_end_spares_what_was_still_to_come():
    assert said(ARRIVALS, begun=40, dropped=2, following=[44, 45, 42, 43], complete=False) == ""
    assert said(ARRIVALS, following=[0, 1, 2, 3], complete=False) == "", "it had not begun"


def test_a_slot_that_nobody_had_is_missed_up_to_the_early_end():
    """Of slots 2 and 3 the numbers 2, 3, 6 and 7 were begun, and then they were lost; 42 may not have been due."""
    text = said(ARRIVALS, begun=22 + 4, following=[44, 45], complete=False)
    assert text.startswith("16 of the run's 100 arrivals were nobody's (26 begun, 0 dropped, 58 cut off by the early")


def test_where_nobody_is_left_nobody_can_say():
    assert said(ARRIVALS, begun=5, complete=False) == ""
    assert said(COUNTED, made=5, complete=False) == "", "that it was cut off is said already"
