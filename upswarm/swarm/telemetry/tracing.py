"""Each upload a span, and each of its requests a child of it whose id goes to the server in `traceparent`.

The ids are drawn, and the sampler is asked, when an upload sends its first request. The spans themselves are made when
a request, or the upload, has ended: from the same stamps that are measured, and only where the trace is sampled.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.util.types import AttributeValue

from upswarm.results import redaction
from upswarm.swarm.telemetry.exporting import resource, shut_down, span_processor
from upswarm.transfer.auth import Sign
from upswarm.transfer.clock import Clock
from upswarm.transfer.failures import NO_FAILURE
from upswarm.transfer.messages import Request
from upswarm.transfer.records import Attempt, End, Outcome

HEADER = "traceparent"
UPLOAD = "upload"
Attributes = dict[str, AttributeValue]


class _Ids(IdGenerator):
    """Gives the ids that were drawn before."""

    trace_id = span_id = 0

    def generate_trace_id(self) -> int:
        """Of the span that is being made."""
        return self.trace_id

    def generate_span_id(self) -> int:
        """Of the span that is being made."""
        return self.span_id


class _Provider:
    """The SDK of this process. Its own sampler is asked beforehand, and makes a span of all that it is given."""

    def __init__(self) -> None:
        self.ids = _Ids()
        self.sampler = TracerProvider(shutdown_on_exit=False).sampler  # as OTEL_TRACES_SAMPLER says
        self._provider = TracerProvider(ALWAYS_ON, resource(), shutdown_on_exit=False, id_generator=self.ids)
        self._provider.add_span_processor(span_processor())
        self.tracer = self._provider.get_tracer("upswarm")

    def shut_down(self) -> None:
        """Send what is left."""
        shut_down(self._provider, "traces")


@cache
def _provider() -> _Provider:
    """Made by the first run of a process, for a master's workers are forked off before."""
    return _Provider()


def end() -> None:
    """Send what is left of all runs of this process, if there was any."""
    if _provider.cache_info().currsize:
        _provider().shut_down()


@dataclass(frozen=True, slots=True)
class _Trace:
    trace_id: int
    span_id: int
    sampled: bool


class Traces:
    """Observes the uploads of one process's part of a run."""

    def __init__(self, clock: Clock, target_url: str) -> None:
        self._provider = _provider()
        self._dice = random.Random()
        self._open: dict[str, _Trace] = {}
        self._epoch_s = clock.wall() - clock.now()
        place = urlsplit(target_url)
        self._server: Attributes = {"server.address": place.hostname or ""}
        if place.port is not None:
            self._server["server.port"] = place.port

    def signing(self, sign: Sign, file_name: Callable[[], str]) -> Sign:
        """The same, and then the header: what has been signed stays as it is. `file_name` says whose request it is."""

        def signed(request: Request) -> Request:
            trace = self._of(file_name())
            parent = f"00-{trace.trace_id:032x}-{self._drawn(64):016x}-{trace.sampled:02x}"
            request = sign(request)
            return replace(request, headers={**request.headers, HEADER: parent})

        return signed

    def attempted(self, attempt: Attempt) -> None:
        """A request has ended: it is a span of its own, under the id that the server was told."""
        trace = self._open.get(attempt.file_name)
        asked = attempt.asked
        if trace is None or not trace.sampled or asked is None or HEADER not in asked.headers:
            return
        attributes: Attributes = {
            **self._server,
            "http.request.method": asked.method,
            "url.path": redaction.place(asked),
            "upswarm.phase": attempt.phase.value,
            "upswarm.sent_bytes": attempt.bytes_sent,
        }
        if attempt.number > 1:
            attributes["http.request.resend_count"] = attempt.number - 1
        if attempt.status is not None:
            attributes["http.response.status_code"] = attempt.status
        if asked.body is not None and asked.body.chunk is not None:
            attributes["upswarm.chunk"] = asked.body.chunk
        if attempt.failure is not None:
            attributes["error.type"] = attempt.failure.value
        span_id = int(asked.headers[HEADER].split("-")[2], 16)
        failed = attempt.failure is not None and attempt.failure not in NO_FAILURE
        self._span(trace, span_id, attributes, attempt.sent_s, attempt.ended_s, failed=failed)

    def ended(self, outcome: Outcome) -> None:
        """An upload has ended, and its trace with it."""
        trace = self._open.pop(outcome.file_name, None)
        if trace is None or not trace.sampled:
            return
        attributes: Attributes = {
            "upswarm.file.name": outcome.file_name,
            "upswarm.file.size_bytes": outcome.size_bytes,
            "upswarm.upload.end": outcome.end.value,
            "upswarm.upload.resumes": outcome.resumes,
        }
        if outcome.file_class:
            attributes["upswarm.file.class"] = outcome.file_class
        if outcome.failure is not None:
            attributes["error.type"] = outcome.failure.value
        failed = outcome.end is End.FAILED
        self._span(trace, trace.span_id, attributes, outcome.due_s, outcome.ended_s, failed=failed)

    def _of(self, file_name: str) -> _Trace:
        trace = self._open.get(file_name)
        if trace is None:
            trace_id = self._drawn(128)
            sampled = (
                self._provider.sampler.should_sample(None, trace_id, UPLOAD).decision is Decision.RECORD_AND_SAMPLE
            )
            trace = self._open[file_name] = _Trace(trace_id, self._drawn(64), sampled)
        return trace

    def _drawn(self, bits: int) -> int:
        return self._dice.getrandbits(bits) or 1  # an id of zeros is none

    def _span(
        self, trace: _Trace, span_id: int, attributes: Attributes, start_s: float, end_s: float, *, failed: bool
    ) -> None:
        """Make a span that is over already: the upload's, or that of a request, which is its child."""
        ids = self._provider.ids
        ids.trace_id, ids.span_id = trace.trace_id, span_id
        name, kind, above = UPLOAD, SpanKind.INTERNAL, None
        if span_id != trace.span_id:
            name, kind = str(attributes["http.request.method"]), SpanKind.CLIENT
            flags = TraceFlags(TraceFlags.SAMPLED)
            above = set_span_in_context(NonRecordingSpan(SpanContext(trace.trace_id, trace.span_id, False, flags)))
        span = self._provider.tracer.start_span(name, above, kind, attributes, start_time=self._wall_ns(start_s))
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(self._wall_ns(end_s))

    def _wall_ns(self, at_s: float) -> int:
        return round((self._epoch_s + at_s) * 1e9)
