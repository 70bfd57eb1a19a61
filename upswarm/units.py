"""The one reader and writer of quantities: `8MiB`, `30s`, `200/s`, `20MiB/s`, `30%`.

Inside the house a quantity is a plain number whose name carries the unit (`_bytes`, `_s`, `_per_s`, `_ratio`).
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

_SIZES = {
    "B": 1,
    "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_QUANTITY = re.compile(r"(?P<number>[+-]?\d+(?:\.\d*)?|[+-]?\.\d+)\s*(?P<unit>[A-Za-zµ%/]*)")

SIZE_EXAMPLES = "a size such as 8MiB or 1.5GB"
DURATION_EXAMPLES = "a duration such as 200ms, 30s or 2m"
RATE_EXAMPLES = "a rate such as 200/s or 30/m"
BANDWIDTH_EXAMPLES = "a bandwidth such as 20MiB/s"
RATIO_EXAMPLES = "a share such as 30% or 0.3"


class UnitError(ValueError):
    """A text that is no quantity of the kind that was expected."""

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(f"expected {expected}, found {found!r}")
        self.expected = expected
        self.found = found


def _split(text: object, expected: str) -> tuple[float, str]:
    if isinstance(text, bool) or not isinstance(text, int | float | str):
        raise UnitError(expected, text)
    if not isinstance(text, str):
        return float(str(text)), ""
    match = _QUANTITY.fullmatch(text.strip().replace("_", ""))
    if match is None:
        raise UnitError(expected, text)
    return float(match["number"]), match["unit"].replace("µ", "u")


def _scaled(text: object, units: dict[str, float], expected: str) -> float:
    number, unit = _split(text, expected)
    value = number * units.get(unit, math.nan)
    if not (math.isfinite(value) and value >= 0):
        raise UnitError(expected, text)
    return value


def parse_size(text: object) -> int:
    """Bytes of `8MiB`, `1.5GB`, `512B` or a bare whole number. Units are exact: `kB` is 1000, `KiB` is 1024."""
    value = _scaled(text, {"": 1, **_SIZES}, SIZE_EXAMPLES)
    if not math.isclose(value, round(value), abs_tol=1e-6) and str(text).strip()[-1:].isdigit():
        raise UnitError(SIZE_EXAMPLES, text)
    return round(value)


def parse_duration(text: object) -> float:
    """Seconds of `200ms`, `30s`, `2m`, `1.5h`. A bare number is refused, but for 0: its unit would be a guess."""
    if str(text).strip() == "0":
        return 0.0
    return _scaled(text, _TIMES, DURATION_EXAMPLES)


def parse_rate(text: object) -> float:
    """Events per second of `200/s`, `30/m`, `100/h`."""
    return _scaled(text, {f"/{unit}": 1 / seconds for unit, seconds in _TIMES.items()}, RATE_EXAMPLES)


def parse_bandwidth(text: object) -> float:
    """Bytes per second of `20MiB/s`."""
    return _scaled(text, {f"{unit}/s": size for unit, size in _SIZES.items()}, BANDWIDTH_EXAMPLES)


def parse_ratio(text: object, *, most: float = 1.0) -> float:
    """A share from 0 to `most`, written `30%` or `0.3`."""
    value = _scaled(text, {"": 1, "%": 0.01}, RATIO_EXAMPLES)
    if value > most:
        raise UnitError(RATIO_EXAMPLES, text)
    return value


def format_size(value_bytes: float) -> str:
    """`16.0 MiB`: a size for people, in the largest binary unit that leaves at least one whole."""
    whole_bytes = round(value_bytes)
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if round(abs(whole_bytes) * 1024 / _SIZES[unit], 1) >= 1024:  # what would be written as 1024.0 of the next
            return f"{whole_bytes / _SIZES[unit]:.1f} {unit}"
    return f"{whole_bytes} B"


def write_size(value_bytes: int) -> str:
    """`4MiB`, `1500000B`: exactly this size, as `parse_size` reads it, in the largest binary unit that divides it."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value_bytes and value_bytes % _SIZES[unit] == 0:
            return f"{value_bytes // _SIZES[unit]}{unit}"
    return f"{value_bytes}B"


def format_bandwidth(value_bytes_per_s: float) -> str:
    """`310.4 MiB/s`."""
    return f"{format_size(value_bytes_per_s)}/s"


def format_duration(value_s: float) -> str:
    """`1.24 ms`, `350 µs`, `12.0 s`, `2 m 05 s`: three significant digits below a minute."""
    shown_s = float(f"{value_s:.3g}")
    if shown_s >= 60:
        minutes, seconds = divmod(round(value_s), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours} h {minutes:02d} m" if hours else f"{minutes} m {seconds:02d} s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if shown_s >= scale:
            return f"{_three_digits(value_s / scale)} {unit}"
    return f"{_three_digits(value_s / 1e-6)} µs" if value_s else "0 s"


def format_ratio(value_ratio: float) -> str:
    """`0.12 %`: three significant digits, and never an exponent."""
    return f"{Decimal(f'{value_ratio * 100:.3g}'):f} %"


def _three_digits(value: float) -> str:
    shown = float(f"{value:.3g}")
    decimals = max(0, 2 - math.floor(math.log10(shown))) if shown > 0 else 0
    return f"{shown:.{decimals}f}"
