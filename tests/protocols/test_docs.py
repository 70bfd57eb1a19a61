"""The table in docs/protocols.md, held against the dialects."""

import re
from pathlib import Path

import pytest

from upswarm import plugins

PAGE = (Path(__file__).parents[2] / "docs" / "protocols.md").read_text()
ROWS = {row[0]: row[-1] for row in re.findall(r"^\| `(\w+)` \| .+ \| .+ \| .+ \| (.+) \|$", PAGE, re.MULTILINE)}


def test_every_protocol_has_its_row_and_no_other_has_one():
    assert sorted(ROWS) == plugins.names("protocol")


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_digests_of_a_chunk_are_those_that_it_can_carry(name):
    written = {digest for digest in ("crc32c", "sha256") if digest in ROWS[name].replace("the file's: sha256", "")}
    assert written == {digest.replace("-", "") for digest in plugins.find("protocol", name).caps.digests}
