"""What docs/many-machines.md tells people to type."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.network.hosts import missing

PAGE = (Path(__file__).parents[2] / "docs" / "many-machines.md").read_text()
HOSTS, RUN = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")
def test_its_hosts_reach_each_other_and_one_has_a_slow_card_and_then_they_are_gone() -> None:
    own = f"up{os.getpid()}-try-"
    removed = next(line for line in RUN.splitlines() if "netns del" in line)
    try:
        shell(HOSTS.replace("try-", own))
        for number in (1, 2, 3):
            refused = f"(ip netns exec {own}one bash -c 'exec 3<>/dev/tcp/10.99.0.{number}/9' 2>&1 || true)"
            assert "Connection refused" in shell(refused), "it is there, and nobody listens"
        assert "rate 200Mbit" in shell(f"ip netns exec {own}two tc qdisc show dev eth0")
    finally:
        shell(removed.replace("try-", own))
    assert own not in shell("ip netns list")


def shell(commands: str) -> str:
    done = subprocess.run(["bash", "-e", "-c", commands], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
