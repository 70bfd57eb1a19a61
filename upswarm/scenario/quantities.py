"""Quantities as a scenario writes them, read by `upswarm.units`; inside they are plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from upswarm import units


def _schema(examples: list[Any], description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "description": description, "examples": examples})


def _positive(parse: Callable[[object], float]) -> Callable[[object], float]:
    def checked(text: object) -> float:
        value = parse(text)
        if value <= 0:
            raise ValueError(f"expected more than 0, found {text!r}")
        return value

    return checked


SizeBytes = Annotated[
    int,
    PlainValidator(units.parse_size),
    PlainSerializer(units.write_size),
    _schema(["8MiB", "1.5GB"], units.SIZE_EXAMPLES),
]
PositiveSizeBytes = Annotated[
    int,
    PlainValidator(_positive(units.parse_size)),
    PlainSerializer(units.write_size),
    _schema(["8MiB", "1.5GB"], units.SIZE_EXAMPLES),
]
DurationS = Annotated[
    float,
    PlainValidator(units.parse_duration),
    PlainSerializer(lambda value: f"{value:.12g}s"),
    _schema(["200ms", "30s", "2m"], units.DURATION_EXAMPLES),
]
PositiveDurationS = Annotated[
    float,
    PlainValidator(_positive(units.parse_duration)),
    PlainSerializer(lambda value: f"{value:.12g}s"),
    _schema(["200ms", "30s", "2m"], units.DURATION_EXAMPLES),
]

RatePerS = Annotated[
    float,
    PlainValidator(units.parse_rate),
    PlainSerializer(lambda value: f"{Decimal(repr(value)):f}/s"),
    _schema(["5/s", "300/min"], units.RATE_EXAMPLES),
]


Share = Annotated[
    float,
    PlainValidator(units.parse_ratio),
    PlainSerializer(lambda value: f"{value * 100:.12g}%"),
    _schema(["30%", 0.3], units.RATIO_EXAMPLES),
]


def _write_bandwidth(value_bytes_per_s: float) -> str:
    whole = value_bytes_per_s.is_integer()
    return f"{units.write_size(int(value_bytes_per_s))}/s" if whole else f"{value_bytes_per_s!r}B/s"


BandwidthBytesPerS = Annotated[
    float,
    PlainValidator(_positive(units.parse_bandwidth)),
    PlainSerializer(_write_bandwidth),
    _schema(["20MiB/s", "1.5MB/s"], units.BANDWIDTH_EXAMPLES),
]


def written(default: str, *, description: str) -> Any:
    """A field whose default is written, and shown in the schema, as a person would write it."""
    return Field(default, validate_default=True, description=description)
