"""An outline is YAML: whatever it says is read back as it was."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.reports import runs
from upswarm.reports.outline import outline

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex(r"[a-z]{3,9}_s", fullmatch=True), inner),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_an_outline_is_read_back_as_it_was(document: Any) -> None:
    assert yaml.safe_load(outline(document)) == document


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"name": "smoke", "seed": 1}, "name: smoke\nseed: 1\n"),
        ({"hold": "8s", "on": True, "word": "on", "empty": {}}, 'hold: 8s\n"on": true\nword: "on"\nempty: {}\n'),
        ({"retry": {"statuses": [429, 500]}}, "retry:\n  statuses: [429, 500]\n"),
        ({"stages": [{"to": 4, "over": "2s"}]}, "stages:\n  - {to: 4, over: 2s}\n"),
        ({"thresholds": ["goodput mean > 50MiB/s"]}, "thresholds: [goodput mean > 50MiB/s]\n"),
        ({"a": "x: y", "b": "# no"}, 'a: "x: y"\nb: "# no"\n'),
    ],
)
def test_short_things_stand_on_one_line(document: Any, text: str) -> None:
    assert outline(document) == text


def test_what_does_not_fit_on_a_line_is_broken_up() -> None:
    text = outline(runs.good().scenario)
    assert "thresholds:\n  - upload.failed count == 0\n" in text
    assert yaml.safe_load(text) == runs.good().scenario
