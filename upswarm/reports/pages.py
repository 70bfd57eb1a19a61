"""Pages that stand alone: templates, the charts' library within, and a policy that lets nothing be fetched."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from upswarm import units

VENDOR = Path(__file__).parent / "vendor"
LIBRARY = VENDOR / "echarts.min.js"


@cache
def environment() -> Environment:
    """Strict: a page with a hole in it is worse than an error."""
    made = Environment(
        loader=PackageLoader("upswarm.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["embedded"] = embedded
    made.filters["size"] = units.format_size
    made.globals["charts_library"] = _library
    return made


def template(name: str) -> Template:
    """A page's template, by the name of its file."""
    return environment().get_template(name)


def embedded(value: Any) -> Markup:
    """JSON that may stand within a `<script>`, whatever texts it holds."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _library() -> Markup:
    return Markup(LIBRARY.read_text(encoding="utf-8"))
