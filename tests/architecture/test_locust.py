"""What we stand on in Locust is still there, and is written down; in a process of its own, for Locust patches it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/design/locust.md").read_text()
SEAM = r"^\| `(locust[\w.]+)`(?: has `([^`]+)`)? \| ((?:`\w+`(?:, )?)+) \|"

LOOK = """
import importlib, inspect, sys
import locust.main

def found(name, text):
    module, parts = name, []
    while module not in sys.modules:
        module, _, last = module.rpartition(".")
        parts.insert(0, last)
    thing = sys.modules[module]
    for part in parts:
        source = inspect.getsource(thing) if not hasattr(thing, part) else ""
        if source and not any(hint in source for hint in (f"self.{part} = ", f"self.{part}: ", f"def {part}(")):
            return False
        thing = getattr(thing, part, thing)
    return text in inspect.getsource(thing) if text else True

for line in sys.stdin:
    name, _, text = line.rstrip("\\n").partition("|")
    if not found(name, text):
        print(name, f"with {text!r}" if text else "")
"""


def seams() -> list[tuple[str, str, str]]:
    """Name, text that its source has, and modules of ours, of each row of the page."""
    return re.findall(SEAM, PAGE, re.MULTILINE)


def test_every_seam_of_locust_is_there() -> None:
    asked = "".join(f"{name}|{text}\n" for name, text, _ in seams())
    done = subprocess.run([sys.executable, "-c", LOOK], input=asked, capture_output=True, text=True, check=True)
    assert done.stdout == "", f"this Locust has no longer what docs/design/locust.md says we stand on: {done.stdout}"


def test_a_seam_that_is_gone_is_noticed() -> None:
    asked = "locust.stats.bucket|\nlocust.web.WebUI.swarms|\nlocust.main|fork_twice\nlocust.gone.away|\n"
    done = subprocess.run([sys.executable, "-c", LOOK], input=asked, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 4


def test_every_row_names_modules_of_ours_that_are_there() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert len(rows) == len(seams()) > 20
    modules = {each.strip("`") for _, _, ours in seams() for each in ours.split(", ")}
    assert {each.stem for each in (ROOT / "upswarm/swarm").rglob("*.py")} >= modules


def test_everything_private_that_we_use_of_locust_is_told() -> None:
    told = {name.rpartition(".")[2] for name, _, _ in seams()}
    for path in (ROOT / "upswarm/swarm").rglob("*.py"):
        for name in re.findall(
            r"(?:runner|master|worker|environment|web_ui|dispatcher)\.(_[a-z]\w+)", path.read_text()
        ):
            assert name in told, f"docs/design/locust.md does not tell that {path.name} uses {name}"
