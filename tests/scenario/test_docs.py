"""What the docs show of scenarios can be written so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from upswarm.errors import UpswarmError
from upswarm.scenario.loader import parse

ROOT = Path(__file__).parents[2]
OTHER_YAML = {"ci.md", "containers.md", "kubernetes.md"}
AROUND = {
    "files": [{"size": "1MiB", "name": "small"}, {"size": "9MiB", "name": "large"}],
    "workload": {"users": {"stages": [{"to": 2, "over": "0s"}, {"hold": "60s"}]}},
}
"""What a page leaves out where it shows a part of a scenario."""
NOT_HERE = re.compile("found none at|found nothing|mycompany")
"""Files and packages of the reader's own."""


def rooms() -> list[Any]:
    pages = [ROOT / "README.md", *(page for page in (ROOT / "docs").glob("*.md") if page.name not in OTHER_YAML)]
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in sorted(pages)
        for number, block in enumerate(re.findall(r"^```yaml\n(.+?)^```$", page.read_text(), re.MULTILINE | re.DOTALL))
    ]


@pytest.mark.parametrize("block", rooms())
def test_every_piece_of_a_scenario_in_the_docs_is_one(block: str) -> None:
    try:
        parse(yaml.safe_dump({**AROUND, **yaml.safe_load(block)}), "s.yaml", {})
    except UpswarmError as error:
        mistakes = str(error).splitlines()[1:]
        assert [each for each in mistakes if not NOT_HERE.search(each)] == []
