"""The worked examples of docs/custom-http.md, as the documentation has them."""

from __future__ import annotations

import re
from pathlib import Path

from upswarm.scenario.loader import parse
from upswarm.scenario.model import Scenario
from upswarm.transfer.dialect import UploadProtocol

PAGE = Path(__file__).parents[2] / "docs" / "custom-http.md"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def example(number: int) -> Scenario:
    """The n-th example: 0 is the chunked protocol, 1 a form without init and probe."""
    return parse(EXAMPLES[number], "custom-http.md", {})


def service(text: str) -> UploadProtocol:
    """The dialect of an API in YAML: what stands below `http:`."""
    indented = "".join(f"      {line}\n" for line in text.strip().splitlines())
    scenario = parse(f"target:\n  protocol:\n    http:\n{indented}", "test.yaml", {})
    return scenario.target.protocol.build("client-1")
