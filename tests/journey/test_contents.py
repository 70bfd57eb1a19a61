"""Contents with parameters, from the scenario to the server: what arrives, and what is said where they are missing."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.journey.runs import Workshop, end_of, family, files_on
from tests.servers import running_server
from upswarm.content.random import RandomFile

SCENARIO = """\
target: {target}
files:
  - {{size: 3MiB, content: {{compressible: {{ratio: 3}}}}}}
  - {{size: 3MiB, content: {{dedup: {{ratio: 4, block: 64KiB}}}}}}
  - {{content: {{corpus: {{path: ./samples}}}}}}
transfer: {{digest: crc32c}}
workload: {{users: {{stages: [{{to: 3, over: 0s}}, {{hold: 1500ms}}], think_time: 20ms}}}}
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    (tmp_path / "samples").mkdir()
    for seed, size_bytes in enumerate((1_000_000, 77, 1)):
        data = b"".join(RandomFile("", size_bytes, seed).views(0, size_bytes))
        (tmp_path / "samples" / str(seed)).write_bytes(data)
    return Workshop(tmp_path)


def scenario(workshop: Workshop, target: str) -> str:
    path = workshop.folder / "contents.yaml"
    path.write_text(SCENARIO.format(target=target))
    return str(path)


def test_files_of_a_corpus_arrive_as_they_are_beside_those_that_are_made(workshop: Workshop, tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        ended = workshop.upswarm("run", scenario(workshop, server.url))
        assert ended.code == 0, ended.err
        files = files_on(server.url)
        made = [file for file in files if file["size_bytes"] == 3 << 20]
        own = {file["size_bytes"]: file["file_id"] for file in files if file["size_bytes"] != 3 << 20}
        assert made
        assert own
        for size_bytes, file_id in own.items():
            with urlopen(f"{server.url}/v1/files/{file_id}/content") as answer:
                arrived = hashlib.sha256(answer.read()).digest()
            samples = [path.read_bytes() for path in (tmp_path / "samples").iterdir()]
            assert arrived in [hashlib.sha256(data).digest() for data in samples if len(data) == size_bytes]


LACKING = """
from locust.env import Environment
from upswarm.scenario.loader import resolve
from upswarm.swarm.uploading.load import Load
from upswarm.swarm.plan import Plan
from upswarm.workload.shares import Share

scenario = resolve({"files": [{"content": {"corpus": {"path": "/nowhere/at/all"}}}]})
load = Load(Environment(), Plan.of("r", scenario, "http://127.0.0.1:1"), Share.of(0, 1, 64), 0.0)
print("the plan is taken")
with load.equipment.open_file(load.equipment.draw(0)):
    pass
"""


def test_a_worker_that_lacks_the_corpus_says_so_with_its_first_file(workshop: Workshop) -> None:
    """What a user raises is reported to the master; what Locust's start event raises ends in the worker's log."""
    with family(process := workshop.start(sys.executable, "-c", LACKING)):
        ended = end_of(process)
    assert ended.out == "the plan is taken\n"
    assert "UsageError: expected a file or a folder at /nowhere/at/all, found nothing" in ended.err
