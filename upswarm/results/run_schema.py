"""The JSON Schema of a run file, for tools, and the table of its keys, for people; both come from the types.

`python -m upswarm.results.run_schema` prints the schema, with `--markdown` the table that stands in `docs/run-file.md`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import EnumMeta, StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from upswarm.errors import EXIT_AUDIT, EXIT_GENERATOR, EXIT_OK, EXIT_THRESHOLD
from upswarm.results.examples import Example
from upswarm.results.generator import GeneratorTally
from upswarm.results.histogram import Histogram
from upswarm.results.intervals import PhaseInterval, UploadInterval
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import SCHEMA_VERSION, Run
from upswarm.results.series import COLUMNS
from upswarm.results.sparse_times import SparseTimes
from upswarm.results.tallies import ArrivalsTally, FilesTally, PhaseTally, UploadTally
from upswarm.transfer.messages import Phase

Document = dict[str, Any]

MEANINGS = {
    "schema_version": "The version of this form. A newer upswarm reads older versions.",
    "run_id": "The name of the run's folder: when it was prepared (UTC), and the scenario's name.",
    "exit_code": "0 passed, 3 a threshold did not hold, 4 acknowledged files are lost, 5 the measurement is invalid.",
    "complete": "Whether the run came to its end. Where not, this was written while it went on, and nothing after.",
    "target": "The URL of the server under test.",
    "started_at": "When the load started, ISO 8601 in UTC. All seconds of the file count from then.",
    "elapsed_s": "How long the run took, the uploads that finished after its planned end included.",
    "planned_s": "How long it should have taken; null where the load has no such time.",
    "peak_users": "The most users (of an open load: the most uploads in flight) that it had.",
    "workload": "The load in words.",
    "verdicts": "What became of each threshold.",
    "generator_faults": "Sentences on the measuring stick itself. Where there is one, no verdict counts.",
    "notes": "Sentences on what else happened to the generator, and when.",
    "marks": "Moments for the charts: faults, stages of the load, workers that came or went.",
    "aborted_by": "The threshold that ended the run early, or an empty text.",
    "audit": "What an audit found: which of the acknowledged files are there. Null where there was none.",
    "server": "What the server itself counted during the run, by metric and labels as in its own text.",
    "warm_up_s": "So many seconds from the start on do not count for thresholds.",
    "workers": "Each process that uploaded: where, how it fared, what it finished, and its series.",
    "machine": "Where the run was steered from, and the versions of what it ran on.",
    "scenario": "The scenario with all defaults and overrides, without secrets.",
    "measurements": "Everything that was measured, from the start to the end, of all workers together.",
    "settled": "The same without the warm-up; null where there was none.",
}  # fmt: skip
"""Every key of the document, in its order."""

_TIMES = {
    Histogram: "An HDR histogram of times in µs, 1 µs to 1 h, three digits: V2 compressed, base64; empty without data.",
    SparseTimes: "The same with two digits, for there are many of them.",
}
_PLAIN = {int: "integer", float: "number", str: "string", bool: "boolean", NoneType: "null"}


def schema() -> Document:
    """JSON Schema 2020-12, generated from the types."""
    return _Schema().document()


def markdown() -> str:
    """Every key at the top of the file, in its order, and what it means."""
    return "\n".join(["| key | meaning |", "|---|---|", *(f"| `{key}` | {each} |" for key, each in MEANINGS.items())])


class _Schema:
    """Collects the types that it comes across under `$defs`."""

    def __init__(self) -> None:
        self._known: Document = {}

    def document(self) -> Document:
        types = get_type_hints(Run)
        own: Document = {
            "schema_version": {"const": SCHEMA_VERSION},
            "exit_code": {"enum": [EXIT_OK, EXIT_THRESHOLD, EXIT_AUDIT, EXIT_GENERATOR]},
            "scenario": {"type": "object"},
        }
        keys = {key: own.get(key) or self._of(types[key]) for key in MEANINGS}
        described = {key: {**each, "description": MEANINGS[key]} for key, each in keys.items()}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "run.json of upswarm",
            **_closed(described),
            "$defs": dict(sorted(self._known.items())),
        }

    def _of(self, kind: Any) -> Document:
        origin, inner = get_origin(kind), get_args(kind)
        if kind in _PLAIN:
            return {"type": _PLAIN[kind]}
        if origin is UnionType:
            return {"anyOf": [self._of(each) for each in inner]}
        if origin is tuple:
            return {"type": "array", "items": self._of(inner[0])}
        if origin in {Counter, Mapping}:
            return _by(inner[0], self._of(inner[-1]) if origin is Mapping else {"type": "integer"})
        return {"enum": _values(kind)} if isinstance(kind, EnumMeta) else self._known_as(kind)

    def _known_as(self, kind: type) -> Document:
        if kind.__name__ not in self._known:
            self._known[kind.__name__] = {}  # a place, should it hold itself
            self._known[kind.__name__] = self._defined(kind)
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def _defined(self, kind: Any) -> Document:
        if kind in _TIMES:
            return {"type": "string", "contentEncoding": "base64", "description": _TIMES[kind]}
        if kind is Measurements:
            return self._measurements()
        if not is_dataclass(kind):
            raise TypeError(f"expected a type that a run file holds, found {kind}")
        types = get_type_hints(kind)
        document = _closed({each.name: self._of(types[each.name]) for each in fields(kind)})
        if kind in {PhaseInterval, UploadInterval}:
            del document["required"]  # what is nothing is left out
        return {**document, "description": " ".join((kind.__doc__ or "").split())}

    def _measurements(self) -> Document:
        of_slice = {"phases": _by(Phase, self._of(PhaseTally)), "uploads": self._of(UploadTally)}
        column = {"type": "array", "items": {"type": "integer"}}
        interval = {
            "number": {"type": "integer"},
            "uploads": self._of(UploadInterval),
            "phases": _by(Phase, self._of(PhaseInterval)),
        }
        return _closed({
            **of_slice,
            "classes": _by(str, _closed(of_slice)),
            "arrivals": self._of(ArrivalsTally),
            "files": self._of(FilesTally),
            "generator": self._of(GeneratorTally),
            "examples": {"type": "array", "items": self._example()},
            "seconds": _closed({"first": {"const": 0}, **dict.fromkeys(COLUMNS, column)}),
            "intervals": _closed({
                "width_s": {"type": "number"},
                "intervals": {"type": "array", "items": _closed(interval)},
            }),
        })  # fmt: skip

    def _example(self) -> Document:
        types = get_type_hints(Example)
        return _closed({"phase": self._of(Phase), "kind": {"type": "string"}} | {
            name: self._of(kind) for name, kind in types.items()
        })  # fmt: skip


def _closed(keys: Document) -> Document:
    return {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}


def _values(kind: EnumMeta) -> list[str]:
    members: list[StrEnum] = list(kind)
    return [each.value for each in members]


def _by(key: Any, value: Document) -> Document:
    names = {"propertyNames": {"enum": _values(key)}} if isinstance(key, EnumMeta) else {}
    return {"type": "object", **names, "additionalProperties": value}


if __name__ == "__main__":
    print(markdown() if "--markdown" in sys.argv[1:] else json.dumps(schema(), indent=2, ensure_ascii=False))
