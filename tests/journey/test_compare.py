"""Two real runs, one against a server that waits on purpose: `compare` says worse, and its gate exits with 3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.journey.runs import Workshop

SCENARIO = """\
name: {name}
target: {{embedded: {{workers: 1, faults: [{{phase: chunk, share: 1, delay_s: {delay_s}}}]}}}}
files: [{{size: 64KiB, content: random}}]
workload: {{users: {{stages: [{{to: 4, over: 0s}}, {{hold: 4s}}]}}}}
"""


def test_a_delayed_server_is_worse_and_the_gate_exits_3(tmp_path):
    workshop = Workshop(tmp_path)
    delays_s = {"fast": 0.01, "slow": 0.06}
    for name, delay_s in delays_s.items():
        (tmp_path / f"{name}.yaml").write_text(SCENARIO.format(name=name, delay_s=delay_s))
    with ThreadPoolExecutor() as pool:
        ended = list(
            pool.map(lambda name: workshop.upswarm("run", f"{name}.yaml", "--reports", f"reports/{name}"), delays_s)
        )
    assert [each.code for each in ended] == [0, 0], ended
    (fast,), (slow,) = ((tmp_path / "reports" / name).iterdir() for name in delays_s)

    found = workshop.upswarm("compare", str(fast), str(slow), "--sure", "--html",
                             "--fail-if", "chunk.response_time p50 > +50% and > +20ms")  # fmt: skip
    assert found.code == 3, found
    (row,) = [line for line in found.out.splitlines() if line.split()[:2] == ["chunk.response_time", "p50"]]
    assert row.endswith("worse")
    assert "target.embedded.faults[0].delay_s  0.01  0.06" in found.out
    assert (tmp_path / "compare.html").stat().st_size > 100_000
    other_way = workshop.upswarm("compare", str(slow), str(fast), "--fail-if", "chunk.response_time p50 > +1%")
    assert other_way.code == 0, other_way
