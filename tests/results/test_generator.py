"""When a run's numbers are the generator's and not the server's."""

import pytest

from upswarm.results.generator import GeneratorTally, Health, faults, warnings


def tally(lags_s=(), shares=()):
    made = GeneratorTally()
    for lag_s in lags_s:
        made.lag.record(lag_s)
    for share in shares:
        made.record_cpu(share)
    return made


def health(**changes):
    return Health(**{"lag_p99_s": 0.001, "lag_max_s": 0.002, "cpu_mean_ratio": 0.2, "seconds": 20, **changes})


def said(*fared):
    return " ".join(warnings((f"w{n}", each) for n, each in enumerate(fared, 1)))


def test_health_is_what_the_tally_comes_to():
    found = Health.of(tally([0.001] * 98 + [0.03] * 2, [0.5, 1.0, 0.95, 0.89]), 7)
    assert (found.lag_p99_s, found.lag_max_s) == (pytest.approx(0.03, rel=1e-3), pytest.approx(0.03, rel=1e-3))
    assert (found.cpu_mean_ratio, found.cpu_max_ratio) == (pytest.approx(0.835, rel=1e-2), pytest.approx(1, rel=1e-3))
    assert (found.busy_ratio, found.seconds, found.peak_rss_bytes) == (0.5, 4, 7)


def test_a_second_of_waiting_for_the_core_is_as_busy_as_one_of_using_it():
    shared = GeneratorTally()
    for used, queued in ((0.5, 0.45), (0.5, 0.3), (0.0, 1.0)):
        shared.record_cpu(used, queued)
    assert (shared.busy_seconds, shared.cpu.count) == (2, 3)
    assert shared.cpu.max_s == pytest.approx(0.5, rel=1e-3), "what others used is no use of ours"


def test_a_worker_without_time_left_is_a_fault_whoever_took_it():
    mixed = tally(shares=[0.9, 0.95, 0.5])
    assert Health.of(mixed, 0).saturated
    for used, queued in ((0.5, 0.3), (0.2, 0.5)):
        mixed.record_cpu(used, queued)
    assert not Health.of(mixed, 0).saturated
    for used, queued in ((0.5, 0.5), (0.1, 0.85)):
        mixed.record_cpu(used, queued)
    assert Health.of(mixed, 0).saturated
    assert not Health.of(tally(shares=[1.0, 1.0]), 0).saturated, "two seconds are mostly the start"


def test_a_saturated_worker_is_told_once():
    known = [("a", health(busy_ratio=0.9)), ("b", health(lag_p99_s=0.05)), ("c", health())]
    (fault,) = faults(known)
    assert "1 of 3 workers (a) had no CPU time left in up to 90 % of the seconds" in fault
    told, untold = list(warnings(known)), list(warnings(known, [fault]))
    assert told == [fault, *untold]
    assert len(untold) == 1
    assert "1 of 3 workers (b)" in untold[0]


def test_a_cpu_limit_that_was_used_up_is_named_as_the_reason():
    limited = {"usable_cpus": 0.5, "throttled_ratio": 0.895}
    (fault,) = faults([("a", health(busy_ratio=0.9, **limited)), ("b", health(busy_ratio=0.9))])
    assert "the generator's own limit: a container's CPU limit of 0.5 was used up in up to 89.5 % of its per" in fault
    assert "more containers" in fault
    late = said(health(lag_p99_s=0.05, **limited))
    assert "CPU limit of 0.5" in late
    assert "perhaps the server" not in late
    assert said(health(**limited)) == "", "it did no harm"


def test_a_container_that_nearly_used_up_its_memory_is_warned_of():
    assert said(health(memory_limit_bytes=100 << 20, memory_used_ratio=0.89)) == ""
    told = said(health(memory_limit_bytes=100 << 20, memory_used_ratio=0.942), health())
    assert "memory was nearly used up: 1 of 2 workers (w1) had up to 94.2 % of 100.0 MiB taken" in told


def test_where_nobody_looked_nothing_is_known_and_nothing_is_warned_of():
    assert Health.of(GeneratorTally(), 0) == Health()
    assert said(Health()) == ""


def test_tallies_add_up():
    total, other = tally([0.01], [0.95]), tally([0.02, 0.03], [0.1])
    total.add(other)
    assert (total.lag.count, total.cpu.count, total.busy_seconds, other.lag.count) == (3, 2, 1, 2)


@pytest.mark.parametrize(
    ("changes", "saturated", "late"),
    [
        ({}, False, False),
        ({"busy_ratio": 0.5}, False, False),
        ({"busy_ratio": 0.51}, True, False),
        ({"lag_p99_s": 0.02}, False, False),
        ({"lag_p99_s": 0.021}, False, True),
        ({"lag_p99_s": 0.5, "busy_ratio": 1.0, "seconds": 2}, False, False),
    ],
)
def test_a_worker_is_at_its_limit_when_it_is_for_most_of_a_run_that_is_long_enough(changes, saturated, late):
    fared = health(**changes)
    assert (fared.saturated, fared.late) == (saturated, late)


def test_a_warning_names_the_workers_and_says_what_to_do():
    text = said(health(busy_ratio=0.8), health(), health(busy_ratio=0.9, lag_p99_s=0.1))
    assert text.startswith("the generator was the bottleneck, not the server: 2 of 3 workers (w1, w3) had no CPU time")
    assert "in up to 90 % of the seconds" in text
    assert "run more workers" in text
    assert "late" not in text, "a worker without CPU time is late for that very reason"


def test_a_late_worker_is_another_matter():
    assert said(health(lag_p99_s=0.05)).startswith("the generator was late: its one process ran up to 50.0 ms late")


def test_a_long_name_is_cut():
    assert "(vm_3c97846520f9423c…)" in " ".join(
        warnings([("vm_3c97846520f9423ca4b818aa683f4ced", health(busy_ratio=1.0)), ("b", health())])
    )


def test_five_names_are_not_all_said():
    assert "5 of 5 workers (w1, w2, w3, …)" in said(*[health(busy_ratio=1.0)] * 5)
