"""The charts' library is the one that its registry has, with its licences, and no file says where the registry is."""

from __future__ import annotations

import hashlib
import json
import re

from upswarm.reports.pages import LIBRARY, VENDOR

SOURCE = LIBRARY.read_text(encoding="utf-8")


def test_the_file_is_the_one_that_was_recorded() -> None:
    recorded, name = (VENDOR / f"{LIBRARY.name}.sha256").read_text().split()
    assert (name, recorded) == (LIBRARY.name, hashlib.sha256(LIBRARY.read_bytes()).hexdigest())


def test_its_version_is_that_of_the_package() -> None:
    wanted = json.loads((VENDOR / "package.json").read_text())["dependencies"]["echarts"]
    locked = json.loads((VENDOR / "package-lock.json").read_text())["packages"]["node_modules/echarts"]
    assert f'.version="{wanted}"' in SOURCE
    assert locked["version"] == wanted
    assert locked["integrity"].startswith("sha512-")


def test_the_lock_names_no_registry() -> None:
    assert not re.search(r"resolved|https?:", (VENDOR / "package-lock.json").read_text())


def test_its_licences_lie_beside_it() -> None:
    for name, words in {
        "LICENSE": "Apache License",
        "NOTICE": "Apache Software Foundation",
        "LICENSE-zrender": "BSD 3-Clause",
        "LICENSE-d3": "Mike Bostock",
    }.items():
        assert words in (VENDOR / name).read_text(), name


def test_it_may_stand_within_a_script() -> None:
    assert not re.search(r"</script|<!--", SOURCE, re.IGNORECASE)
