from functools import partial
from itertools import pairwise

import greenlet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.testing.clock import FakeClock
from upswarm.transfer.bandwidth import ALLOWANCE_S, Limit, Pace
from upswarm.transfer.messages import Body

KiB, MiB = 1 << 10, 1 << 20
RATES = st.floats(10_000, 1e9)


def body_of(size_bytes, view_bytes=MiB):
    zeros = memoryview(bytes(view_bytes))
    return Body(size_bytes, lambda: (zeros[: size_bytes - at] for at in range(0, size_bytes, view_bytes)))


def send(body, clock):
    """The pieces as they came, and when."""
    return [(clock.now(), len(piece)) for piece in body if piece]


@given(RATES, st.integers(1, 64 * MiB), st.sampled_from([16, 64 * KiB, MiB]))
def test_a_body_takes_as_long_as_its_bytes_at_the_limit(rate, size_bytes, view_bytes):
    size_bytes = min(size_bytes, 2000 * view_bytes)
    clock = FakeClock(100.0)
    pieces = send(Pace([Limit(rate)], clock).paced(body_of(size_bytes, view_bytes)), clock)
    assert sum(length for _, length in pieces) == size_bytes
    assert size_bytes / rate - 0.001 - ALLOWANCE_S <= clock.now() - 100 <= size_bytes / rate + 1e-6


def test_the_bytes_are_the_same_and_can_be_asked_for_again():
    paced = Pace([Limit(100 * KiB)], FakeClock()).paced(Body.of_bytes(bytes(range(256)) * 100))
    assert b"".join(paced) == b"".join(paced) == bytes(range(256)) * 100
    assert len(paced) == 25600


@given(RATES)
def test_at_no_time_more_has_gone_out_than_the_limit_and_the_allowance_let(rate):
    clock = FakeClock()
    sent_bytes = 0
    for at_s, length in send(Pace([Limit(rate)], clock).paced(body_of(int(rate))), clock):
        sent_bytes += length
        assert sent_bytes <= rate * (at_s + ALLOWANCE_S + 0.001) + 1


def test_bytes_flow_and_do_not_come_in_gulps():
    clock = FakeClock()
    pieces = send(Pace([Limit(20 * MiB)], clock).paced(body_of(20 * MiB)), clock)
    gaps_s = [later - earlier for (earlier, _), (later, _) in pairwise(pieces)]
    assert max(gaps_s) <= 0.05


def test_a_view_that_says_nothing_comes_before_each_wait():
    clock = FakeClock()
    pieces, waited = [], []
    for piece in Pace([Limit(MiB)], clock).paced(body_of(MiB)):
        waited.append(len(clock.slept_s))
        pieces.append(len(piece))
    before = [pieces[at - 1] for at in range(1, len(pieces)) if waited[at] > waited[at - 1]]
    assert len(before) > 10
    assert set(before) == {0}


@pytest.mark.parametrize("idle_s", [0.5, 3600])
def test_an_idle_time_saves_up_no_more_than_the_allowance(idle_s):
    clock = FakeClock()
    pace = Pace([Limit(MiB)], clock)
    send(pace.paced(body_of(MiB)), clock)
    clock.advance(idle_s)
    began_s = clock.now()
    send(pace.paced(body_of(MiB)), clock)
    assert clock.now() - began_s == pytest.approx(1 - ALLOWANCE_S, abs=0.001)


def test_small_chunks_with_short_pauses_between_them_use_the_whole_bandwidth():
    clock = FakeClock()
    pace = Pace([Limit(10 * MiB)], clock)
    for _ in range(320):
        send(pace.paced(body_of(64 * KiB)), clock)
        clock.advance(0.004)  # the server's answer
    assert 20 * MiB / clock.now() == pytest.approx(10 * MiB, rel=0.02)


def test_a_late_wake_up_is_caught_up():
    class Late(FakeClock):
        def sleep(self, seconds):
            super().sleep(seconds + 0.005)

    clock = Late()
    send(Pace([Limit(10 * MiB)], clock).paced(body_of(10 * MiB)), clock)
    assert clock.now() == pytest.approx(1, rel=0.02)


class Timeline(FakeClock):
    """Several who send at the same time; whoever has slept its time goes on, and no real time passes."""

    def sleep(self, seconds):
        greenlet.getcurrent().wakes_s = self.now() + seconds
        greenlet.getcurrent().parent.switch()

    def run(self, bodies, until_s):
        """How many bytes each has sent by then."""
        sent = [0] * len(bodies)

        def sending(number, body):
            for piece in body:
                sent[number] += len(piece)

        senders = [greenlet.greenlet(partial(sending, number, body)) for number, body in enumerate(bodies)]
        for sender in senders:
            sender.wakes_s = 0.0
        while True:
            sender = min(senders, key=lambda each: each.wakes_s)
            if sender.wakes_s >= until_s:
                return sent
            self.advance(sender.wakes_s - self.now())
            sender.switch()


def test_parallel_chunks_share_their_uploads_limit():
    timeline = Timeline()
    pace = Pace([Limit(10 * MiB)], timeline)
    sent = timeline.run([pace.paced(body_of(64 * MiB)) for _ in range(4)], until_s=2)
    assert sum(sent) == pytest.approx(20 * MiB, rel=0.02)
    assert max(sent) - min(sent) <= 256 * KiB


def test_uploads_share_a_workers_limit_evenly():
    timeline, worker = Timeline(), Limit(10 * MiB)
    paces = [Pace([Limit(8 * MiB), worker], timeline) for _ in range(20)]
    sent = timeline.run([pace.paced(body_of(64 * MiB)) for pace in paces], until_s=10)
    assert sum(sent) == pytest.approx(100 * MiB, rel=0.02)
    assert max(sent) - min(sent) <= 256 * KiB


def test_uploads_that_leave_a_workers_limit_alone_have_their_own():
    timeline, worker = Timeline(), Limit(10 * MiB)
    paces = [Pace([Limit(2 * MiB), worker], timeline) for _ in range(5)]
    sent = timeline.run([pace.paced(body_of(64 * MiB)) for pace in paces], until_s=10)
    assert sent == [pytest.approx(20 * MiB, rel=0.02)] * 5


def test_the_narrower_of_two_limits_holds():
    for rates in ([2 * MiB, 30 * MiB], [30 * MiB, 2 * MiB]):
        clock = FakeClock()
        send(Pace([Limit(rate) for rate in rates], clock).paced(body_of(4 * MiB)), clock)
        assert clock.now() == pytest.approx(2, rel=0.02)
