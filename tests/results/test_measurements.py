import json
from dataclasses import replace

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.results.samples import STOPPED, attempt, attempts, events, failed, finished, measured, outcomes, record
from upswarm.results.measurements import Measurements
from upswarm.results.recorder import Recorder
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Timings
from upswarm.transfer.records import End, Outcome
from upswarm.workload.pacing import Arrival


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
def test_every_attempt_is_either_good_failed_stopped_or_cut_on_purpose(some):
    for tally in measured(some).phases.values():
        assert tally.attempts == tally.response_time.count + tally.failed + tally.stopped + tally.interrupted
        assert tally.response_time.count == tally.service_time.count
        assert tally.failed == tally.failed_response_time.count == sum(tally.failures.values())


def test_response_time_counts_from_due_and_service_time_from_sent():
    tally = measured([(attempt(took_s=1.0, late_s=0.5), 0)]).phases[Phase.CHUNK]
    assert tally.response_time.max_s == pytest.approx(1.5, rel=1e-3)
    assert tally.service_time.max_s == pytest.approx(1.0, rel=1e-3)


def test_a_fast_refusal_is_no_fast_service():
    refused = attempt(took_s=0.001, failure=Failure.SERVER_ERROR, status=503)
    tally = measured([(refused, 0), (attempt(took_s=1.0), 0)]).phases[Phase.CHUNK]
    assert tally.response_time.min_s == pytest.approx(1.0, rel=1e-3)
    assert tally.failed_response_time.max_s == pytest.approx(0.001, rel=1e-3)
    assert (tally.attempts, tally.failed) == (2, 1)


def test_failures_are_counted_by_kind_and_status():
    some = [
        attempt(failure=Failure.SERVER_ERROR, status=503),
        attempt(failure=Failure.THROTTLED, status=429),
        attempt(failure=Failure.TORN),
    ]
    tally = measured([(each, 0) for each in some]).phases[Phase.CHUNK]
    assert tally.failures == {"server_error (503)": 1, "throttled (429)": 1, "torn": 1}


def timed(some, **changes):
    return measured([(replace(attempt(**changes), timings=each), 0) for each in some]).phases[Phase.CHUNK]


def test_connecting_sending_and_waiting_are_told_apart():
    tally = timed([Timings(0.5, 0.25, 1.0), Timings(0.0, 0.125, 0.375, reused=True)])
    assert (tally.connected, tally.reused) == (1, 1)
    assert [value_s for value_s, _ in tally.connect_time.counts()] == [pytest.approx(0.5, rel=1e-3)]
    assert [value_s for value_s, _ in tally.send_time.counts()] == pytest.approx([0.125, 0.25], rel=1e-3)
    assert [value_s for value_s, _ in tally.wait_time.counts()] == pytest.approx([0.25, 0.75], rel=1e-3)


def test_an_answer_that_came_while_the_body_was_sent_was_not_waited_for():
    assert timed([Timings(0.0, 1.0, 0.5, reused=True)]).wait_time.max_s == 1e-6


def test_the_parts_of_failed_attempts_do_not_mix_with_those_of_good_ones_but_their_connections_count():
    tally = timed([Timings(0.5, 0.25, 1.0), Timings(0.0, reused=True), Timings()], failure=Failure.DENIED)
    assert (tally.connected, tally.reused) == (1, 1)
    assert (tally.connect_time.count, tally.send_time.count, tally.wait_time.count) == (0, 0, 0)


def test_files_are_summed_by_what_they_seem_and_what_they_take():
    total = Measurements()
    total.record_file(1000, 0)
    total.record_file(500, 512)
    assert (total.files.made, total.files.apparent_bytes, total.files.allocated_bytes) == (2, 1500, 512)


def test_cpu_time_is_a_share_of_a_core_for_each_second_of_each_worker():
    total, other = Measurements(), Measurements()
    total.record_cpu(0.5, 1.0, 3.5)
    other.record_cpu(1.2, 1.25, 3.5)
    total.add(other)
    assert {second: at.cpu_ms for second, at in total.seconds.items()} == {3: 1700}
    assert [share for share, _ in total.generator.cpu.counts()] == pytest.approx([0.5, 0.96], rel=1e-3)
    assert total.generator.busy_seconds == 1


def test_the_brief_form_says_the_same():
    whole = measured([(replace(attempt(), timings=Timings(0.5, 0.25, 1.0)), 0), (finished(), 1), (failed(), 2)])
    brief = msgpack.unpackb(msgpack.packb(whole.to_document(brief=True)))
    assert Measurements.from_document(brief).to_document() == whole.to_document()


def test_seconds_are_columns_that_begin_with_the_run_and_in_a_report_with_what_it_tells_of():
    total = measured([(attempt(sent_bytes=7), 2), (finished(9), 4)])
    whole, brief = total.to_document()["seconds"], total.to_document(brief=True)["seconds"]
    assert (whole["first"], whole["bytes_sent"], whole["finished_bytes"]) == (0, [0, 0, 7, 0, 0], [0, 0, 0, 0, 9])
    assert (brief["first"], brief["bytes_sent"], brief["finished_bytes"]) == (2, [7, 0, 0], [0, 0, 9])


def test_a_stopped_attempt_is_no_failure_and_has_no_time():
    tally = measured([(attempt(failure=Failure.STOPPED), 0)]).phases[Phase.CHUNK]
    assert (tally.attempts, tally.stopped, tally.failed, tally.failed_response_time.count) == (1, 1, 0, 0)


