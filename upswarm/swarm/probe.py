"""`upswarm probe`: a scenario's target is probed, and what was found is printed."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from platform import node

from upswarm.probing.document import document
from upswarm.probing.findings import Findings
from upswarm.probing.probe import Probe
from upswarm.probing.target import Target
from upswarm.probing.text import terminal_text
from upswarm.scenario import library, loader
from upswarm.scenario.model import Scenario
from upswarm.scenario.overrides import Overrides
from upswarm.scenario.urls import EMBEDDED
from upswarm.swarm.embedded import EmbeddedServer
from upswarm.swarm.target import chosen
from upswarm.transfer.access import check_reachable
from upswarm.transfer.auth import unsigned
from upswarm.transfer.clock import SystemClock


def probe(scenario: str, *, target: str | None, within_s: float, as_json: bool, **overrides: str | None) -> int:
    """Probe, print, and return the exit code; raises `UpswarmError` where nothing can be probed."""
    loaded = Overrides(**overrides).applied_to(loader.load(library.find(scenario)), target)
    with _url(chosen(target, loaded), loaded) as url:
        findings = Probe(_target(loaded, url), secrets.token_hex(4), within_s=within_s).run()
    print(_written(findings, as_json=as_json))
    return findings.exit_code


def _written(findings: Findings, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(document(findings), indent=2)
    return terminal_text(findings, colour=sys.stdout.isatty())


@contextmanager
def _url(wished: str, scenario: Scenario) -> Iterator[str]:
    """The URL of the target; the embedded server runs as long as it is needed."""
    if wished != EMBEDDED:
        check_reachable(wished, scenario.transfer.open_transport(wished))
        yield wished
        return
    settings = scenario.target.embedded
    server = EmbeddedServer(settings.environ(scenario.seed) if settings is not None else {})
    try:
        yield server.url
    finally:
        server.stop()


def _target(scenario: Scenario, url: str) -> Target:
    clock, transfer = SystemClock(), scenario.transfer.build()
    protocol = scenario.target.protocol.build(node())
    endpoint = protocol.caps.endpoint(url)
    auth = scenario.target.auth
    return Target(
        url=endpoint,
        protocol_name=str(scenario.target.protocol),
        protocol=protocol,
        clock=clock,
        sign=auth.build(endpoint, clock) if auth else unsigned,
        chunk_size_bytes=transfer.chunk_size_bytes,
        digest=transfer.digest,
        timeouts=scenario.transfer.timeouts,
        route=scenario.transfer.route,
    )
