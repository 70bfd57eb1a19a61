"""Older run files in today's form, so that whoever reads them knows one form only.

Version 1 grew while it was in use: what has been counted only since then is missing in its first files, and there was
nothing of it. Version 2 has the seconds as columns and all times in HDR's own form, and says of each run whether it
came to its end.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from upswarm.results.series import COLUMNS
from upswarm.results.sparse_times import SparseTimes

Document = dict[str, Any]

_RUN: Document = {
    "complete": True, "workload": "", "notes": [], "marks": [], "warm_up_s": 0.0, "settled": None,
    "server": {}, "aborted_by": "", "audit": None,
}  # fmt: skip
_WORKER: Document = {
    "health": {
        "lag_p99_s": None, "lag_max_s": None, "cpu_mean_ratio": None, "cpu_max_ratio": None,
        "busy_ratio": 0.0, "seconds": 0, "peak_rss_bytes": 0,
    },
    "finished": 0, "finished_bytes": 0, "joined_s": None, "left_s": None,
    "series": {
        "width_s": 1, "attempts": [], "failed": [], "bytes_sent": [], "finished_bytes": [], "in_flight": [],
    },
}  # fmt: skip
_PHASE: Document = {
    "interrupted": 0, "unretried": 0, "connected": 0, "reused": 0, "connect_time": "", "send_time": "", "wait_time": "",
}  # fmt: skip
_UPLOADS: Document = {"aborted": 0, "interruptions": 0, "restarts": 0, "resent_bytes": 0}
_MEASUREMENTS: Document = {
    "classes": {},
    "arrivals": {"begun": 0, "late": 0, "dropped": 0, "lateness": ""},
    "files": {"made": 0, "apparent_bytes": 0, "allocated_bytes": 0},
    "generator": {"lag": "", "cpu": "", "busy_seconds": 0},
    "examples": [],
    "intervals": {"width_s": 0.25, "intervals": []},
}


def upgraded(document: Document) -> Document:
    """A run file of any version that we read, as the newest would have it; one of the newest is left as it is."""
    for version, upgrade in _UPGRADES.items():
        if document["schema_version"] == version:
            document = {**upgrade(document), "schema_version": version + 1}
    return document


def _from_1(document: Document) -> Document:
    return {
        **_RUN,
        **document,
        "workers": [{**_WORKER, **worker} for worker in document["workers"]],
        "measurements": _measurements_from_1(document["measurements"]),
    }


def _measurements_from_1(document: Mapping[str, Any]) -> Document:
    whole = {**_MEASUREMENTS, **document}
    return {
        **whole,
        "phases": {name: {**_PHASE, **tally} for name, tally in document["phases"].items()},
        "uploads": {**_UPLOADS, **document["uploads"]},
        "seconds": _columns(document["seconds"]),
        "intervals": {**whole["intervals"], "intervals": [_interval(each) for each in whole["intervals"]["intervals"]]},
    }


def _interval(document: Mapping[str, Any]) -> Document:
    phases = {name: _in_hdr_form(tally) for name, tally in document["phases"].items()}
    return {**document, "uploads": _in_hdr_form(document["uploads"]), "phases": phases}


def _in_hdr_form(tally: Document) -> Document:
    """Version 1 has the times of intervals as pairs of a bucket, as its distance from the last, and its count."""
    if "response_time" not in tally:
        return tally
    pairs, at = [], 0
    for pair in zlib.decompress(base64.b64decode(tally["response_time"], validate=True)).decode().split():
        step, count = pair.split(":")
        at += int(step)
        pairs += [at, int(count)]
    return {**tally, "response_time": SparseTimes.of_pairs(pairs).encode()}


def _columns(seconds: list[Document]) -> Document:
    """Version 1 has an object for each second in which something ended."""
    known = {each["second"]: each for each in seconds}
    rows = [known.get(at, {}) for at in range(max(known, default=-1) + 1)]
    return {"first": 0, **{name: [row.get(name, 0) for row in rows] for name in COLUMNS}}


_UPGRADES: dict[int, Callable[[Document], Document]] = {1: _from_1}
