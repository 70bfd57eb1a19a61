"""What the load generator's own machine lacked: requests that it could not send say nothing of the server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from upswarm.results.measurements import Measurements
from upswarm.transfer.failures import SHORTAGES, Failure

_WORDS = {
    Failure.OUT_OF_FILES: (
        "open files",
        "let each process open more (`ulimit -n`, or `--ulimit nofile=` of a container), or run fewer users in each",
    ),
    Failure.OUT_OF_PORTS: (
        "ports to connect from",
        "give the machine more of them (`net.ipv4.ip_local_port_range`), or spread the users over more machines",
    ),
    Failure.OUT_OF_MEMORY: (
        "memory for connections",
        "give it more, raise what the system takes for sockets (`net.ipv4.tcp_mem`), or run fewer users on it",
    ),
}
"""What there was none of, and what to do."""


def faults(measured: Measurements) -> Iterator[str]:
    """A sentence for each kind of shortage: how many requests it cost, where the first was, and what to do."""
    counts = _counts(measured)
    for kind in filter(counts.get, sorted(SHORTAGES)):
        what, advice = _WORDS[kind]
        requests = "1 request" if counts[kind] == 1 else f"{counts[kind]:,} requests"
        yield (
            f"the generator ran out of {what}{_where(measured, kind)}: {requests} could not be sent. "
            f"That says nothing of the server: {advice}."
        )


def _counts(measured: Measurements) -> Counter[str]:
    counts: Counter[str] = Counter()
    for tally in measured.phases.values():
        counts.update({kind: count for kind, count in tally.failures.items() if kind in SHORTAGES})
    return counts


def _where(measured: Measurements, kind: Failure) -> str:
    """On which host first, where there are workers: their names are a host's and 32 digits."""
    examples = [each for phase in measured.phases for each in measured.examples.of(phase, kind)]
    host = min(examples).worker.rpartition("_")[0] if examples else ""
    return f" (first on {host})" if host else ""
