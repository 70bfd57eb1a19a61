"""The scenarios that come with upswarm, and how a name or a path finds one."""

from __future__ import annotations

import os
from pathlib import Path

from upswarm import resources
from upswarm.errors import UsageError
from upswarm.plugins import did_you_mean


def names() -> list[str]:
    """The names that `find` knows: scenarios that lie in ./scenarios, and those that come with upswarm."""
    return sorted({path.stem for folder in _folders() for path in folder.glob("*.yaml")})


def find(name: str) -> Path:
    """The file of a scenario, by path or by name; raises `UsageError` with the known names and the nearest one."""
    for path in (Path(name), *(folder / f"{name}.yaml" for folder in _folders())):
        if os.path.isfile(path):  # noqa: PTH113 (a name that no file can have is no error, but none that is found)
            return path
    known = names()
    raise UsageError(f"expected a scenario ({', '.join(known)}) or a path to one, found {name!r}",
                     hint=did_you_mean(name, known))  # fmt: skip


def _folders() -> tuple[Path, Path]:
    return Path("scenarios"), resources.folder("scenarios")
