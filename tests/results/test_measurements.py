import json

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results.samples import STOPPED, attempt, events, failed, finished, measured, record
from upswarm.results.measurements import Measurements
from upswarm.results.recorder import Recorder
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase


@given(events, st.integers(1, 4), st.randoms())
def test_adding_the_parts_of_any_split_is_recording_the_whole(some, workers, dice):
    parts = [Measurements() for _ in range(workers)]
    for event, second in some:
        record(dice.choice(parts), event, second)
    total = Measurements()
    for part in parts:
        total.add(part)
    assert total.to_document() == measured(some).to_document()


@given(events)
def test_a_document_survives_json_and_msgpack(some):
    document = measured(some).to_document()
    for carried in (json.loads(json.dumps(document)), msgpack.unpackb(msgpack.packb(document))):
        assert carried == document
        assert Measurements.from_document(carried).to_document() == document


@given(events, events)
def test_what_was_read_from_a_document_can_be_added_to(some, more):
    total = Measurements.from_document(measured(some).to_document())
    total.add(measured(more))
    assert total.to_document() == measured([*some, *more]).to_document()


@given(events, events)
def test_what_was_added_is_not_changed(some, more):
    one, other = measured(some), measured(more)
    before = other.to_document()
    one.add(other)
    one.add(other)
    assert other.to_document() == before


@given(events)
def test_the_seconds_add_up_to_the_totals(some):
    total = measured(some)
    at = total.seconds.values()
    assert sum(each.attempts for each in at) == total.attempts
    assert sum(each.failed for each in at) == sum(tally.failed for tally in total.phases.values())
    assert sum(each.bytes_sent for each in at) == sum(tally.bytes_sent for tally in total.phases.values())
    assert sum(each.finished for each in at) == total.uploads.finished
    assert sum(each.finished_bytes for each in at) == total.uploads.finished_bytes


@given(events)
def test_every_attempt_is_either_good_failed_or_stopped(some):
    for tally in measured(some).phases.values():
        assert tally.attempts == tally.response_time.count + tally.failed + tally.stopped
        assert tally.response_time.count == tally.service_time.count
        assert tally.failed == tally.failed_response_time.count == sum(tally.failures.values())


def test_response_time_counts_from_due_and_service_time_from_sent():
    tally = measured([(attempt(took_s=1.0, late_s=0.5), 0)]).phases[Phase.CHUNK]
    assert tally.response_time.max_s == pytest.approx(1.5, rel=1e-3)
    assert tally.service_time.max_s == pytest.approx(1.0, rel=1e-3)


def test_a_fast_refusal_is_no_fast_service():
    refused = attempt(took_s=0.001, failure=Failure.BUSY, status=503)
    tally = measured([(refused, 0), (attempt(took_s=1.0), 0)]).phases[Phase.CHUNK]
    assert tally.response_time.min_s == pytest.approx(1.0, rel=1e-3)
    assert tally.failed_response_time.max_s == pytest.approx(0.001, rel=1e-3)
    assert (tally.attempts, tally.failed) == (2, 1)


def test_failures_are_counted_by_kind_and_status():
    some = [
        attempt(failure=Failure.BUSY, status=503),
        attempt(failure=Failure.BUSY, status=429),
        attempt(failure=Failure.CUT),
    ]
    tally = measured([(each, 0) for each in some]).phases[Phase.CHUNK]
    assert tally.failures == {"busy (503)": 1, "busy (429)": 1, "cut": 1}


def test_a_stopped_attempt_is_no_failure_and_has_no_time():
    tally = measured([(attempt(failure=Failure.STOPPED), 0)]).phases[Phase.CHUNK]
    assert (tally.attempts, tally.stopped, tally.failed, tally.failed_response_time.count) == (1, 1, 0, 0)


def test_everything_above_the_first_try_is_a_retry():
    some = [attempt(number=1), attempt(number=2), attempt(number=3, failure=Failure.CUT)]
    assert measured([(each, 0) for each in some]).phases[Phase.CHUNK].retries == 2


def test_only_whole_files_are_goodput():
    total = measured([(finished(1000, resumes=2), 3), (failed(), 3), (STOPPED, 3), (finished(0), 4)])
    uploads = total.uploads
    assert (uploads.finished, uploads.failed, uploads.stopped, uploads.resumes) == (2, 1, 1, 2)
    assert (uploads.finished_bytes, uploads.failures, uploads.response_time.count) == (1000, {"gone": 1}, 2)
    assert {second: at.finished for second, at in total.seconds.items()} == {3: 1, 4: 1}


def test_a_document_names_only_the_phases_that_were():
    document = measured([(attempt(Phase.INIT), 0)]).to_document()
    assert list(document["phases"]) == ["init"]


def test_the_recorder_hands_out_everything_once():
    recorder = Recorder(started_s=10.0)
    recorder.attempted(attempt(took_s=0.5))
    recorder.ended(finished(took_s=2.5))
    taken = recorder.take()
    assert (taken.attempts, taken.uploads.finished, sorted(taken.seconds)) == (1, 1, [0, 2])
    assert recorder.take().to_document() == Measurements().to_document()


def test_what_ended_before_the_start_belongs_to_the_first_second():
    recorder = Recorder(started_s=99.0)
    recorder.attempted(attempt())
    assert list(recorder.take().seconds) == [0]
