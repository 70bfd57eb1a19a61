"""Each worker's own line in the charts, bounded in number however long a run lasts."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from upswarm.results.tallies import SecondTally
from upswarm.results.worker_series import MOST, WorkerSeries, WorkerSeriesTally

counts = st.integers(0, 9)
some = st.builds(SecondTally, counts, counts, counts, finished_bytes=counts, in_flight=counts)
seconds = st.dictionaries(st.integers(0, 5 * MOST), some, max_size=20)


def series(*reports):
    tally = WorkerSeriesTally()
    for report in reports:
        tally.add(report)
    return tally.series()


def test_a_second_is_a_stretch_and_two_reports_of_it_are_added():
    found = series({0: SecondTally(attempts=2, in_flight=3), 2: SecondTally(attempts=1)}, {2: SecondTally(attempts=4)})
    assert (found.width_s, found.attempts, found.in_flight) == (1, (2, 0, 5), (3, 0, 0))


def test_of_a_longer_run_the_stretches_are_wider_and_no_more():
    found = series({at: SecondTally(attempts=1, bytes_sent=10, in_flight=at % 7) for at in range(MOST + 1)})
    assert (found.width_s, len(found.attempts)) == (2, MOST // 2 + 1)
    assert (found.attempts[0], found.attempts[-1], found.bytes_sent[1]) == (2, 1, 20)
    assert found.in_flight[:3] == (1, 3, 5)


@given(st.lists(seconds, max_size=4))
def test_nothing_is_lost_and_nothing_is_said_twice(reports):
    found, told = series(*reports), [each for report in reports for each in report.values()]
    for name in ("attempts", "failed", "bytes_sent", "finished_bytes"):
        assert sum(getattr(found, name)) == sum(getattr(each, name) for each in told)
    assert max(found.in_flight, default=0) == max((each.in_flight for each in told), default=0)
    assert len({len(row) for name, row in asdict(found).items() if name != "width_s"}) == 1
    assert len(found.attempts) <= MOST


@given(seconds)
def test_a_document_is_read_as_it_was_written(report):
    found = series(report)
    document = {name: list(row) if isinstance(row, tuple) else row for name, row in asdict(found).items()}
    assert WorkerSeries.of_document(document) == found
