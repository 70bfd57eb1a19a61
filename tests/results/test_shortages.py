"""What the generator's machine lacked is told as its own fault, with what to do."""

from __future__ import annotations

import pytest

from upswarm.results import shortages
from upswarm.results.measurements import Measurements
from upswarm.transfer.failures import SHORTAGES, Failure
from upswarm.transfer.messages import Phase
from upswarm.transfer.records import Attempt


def measured(*failures: Failure | None, worker: str = "local") -> Measurements:
    made = Measurements()
    for number, failure in enumerate(failures):
        made.record_attempt(Attempt(Phase.INIT, 1, 0.0, 0.0, 0.1, 0, failure=failure), float(number))
    made.examples.seen_by(worker)
    return made


def test_a_run_that_lacked_nothing_has_no_fault() -> None:
    assert list(shortages.faults(measured(None, Failure.REFUSED, Failure.SERVER_ERROR))) == []


@pytest.mark.parametrize("kind", sorted(SHORTAGES))
def test_one_request_is_enough(kind: Failure) -> None:
    (fault,) = shortages.faults(measured(None, kind))
    assert "1 request could not be sent. That says nothing of the server: " in fault


def test_requests_of_all_phases_are_counted_and_the_host_of_the_first_is_named() -> None:
    total = measured(Failure.OUT_OF_PORTS, Failure.OUT_OF_PORTS, worker=f"host_a_{'0' * 32}")
    later = measured(None, None, Failure.OUT_OF_PORTS, worker=f"host_b_{'1' * 32}")
    total.record_attempt(Attempt(Phase.FINALIZE, 1, 0.0, 0.0, 0.1, 0, failure=Failure.OUT_OF_FILES), 9.0)
    total.add(later)
    files, ports = shortages.faults(total)
    assert files.startswith("the generator ran out of open files: 1 request could")
    assert ports.startswith("the generator ran out of ports to connect from (first on host_a): 3 requests could")
    assert "net.ipv4.ip_local_port_range" in ports
