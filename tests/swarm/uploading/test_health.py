"""A pulse: every look that was due counts, also those for which nobody woke up."""

from __future__ import annotations

import time

import gevent
import pytest

from upswarm.results.recorder import Recorder
from upswarm.swarm.limits import Limits
from upswarm.swarm.uploading.health import LOOK_EVERY_S, Confines, Pulse, peak_rss_bytes
from upswarm.testing.clock import FakeClock
from upswarm.transfer.clock import SystemClock


class Stepping(FakeClock):
    """A fake clock, and a pulse on it that looks when the test says so."""

    def __init__(self) -> None:
        super().__init__(now_s=50.0)
        self.recorder = Recorder(self.now())
        self.pulse = Pulse(self.recorder, self, lambda: 3)

    def look_after(self, seconds: float) -> None:
        self.advance(seconds)
        self.pulse._look(self.now())

    def lags(self) -> list[float]:
        found = self.recorder.take().measurements.generator.lag.counts()
        return [value_s for value_s, count in found for _ in range(count)]


@pytest.fixture
def stepping():
    clock = Stepping()
    yield clock
    clock.pulse.stop()


def test_a_punctual_loop_has_no_lag(stepping):
    for _ in range(3):
        stepping.look_after(LOOK_EVERY_S)
    assert stepping.lags() == [pytest.approx(0, abs=2e-6)] * 3


def test_a_loop_that_hung_was_late_for_every_look_that_it_missed(stepping):
    stepping.look_after(LOOK_EVERY_S + 0.16)
    assert stepping.lags() == pytest.approx([0.01, 0.06, 0.11, 0.16], rel=1e-3)


def test_a_late_look_does_not_move_the_schedule(stepping):
    stepping.look_after(LOOK_EVERY_S + 0.03)
    stepping.look_after(LOOK_EVERY_S - 0.03)
    assert stepping.lags() == [pytest.approx(0, abs=2e-6), pytest.approx(0.03, rel=1e-3)]


def test_cpu_is_weighed_once_a_second_and_counts_in_the_second_in_which_it_was_spent(stepping):
    ends = time.process_time() + 0.02
    while time.process_time() < ends:
        pass
    for _ in range(20):
        stepping.look_after(LOOK_EVERY_S + 1e-9)
    taken = stepping.recorder.take().measurements
    assert taken.generator.cpu.count == 1
    assert {second: at.cpu_ms >= 20 for second, at in taken.seconds.items() if at.cpu_ms} == {0: True}
    assert taken.seconds[0].in_flight == 3


def test_the_greenlet_wakes_and_notices_who_blocks_the_loop():
    recorder = Recorder(SystemClock().now())
    pulse = Pulse(recorder, SystemClock(), lambda: 3)
    gevent.sleep(0.12)
    time.sleep(0.3)  # not patched here: nobody else has his turn
    gevent.sleep(0.12)
    pulse.stop()
    lag = recorder.take().measurements.generator.lag
    assert lag.count >= 8
    assert lag.max_s is not None
    assert lag.max_s > 0.2


def test_what_a_container_leaves_is_told_with_the_most_memory_that_was_taken(tmp_path):
    stat = {"cpu.stat": "nr_periods {}\nnr_throttled {}\n", "memory.stat": "anon {}\nshmem {}\n"}

    def become(**counts):
        for name, text in stat.items():
            (tmp_path / name).write_text(text.format(*counts[name.partition(".")[0]]))

    become(cpu=(100, 50), memory=(10, 20))
    confines = Confines(Limits(0.5, 100, tmp_path, tmp_path))
    become(cpu=(110, 51), memory=(40, 50))
    confines.document()
    become(cpu=(120, 55), memory=(5, 0))
    assert confines.document() == {
        "usable_cpus": 0.5, "throttled_ratio": 0.25, "memory_limit_bytes": 100, "memory_used_ratio": 0.9,
    }  # fmt: skip


def test_the_peak_of_memory_is_in_bytes():
    assert 10 << 20 < peak_rss_bytes() < 100 << 30
