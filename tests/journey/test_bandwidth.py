"""A real run over a real server keeps to its bandwidth."""

from __future__ import annotations

from pathlib import Path

from tests.journey.runs import Workshop

MiB = 1 << 20
SCENARIO = """\
name: slow
files: [{size: 4MiB, content: random}]
transfer: {bandwidth: {upload: 4MiB/s, worker: 6MiB/s}, chunk_size: 1MiB, parallel_chunks: 2}
workload: {users: {stages: [{to: 2, over: 10ms}, {hold: 3s}]}}
"""


def test_uploads_take_as_long_as_their_limits_say(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path)
    (tmp_path / "slow.yaml").write_text(SCENARIO)
    ended = workshop.upswarm("run", "slow.yaml")
    assert ended.code == 0, ended.err
    uploads = workshop.run().measurements.uploads
    shortest_s = uploads.response_time.min_s
    assert uploads.finished >= 3
    assert shortest_s is not None
    assert shortest_s >= 4 / 4 * 0.98  # two at a time have 3 MiB/s each; the last one may be alone
    sent = workshop.run().measurements.seconds.values()
    assert sum(each.bytes_sent for each in sent) <= 6 * MiB * 1.02 * (len(sent) + 1)