def test_an_attempt_that_was_cut_on_purpose_is_no_failure_and_has_no_time():
    total = measured([(attempt(failure=Failure.INTERRUPTED, sent_bytes=7), 0)])
    tally = total.phases[Phase.CHUNK]
    assert (tally.attempts, tally.interrupted, tally.failed, tally.failed_response_time.count) == (1, 1, 0, 0)
    assert (tally.bytes_sent, total.seconds[0].failed) == (7, 0)
    assert total.intervals.at(0).phase(Phase.CHUNK).failed == 0


def test_an_upload_given_up_on_purpose_is_neither_finished_nor_failed():
    total = measured([(Outcome(End.ABORTED, "a.bin", 1000, 10.0, 11.0, interruptions=1, resumes=1), 0)])
    uploads = total.uploads
    assert (uploads.finished, uploads.failed, uploads.aborted, uploads.stopped) == (0, 0, 1, 0)
    assert (uploads.interruptions, uploads.resumes, uploads.response_time.count) == (1, 1, 0)
    assert total.intervals.at(0).uploads.failed == 0


def test_what_going_on_again_cost_is_counted():
    again = replace(finished(took_s=30.0), interruptions=1, restarts=2, resent_bytes=300, away_s=20.0)
    uploads = measured([(again, 0), (again, 0)]).uploads
    assert (uploads.interruptions, uploads.restarts, uploads.resent_bytes) == (2, 4, 600)
    assert uploads.response_time.max_s == pytest.approx(10.0, rel=1e-3), "without the time away"


def test_what_the_budget_let_fail_is_counted():
    some = [replace(attempt(failure=Failure.TORN), unretried=True), attempt(failure=Failure.TORN)]
    assert measured([(each, 0) for each in some]).phases[Phase.CHUNK].unretried == 1


def test_everything_above_the_first_try_is_a_retry():
    some = [attempt(number=1), attempt(number=2), attempt(number=3, failure=Failure.TORN)]
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
    taken = recorder.take().measurements
    assert (taken.attempts, taken.uploads.finished, sorted(taken.seconds)) == (1, 1, [0, 2])
    assert recorder.take().measurements.to_document() == Measurements().to_document()


@given(st.lists(st.tuples(st.one_of(attempts(), outcomes()), st.floats(0, 20)), max_size=12), st.floats(0.5, 15))
def test_a_warm_up_is_kept_apart_to_the_event(some, warm_up_s):
    recorder = Recorder(0.0, warm_up_s=warm_up_s)
    moved = [replace(event, ended_s=at_s) for event, at_s in some]
    for event in moved:
        (recorder.ended if isinstance(event, Outcome) else recorder.attempted)(event)
    taken = recorder.take()
    warm, settled = Measurements(), Measurements()
    for event in moved:
        record(settled if event.ended_s >= warm_up_s else warm, event, event.ended_s)
    assert taken.settled is not None
    assert taken.measurements.to_document() == warm.to_document()
    assert taken.settled.to_document() == settled.to_document()


def test_without_a_warm_up_nothing_is_kept_apart():
    recorder = Recorder(0.0)
    recorder.attempted(attempt())
    taken = recorder.take()
    assert (taken.settled, taken.classes, taken.measurements.attempts) == (None, {}, 1)


def test_everything_else_of_the_warm_up_is_apart_too():
    recorder = Recorder(100.0, warm_up_s=2.0)
    for now_s in (101.0, 102.0, 103.0):
        recorder.woke(0.001, now_s)
        recorder.saw(4, now_s)
        recorder.spent(0.5, 0.0, from_s=now_s - 0.5, to_s=now_s + 0.5)
        recorder.dropped(7, now_s)
        recorder.began(Arrival(7, now_s - 0.2, now_s))
    taken = recorder.take()
    for part, count in ((taken.measurements, 1), (taken.settled, 2)):
        assert (part.generator.lag.count, part.generator.cpu.count, len(part.seconds)) == (count,) * 3
        assert (part.arrivals.begun, part.arrivals.dropped) == (count,) * 2


def test_uploads_in_flight_are_the_most_of_each_second_wherever_it_is_taken_away():
    recorder = Recorder(100.0)
    total = Measurements()
    for now_s, in_flight in ((100.02, 0), (100.4, 6), (100.9, 3), (101.1, 2), (101.6, 4)):
        recorder.saw(in_flight, now_s)
        total.add(recorder.take().measurements)
    recorder.looked()
    total.add(recorder.take().measurements)
    assert {at: second.in_flight for at, second in total.seconds.items()} == {0: 6, 1: 4}


def test_classes_have_intervals_where_they_are_wanted():
    recorder = Recorder(0.0, by_class=True)
    recorder.attempted(replace(attempt(), file_class="large"))
    recorder.ended(replace(finished(), file_class="large"))
    recorder.attempted(attempt())
    (large,) = recorder.take().classes.values()
    assert sum(each.uploads.finished for _, each in large.items()) == 1
    assert sum(tally.attempts for _, each in large.items() for tally in each.phases.values()) == 1


def test_what_ended_before_the_start_belongs_to_the_first_second():
    recorder = Recorder(started_s=99.0)
    recorder.attempted(attempt())
    assert list(recorder.take().measurements.seconds) == [0]
