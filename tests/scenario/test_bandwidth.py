"""`transfer.bandwidth`: for each upload, for a worker, or for both."""

from __future__ import annotations

import pytest

from upswarm.errors import ScenarioError
from upswarm.scenario.bandwidth import BandwidthRoom
from upswarm.scenario.loader import parse, resolve
from upswarm.testing.clock import FakeClock
from upswarm.transfer.messages import Body

MiB = 1 << 20


def room(text: str) -> BandwidthRoom:
    return parse(f"transfer: {{bandwidth: {text}}}", "s.yaml", {}).transfer.bandwidth


def seconds(text: str, size_bytes: int) -> float:
    """How long the body of one upload takes that has its worker for itself."""
    clock, written = FakeClock(), room(text)
    pace = written.pace(written.worker_limit(), clock)
    assert pace is not None
    b"".join(pace.paced(Body.of_bytes(bytes(size_bytes))))
    return clock.now()


@pytest.mark.parametrize(
    ("text", "upload", "worker"),
    [
        ("20MiB/s", 20 * MiB, None),
        ("{upload: 20MiB/s}", 20 * MiB, None),
        ("{worker: 1.5MB/s}", None, 1_500_000),
        ("{upload: 2MiB/s, worker: 1GiB/s}", 2 * MiB, 1024 * MiB),
    ],
)
def test_a_bandwidth_alone_is_that_of_each_upload(text: str, upload: float | None, worker: float | None) -> None:
    assert (room(text).upload, room(text).worker) == (upload, worker)


def test_without_a_bandwidth_nothing_waits() -> None:
    transfer = parse("seed: 1", "s.yaml", {}).transfer
    assert transfer.bandwidth.worker_limit() is None
    assert transfer.bandwidth.pace(None, FakeClock()) is None


@pytest.mark.parametrize("text", ["2MiB/s", "{worker: 2MiB/s}", "{upload: 2MiB/s, worker: 8MiB/s}"])
def test_the_limits_that_are_written_are_those_that_hold(text: str) -> None:
    assert seconds(text, 8 * MiB) == pytest.approx(4, rel=0.02)


def test_all_uploads_of_a_worker_share_its_limit() -> None:
    clock, written = FakeClock(), room("{worker: 2MiB/s}")
    limit = written.worker_limit()
    for _ in range(2):
        pace = written.pace(limit, clock)
        assert pace is not None
        b"".join(pace.paced(Body.of_bytes(bytes(4 * MiB))))
    assert clock.now() == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("20MiB", "expected a bandwidth such as 20MiB/s, found '20MiB'"),
        ("0B/s", "expected more than 0, found '0B/s'"),
        ("20", "expected a bandwidth such as 20MiB/s, found 20"),
    ],
)
def test_what_is_no_bandwidth_is_a_mistake_at_its_place(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        room(text)
    (found,) = raised.value.findings
    assert (found.line, found.column, found.key, found.message) == (1, 23, "transfer.bandwidth", message)


@pytest.mark.parametrize("text", ["20MiB/s", "1.5B/s", "{worker: 1.5MB/s}"])
def test_a_bandwidth_is_written_so_that_it_is_read_back_as_the_same(text: str) -> None:
    scenario = parse(f"transfer: {{bandwidth: {text}}}", "s.yaml", {})
    assert resolve(scenario.resolved()).transfer.bandwidth == room(text)
