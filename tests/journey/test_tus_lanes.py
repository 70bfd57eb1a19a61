"""A run whose files travel in parts, as a user writes it; and what the server has afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journey.runs import Workshop, files_on
from tests.servers import running_server
from upswarm.transfer.messages import Phase

SCENARIO = """\
target: {{url: "{target}", protocol: tus}}
files: [{{size: 3MiB, content: random}}]
transfer: {{chunk_size: 512KiB, parallel_chunks: {lanes}, digest: crc32c}}
workload: {{users: {{stages: [{{to: 2, over: 0s}}, {{hold: 1500ms}}], think_time: 100ms}}}}
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.mark.parametrize(("lanes", "asks", "inits", "finalizes"), [(1, {0}, 1, 0), (3, {1, 2}, 3, 1)])
def test_a_file_in_parts_is_one_file_in_the_end(
    workshop: Workshop, tmp_path: Path, *, lanes: int, asks: set[int], inits: int, finalizes: int
) -> None:
    """Two users begin at the same time, so one or two of them ask whether parts can be joined."""
    with running_server(tmp_path) as server:
        path = tmp_path / "lanes.yaml"
        path.write_text(SCENARIO.format(target=server.url, lanes=lanes))
        ended = workshop.upswarm("run", str(path))
        assert ended.code == 0, ended.out + ended.err
        files = files_on(server.url)
    measured = workshop.run().measurements
    assert {file["size_bytes"] for file in files} == {3 << 20}
    assert len(files) == measured.uploads.finished >= 2
    phases = measured.phases
    assert phases[Phase.INIT].attempts - inits * len(files) in asks
    assert phases[Phase.CHUNK].attempts == 6 * len(files)
    assert phases[Phase.CHUNK].bytes_sent == (3 << 20) * len(files)
    assert phases[Phase.FINALIZE].attempts == finalizes * len(files)
