"""Traces and metrics go to an OpenTelemetry collector, and the same ids to the server; a run does without it."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.journey.runs import Workshop, free_port
from tests.servers import running_server
from upswarm.results.run_file import Run

SCENARIO = """\
name: traced
target: %s
files: [{size: {uniform: [1MiB, 2MiB]}}]
transfer: {chunk_size: 1MiB, parallel_chunks: 2}
workload: {iterations: {count: 6, users: 2}}
thresholds: [upload.failed count == 0]
"""


class Collector(ThreadingHTTPServer):
    """Takes what it is sent over OTLP."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.spans: list[Any] = []
        self.services: set[str] = set()
        self.metrics: dict[str, Any] = {}

    def take(self, path: str, data: bytes) -> None:
        if path == "/v1/traces":
            for each in ExportTraceServiceRequest.FromString(data).resource_spans:
                attributes = {each.key: each.value.string_value for each in each.resource.attributes}
                self.services.add(attributes["service.name"])
                self.spans += [span for scope in each.scope_spans for span in scope.spans]
        else:
            for each in ExportMetricsServiceRequest.FromString(data).resource_metrics:
                self.metrics |= {metric.name: metric for scope in each.scope_metrics for metric in scope.metrics}


class _Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        packed = self.headers.get("Content-Encoding") == "gzip"
        self.server.take(self.path, gzip.decompress(data) if packed else data)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """It has nothing to say."""


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as collector:
        thread = Thread(target=collector.serve_forever, daemon=True)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def workshop(folder: Path, target: str, **environ: str) -> tuple[Workshop, str]:
    path = folder / "traced.yaml"
    path.write_text(SCENARIO % target)
    return Workshop(folder, **environ), str(path)


def value(span: Any, key: str) -> Any:
    found = next((each.value for each in span.attributes if each.key == key), None)
    return None if found is None else getattr(found, found.WhichOneof("value"))


def test_every_request_is_a_span_of_its_upload_and_the_server_logs_the_same_ids(tmp_path: Path) -> None:
    with collecting() as collector, running_server(tmp_path, workers=1) as server:
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        shop, scenario = workshop(tmp_path, server.url, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
        ended = shop.upswarm("run", scenario, "--processes", "2")
        assert ended.code == 0, ended.err
        accesses = [each for each in server.access_log() if each.path.startswith("/v1/uploads")]
    run = shop.run()
    uploads = {span.span_id: span for span in collector.spans if span.name == "upload"}
    requests = [span for span in collector.spans if span.name != "upload"]
    assert collector.services == {"upswarm"}
    assert len(uploads) == run.measurements.uploads.finished == 6
    assert len(requests) == run.measurements.attempts
    for span in requests:
        upload = uploads[span.parent_span_id]
        assert span.trace_id == upload.trace_id
        assert upload.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano < span.end_time_unix_nano <= upload.end_time_unix_nano
        assert abs(span.end_time_unix_nano / 1e9 - time.time()) < 120
    said = {(each.span_id, each.trace_id, each.method, each.path, each.status) for each in accesses}
    assert said == {
        (span.span_id.hex(), span.trace_id.hex(), value(span, "http.request.method"), value(span, "url.path"),
         value(span, "http.response.status_code"))
        for span in requests
    }  # fmt: skip
    assert_same_metrics(collector, run)


def assert_same_metrics(collector: Collector, run: Run) -> None:
    points = collector.metrics["upswarm.load.attempts"].sum.data_points
    counted = {point.attributes[0].value.string_value: point.as_double for point in points}
    assert counted == {phase.value: tally.attempts for phase, tally in run.measurements.phases.items()}
    assert collector.metrics["upswarm.load.finished"].unit == "By"
    times = collector.metrics["upswarm.load.upload_response_time"].gauge.data_points
    assert [point.as_double for point in times] == [
        run.measurements.uploads.response_time.percentile_s(each) for each in (50, 95, 99)
    ]


def test_without_a_collector_the_run_is_the_same(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    shop, scenario = workshop(tmp_path, "embedded", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_METRICS_EXPORTER="none")
    ended = shop.upswarm("run", scenario)
    assert ended.code == 0
    assert ended.err.count("\n") == ended.err.count("traces are being lost") == 1
