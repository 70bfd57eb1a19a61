"""Runs that last, built cheaply: not from their requests, but from the sums that those would have come to.

Times are lognormal over three decades, and each bucket holds what chance would have put there.
"""

import math
import random
from dataclasses import replace

from tests.results.runs import run_of
from upswarm.results.examples import MOST, MOST_KINDS, Examples
from upswarm.results.generator import Health
from upswarm.results.histogram import Histogram
from upswarm.results.intervals import Intervals, PhaseInterval
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import WorkerRecord
from upswarm.results.slices import Slice
from upswarm.results.sparse_times import SparseTimes
from upswarm.results.tallies import PhaseTally, SecondTally, UploadTally
from upswarm.results.worker_series import MOST as MOST_STRETCHES
from upswarm.results.worker_series import WorkerSeries
from upswarm.transfer.messages import Phase

MEDIAN_US, SIGMA = 60_000, 1.0
MIB = 1 << 20
PHASES = (Phase.INIT, Phase.CHUNK, Phase.FINALIZE, Phase.PROBE)
KINDS = ("server_error (503)", "throttled (429)", "torn", "reset", "timeout", "refused", "gone (404)", "busy (423)")


def long_run(seconds, workers, chunks_per_s=100):
    """A run of so many seconds."""
    dice = random.Random(1)
    measurements = Measurements()
    measurements.seconds = {at: some_second(dice, chunks_per_s) for at in range(seconds)}
    fill(measurements, seconds * chunks_per_s, dice)
    for name in ("small", "medium", "large"):
        measurements.classes[name] = part = Slice()
        part.phases, part.uploads = measurements.phases, measurements.uploads
    measurements.intervals = intervals(seconds, chunks_per_s, dice)
    measurements.examples = examples()
    records = tuple(worker(number, seconds, dice) for number in range(workers))
    run = run_of(measurements)
    return replace(
        run, elapsed_s=seconds + 0.4, planned_s=float(seconds), workers=records, warm_up_s=60.0, settled=measurements
    )


def some_second(dice, chunks_per_s):
    attempts = round(dice.gauss(chunks_per_s, chunks_per_s**0.5))
    finished = attempts // 10
    return SecondTally(
        attempts, dice.randrange(5), attempts * 8 * MIB - dice.randrange(8 * MIB), finished,
        finished * 80 * MIB + dice.randrange(80 * MIB), dice.randrange(200_000), dice.randrange(1000),
        dice.randrange(20), dice.randrange(20),
    )  # fmt: skip


def fill(part, chunks, dice):
    """Histograms are drawn once and stand in all phases, for each is written by itself all the same."""
    times = Histogram.of_pairs(drawn(chunks, hdr_buckets(), dice))
    for phase in PHASES:
        part.phases[phase] = PhaseTally(
            chunks, chunks // 50, 3, 0, 0, chunks // 60, chunks * 8 * MIB, 1000, chunks,
            dict.fromkeys(KINDS, chunks // 400), *[times] * 6,
        )  # fmt: skip
    part.uploads = UploadTally(
        chunks // 10, chunks // 900, finished_bytes=chunks * 8 * MIB, failures=dict.fromkeys(KINDS, chunks // 9000),
        response_time=times,
    )  # fmt: skip


def intervals(seconds, chunks_per_s, dice):
    made = Intervals()
    while made.width_s * 256 < seconds:
        made.width_s *= 2
    chunks = int(made.width_s * chunks_per_s)
    times = [SparseTimes.of_pairs(drawn(chunks, sparse_buckets(), dice)) for _ in range(8)]
    for number in range(int(seconds / made.width_s)):
        interval = made._covering((number + 0.5) * made.width_s)
        for phase in PHASES:
            interval.phases[phase] = PhaseInterval(chunks, 17, 16, chunks * 8 * MIB, dice.choice(times))
        interval.uploads.finished, interval.uploads.response_time = chunks // 10, dice.choice(times)
    return made


def drawn(count, buckets, dice):
    """Pairs of a bucket and how many of the times fell into it."""
    pairs = []
    for bucket, from_us, to_us in buckets:
        mean = count * (below(to_us) - below(from_us))
        fell = round(dice.gauss(mean, mean**0.5)) if mean > 20 else sum(dice.random() < mean / 20 for _ in range(20))
        pairs += [bucket, fell] if fell > 0 else []
    return pairs


def below(us):
    return (1 + math.erf(math.log(us / MEDIAN_US) / SIGMA / math.sqrt(2))) / 2


def hdr_buckets():
    for shift in range(2, 14):
        for place in range(1024 << shift, 2048 << shift, 1 << shift):
            yield place, place, place + (1 << shift)


def sparse_buckets():
    for at in range(7 << 7, 17 << 7):
        shift = (at >> 7) - 1
        yield at, (at - (shift << 7)) << shift, (at - (shift << 7) + 1) << shift


def examples():
    """As many as there may be, none of them short."""
    return Examples.from_document(
        {
            "phase": PHASES[kind % 4], "kind": f"server_error ({500 + kind})", "at_s": 17.123 + number,
            "worker": f"host-{number}_{'f' * 32}", "file_name": "20250314-092653-soak-000061",
            "chunk": 3, "number": 1, "method": "PUT", "message": "m" * 200, "said": "s" * 200,
            "path": "/v1/uploads/98944daf-05d2-43fe-a960-4efd6752b6b1/chunks/2",
        }
        for kind in range(MOST_KINDS) for number in range(MOST)
    )  # fmt: skip


def worker(number, seconds, dice):
    width_s = 1
    while width_s * MOST_STRETCHES < seconds:
        width_s *= 2
    rows = [tuple(dice.randrange(most) for _ in range(seconds // width_s)) for most in (9999, 99, 10**11, 10**11, 99)]
    health = Health(0.0037, 0.0123, 0.08328, 0.111807, 0.0, seconds, 78983168)
    return WorkerRecord(
        f"host-{number}_{number:032x}", f"host-{number}", health=health,
        finished=36_000, finished_bytes=10**12, joined_s=0.0, series=WorkerSeries(width_s, *rows),
    )  # fmt: skip
