"""docs/comparing.md says what the code does."""

import re
from pathlib import Path

import pytest

from tests.architecture.test_docs import block
from upswarm.results.comparison.comparison import DEFAULT_BAND_RATIO, Word
from upswarm.results.comparison.gate import Gate
from upswarm.results.thresholds import ThresholdError
from upswarm.verbs.compare import compare

PAGE = (Path(__file__).parents[3] / "docs" / "comparing.md").read_text()


def test_every_gate_of_the_documentation_can_be_read():
    examples = block(PAGE, "Examples")
    assert len(examples) > 3
    for line in examples:
        Gate.parse(line.partition("#")[0])


def test_every_counterexample_of_the_documentation_is_refused():
    counterexamples = block(PAGE, "Not gates")
    assert len(counterexamples) > 3
    for line in counterexamples:
        with pytest.raises(ThresholdError):
            Gate.parse(line.partition("#")[0])


def test_every_option_and_every_word_is_documented():
    options = [name for each in compare.params for name in each.opts if name.startswith("--")]
    rows = re.findall(r"^\| `(--[\w-]+)", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(options)
    for word in Word:
        assert re.search(rf"^\| [a-z, ]*\b{word}\b", PAGE, re.MULTILINE), word
    assert f"±{DEFAULT_BAND_RATIO * 100:g} % of the base" in PAGE
