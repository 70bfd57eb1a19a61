"""What a container may use is read from the kernel's files, in both forms, however deep its group lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upswarm.swarm.limits import Limits

V1 = {
    "proc/self/cgroup": "4:memory:/docker/a\n2:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a\n0::/docker/a\n",
    "proc/self/mountinfo": (
        "79 78 0:46 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755\n"
        "80 79 0:29 /docker/a /sys/fs/cgroup/cpu,cpuacct ro,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
        "82 79 0:32 /docker/a /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n"
    ),
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpu,cpuacct/cpu.stat": "nr_periods 13\nnr_throttled 11\nthrottled_time 361596804\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "314572800\n",
    "sys/fs/cgroup/memory/memory.stat": "cache 900\nrss 5\nshmem 5\ntotal_rss 100000000\ntotal_shmem 57286400\n",
}
V2 = {
    "proc/self/cgroup": "0::/\n",
    "proc/self/mountinfo": "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw,nsdelegate\n",
    "sys/fs/cgroup/cpu.max": "20000 100000\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 9\nnr_periods 40\nnr_throttled 10\nthrottled_usec 77\n",
    "sys/fs/cgroup/memory.max": "1000\n",
    "sys/fs/cgroup/memory.stat": "anon 600\nfile 5000\nshmem 300\n",
}
NESTED = {
    **V2,
    "proc/self/cgroup": "0::/pod/own\n",
    "sys/fs/cgroup/cpu.max": "max 100000\n",
    "sys/fs/cgroup/pod/cpu.max": "10000 100000\n",
    "sys/fs/cgroup/pod/cpu.stat": "nr_periods 4\nnr_throttled 1\n",
    "sys/fs/cgroup/pod/own/cpu.max": "30000 100000\n",
    "sys/fs/cgroup/memory.max": "max\n",
    "sys/fs/cgroup/pod/own/memory.max": "2000\n",
    "sys/fs/cgroup/pod/own/memory.stat": "anon 500\nshmem 0\n",
}
UNLIMITED = {
    **V1,
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
}


def below(root: Path, files: dict[str, str]) -> Limits:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Limits.here(root)


@pytest.mark.parametrize(
    ("files", "limit", "used_ratio", "throttled"),
    [
        (V1, (0.5, 314572800), 0.5, (13, 11)),
        (V2, (0.2, 1000), 0.9, (40, 10)),
        (NESTED, (0.1, 2000), 0.25, (4, 1)),
    ],
    ids=["v1", "v2", "nested"],
)
def test_the_narrowest_limit_holds(tmp_path, files, limit, used_ratio, throttled) -> None:
    limits = below(tmp_path, files)
    assert (limits.cpus, limits.memory_bytes) == limit
    assert limits.processes == 1
    assert limits.memory_used_ratio() == pytest.approx(used_ratio, rel=1e-3)
    assert limits.throttled() == throttled


@pytest.mark.parametrize("files", [UNLIMITED, {}], ids=["unlimited", "nothing to be read"])
def test_without_a_limit_a_process_may_use_what_it_may_run_on(tmp_path, files) -> None:
    limits = below(tmp_path, files)
    assert limits.cpus == limits.processes == len(os.sched_getaffinity(0))
    assert (limits.memory_bytes, limits.memory_used_ratio(), limits.throttled()) == (None, None, (0, 0))


def test_a_group_that_is_named_as_outside_sees_it_is_found_where_it_is_mounted(tmp_path) -> None:
    """So it is in a container whose control groups have no namespace of their own, and in one that was moved."""
    assert below(tmp_path, {**V2, "proc/self/cgroup": "0::/../elsewhere\n"}).cpus == 0.2
