import re
from pathlib import Path

import pytest

from upswarm.results.metrics import METRICS, markdown
from upswarm.results.thresholds import Threshold, ThresholdError
from upswarm.transfer.failures import RESUMABLE, Failure

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [
    *DOCS.parent.glob("*.md"),
    *DOCS.rglob("*.md"),
    *(DOCS.parent / each for each in ("benchmarks/README.md", "server/PROTOCOL.md")),
]


def block(text: str, heading: str) -> list[str]:
    """The lines of the first code block under a heading."""
    return re.search(rf"^#+ {heading}$.*?^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1].splitlines()


def test_the_table_of_metrics_is_the_one_that_the_code_writes():
    assert markdown() in (DOCS / "metrics.md").read_text()


def test_no_metric_is_documented_that_is_not_there():
    rows = re.findall(r"^\| `([\w.]+)` \|", (DOCS / "metrics.md").read_text(), re.MULTILINE)
    assert rows == list(METRICS)


def test_every_threshold_of_the_documentation_can_be_read():
    examples = block((DOCS / "metrics.md").read_text(), "Examples")
    assert len(examples) > 4
    for line in examples:
        Threshold.parse(line.partition("#")[0])


def test_every_counterexample_of_the_documentation_is_refused():
    counterexamples = block((DOCS / "metrics.md").read_text(), "Not thresholds")
    assert len(counterexamples) > 2
    for line in counterexamples:
        with pytest.raises(ThresholdError):
            Threshold.parse(line.partition("#")[0])


def test_the_table_of_failures_is_the_enum():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (yes|no) \|$", (DOCS / "failures.md").read_text(), re.MULTILINE)
    assert rows == [(kind.value, kind.meaning, "yes" if kind in RESUMABLE else "no") for kind in Failure]


def test_every_link_leads_somewhere():
    broken = [
        f"{page.name}: {link}"
        for page in PAGES
        for link in re.findall(r"\[[^]]+\]\(([^):]+)\)", page.read_text())
        if not leads_somewhere(page, *link.partition("#")[::2])
    ]
    assert broken == []


def leads_somewhere(page: Path, path: str, anchor: str) -> bool:
    there = page.parent / path if path else page
    return there.exists() and (not anchor or anchor in anchors(there.read_text()))


def anchors(text: str) -> set[str]:
    """Those that GitHub gives to the headings of a page; the second of a name has a number."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    names = [
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    ]
    return {*names, *(f"{name}-{number}" for name in names for number in range(1, names.count(name)))}


def test_every_picture_is_shown_and_every_picture_that_is_shown_is_there():
    shown = {
        (page.parent / path).resolve()
        for page in PAGES
        for path in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text())
    }
    assert shown == set((DOCS / "images").iterdir())
