import json

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results.samples import STOPPED, attempt, attempts, failed, finished, outcomes, record, times_s
from upswarm.results.histogram import Histogram
from upswarm.results.intervals import FINEST_S, MOST, Intervals
from upswarm.results.sparse_times import SparseTimes
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase

moments_s = st.one_of(st.floats(0, 20), st.floats(0, 100_000))
events = st.lists(st.tuples(st.one_of(attempts(), outcomes()), moments_s), max_size=12)


def recorded(some) -> Intervals:
    intervals = Intervals()
    for event, at_s in some:
        record(intervals, event, at_s)
    return intervals


def times(*values_s: float) -> SparseTimes:
    sparse = SparseTimes()
    for value_s in values_s:
        sparse.record(value_s)
    return sparse


def histogram(sparse: SparseTimes) -> Histogram:
    whole = Histogram()
    sparse.add_to(whole)
    return whole


@given(events, st.integers(1, 4), st.randoms())
def test_adding_the_parts_of_any_split_is_recording_the_whole(some, workers, dice):
    parts = [Intervals() for _ in range(workers)]
    for event, at_s in some:
        record(dice.choice(parts), event, at_s)
    total = Intervals()
    for part in parts:
        total.add(part)
    assert total.to_document() == recorded(some).to_document()


@given(events, events)
def test_what_was_added_is_not_changed(some, more):
    one, other = recorded(some), recorded(more)
    before = other.to_document()
    one.add(other)
    one.add(other)
    assert other.to_document() == before


@given(events)
def test_a_document_survives_json_and_msgpack(some):
    document = recorded(some).to_document()
    for carried in (json.loads(json.dumps(document)), msgpack.unpackb(msgpack.packb(document))):
        assert Intervals.from_document(carried).to_document() == document


@given(events)
def test_there_are_never_more_than_so_many_and_nothing_is_lost(some):
    intervals = recorded(some)
    every = [interval for _, interval in intervals.items()]
    numbers = [round(middle_s / intervals.width_s - 0.5) for middle_s, _ in intervals.items()]
    assert len(every) <= max(numbers, default=0) - min(numbers, default=0) + 1 <= MOST
    assert len(intervals) == max(numbers, default=-1) + 1
    assert intervals.width_s / FINEST_S in {2**power for power in range(24)}
    counted = sum(tally.attempts for each in every for tally in each.phases.values())
    assert counted == sum(not hasattr(event, "end") for event, _ in some)


@given(events)
def test_counted_from_the_start_there_are_no_more_either_and_nothing_is_changed(some):
    intervals = recorded(some)
    before = intervals.to_document()
    wide = intervals.from_start()
    assert len(wide) <= MOST
    assert wide.width_s >= intervals.width_s
    assert intervals.to_document() == before
    anchored = recorded([*some, (STOPPED, 0.0)])  # counts for nothing
    assert wide is intervals or wide.width_s >= anchored.width_s


def test_what_a_worker_reports_late_in_a_run_is_as_fine_as_at_its_start():
    hours_s = 5 * 3600.0
    late = recorded([(attempt(), hours_s + at_s) for at_s in (0.1, 0.4, 2.9)])
    assert late.width_s == FINEST_S
    assert Intervals.from_document(late.to_document()).to_document() == late.to_document()
    whole = recorded([(attempt(), 0.0)])
    whole.add(late)
    assert whole.width_s == 128


def test_an_event_is_in_the_interval_in_which_it_ended():
    intervals = recorded([(attempt(sent_bytes=7), 0.1), (attempt(sent_bytes=8), 0.6), (finished(1000), 0.6)])
    assert intervals.width_s == 0.25
    assert [intervals.at(number).uploads.finished_bytes for number in range(4)] == [0, 0, 1000, 0]
    sent = [intervals.at(number).phase(Phase.CHUNK).bytes_sent for number in (0, 1, 2)]
    assert sent == [7, 0, 8]


def test_a_longer_run_has_wider_intervals():
    intervals = recorded([(attempt(), 0.1), (attempt(), 0.3), (attempt(), FINEST_S * MOST)])
    assert intervals.width_s == 0.5
    assert intervals.at(0).phase(Phase.CHUNK).attempts == 2
    assert len(intervals) == MOST // 2 + 1


def test_failed_and_stopped_attempts_have_no_time():
    some = [attempt(failure=Failure.BUSY, number=2), attempt(failure=Failure.STOPPED), attempt()]
    tally = recorded([(each, 0.0) for each in some]).at(0).phase(Phase.CHUNK)
    assert (tally.attempts, tally.failed, tally.retries, tally.response_time.count) == (3, 1, 1, 1)


def test_only_finished_uploads_have_a_time_and_stopped_ones_are_none():
    uploads = recorded([(finished(resumes=2), 0.0), (failed(), 0.0), (STOPPED, 0.0)]).at(0).uploads
    assert (uploads.finished, uploads.failed, uploads.resumes, uploads.response_time.count) == (1, 1, 2, 1)


@given(times_s)
def test_a_time_is_kept_to_four_thousandths(value_s):
    kept_s = times(value_s).mean_s
    assert kept_s == pytest.approx(min(max(value_s, 1e-6), 3600.0), rel=0.004, abs=0.5e-6)


@given(st.lists(times_s, min_size=1), st.sampled_from([1.0, 50.0, 99.0, 100.0]))
def test_percentiles_are_those_of_a_full_histogram(values_s, percentile):
    full = Histogram()
    for value_s in values_s:
        full.record(value_s)
    sparse = histogram(times(*values_s))
    assert sparse.count == full.count
    assert sparse.percentile_s(percentile) == pytest.approx(full.percentile_s(percentile), rel=0.006, abs=1e-6)


@pytest.mark.parametrize("text", ["not base64!", "AAAA", 7])
def test_mangled_times_are_refused(text):
    with pytest.raises(ValueError, match="expected an encoded histogram, found"):
        SparseTimes.decode(text)


def test_no_times_are_no_text():
    assert SparseTimes().encode() == ""
    assert SparseTimes.decode("").mean_s is None
