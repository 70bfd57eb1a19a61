"""Attempts, outcomes and measurements, by hand and by hypothesis."""

from hypothesis import strategies as st

from upswarm.results.measurements import Measurements
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Phase, Timings
from upswarm.transfer.records import Attempt, End, Outcome

times_s = st.floats(1e-7, 5000)
parts_s = st.one_of(st.none(), times_s)
timings = st.builds(Timings, parts_s, parts_s, parts_s, st.booleans())


@st.composite
def attempts(draw):
    due_s, waited_s, took_s = draw(times_s), draw(times_s), draw(times_s)
    return Attempt(
        phase=draw(st.sampled_from(Phase)),
        number=draw(st.integers(1, 5)),
        due_s=due_s,
        sent_s=due_s + waited_s,
        ended_s=due_s + waited_s + took_s,
        bytes_sent=draw(st.integers(0, 1 << 40)),
        status=draw(st.sampled_from([None, 204, 503])),
        failure=draw(st.one_of(st.none(), st.sampled_from(Failure))),
        timings=draw(st.one_of(st.none(), timings)),
        file_name=draw(st.sampled_from(["a.bin", "b.bin"])),
    )


@st.composite
def outcomes(draw):
    end = draw(st.sampled_from(End))
    failure = draw(st.sampled_from(Failure)) if end is End.FAILED else None
    due_s = draw(times_s)
    return Outcome(
        end, "a.bin", draw(st.integers(0, 1 << 40)), due_s, due_s + draw(times_s), draw(st.integers(0, 9)), failure
    )


events = st.lists(st.tuples(st.one_of(attempts(), outcomes()), st.integers(0, 20)), max_size=12)


def measured(some) -> Measurements:
    measurements = Measurements()
    for event, second in some:
        record(measurements, event, second)
    return measurements


def record(measurements, event, second):
    if isinstance(event, Attempt):
        measurements.record_attempt(event, second)
    else:
        measurements.record_outcome(event, second)


def attempt(phase=Phase.CHUNK, took_s=1.0, *, late_s=0.0, number=1, sent_bytes=0, failure=None, status=None):
    return Attempt(phase, number, 10.0, 10.0 + late_s, 10.0 + late_s + took_s, sent_bytes, status, failure)


def finished(size_bytes=1000, took_s=2.0, resumes=0):
    return Outcome(End.FINISHED, "a.bin", size_bytes, 10.0, 10.0 + took_s, resumes)


def failed(kind=Failure.GONE):
    return Outcome(End.FAILED, "a.bin", 1000, 10.0, 11.0, failure=kind)


STOPPED = Outcome(End.STOPPED, "a.bin", 1000, 10.0, 11.0)
