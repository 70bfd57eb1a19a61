"""Reads the imports of a tree of Python files and says which of them break a rule of the house."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

FLOORS = {
    "": 0, "errors": 0, "units": 0, "digests": 0, "plugins": 0, "resources": 0, "files": 0, "health_check": 0,
    "pid_one": 0, "tcp_table": 0,
    "content": 1, "workload": 1,
    "transfer": 2,
    "protocols": 3, "results": 3,
    "scenario": 4, "audit": 4, "reports": 4, "probing": 4,
    "swarm": 5, "verbs": 5,
    "cli": 6,
    "__main__": 7,
}  # fmt: skip
"""The rooms of `upswarm`. The ground is one room, in which everybody may stand on everybody."""

KIT = "testing"
"""Beside the house: may use what is up to floor 4, and nothing uses it."""

KIT_FOR_THE_SERVER = {
    f"upswarm/{KIT}/{name}.py"
    for name in (
        "stores", "slots", "holds", "tails", "trial", "catalogs", "expiry", "records", "listings", "workers",
    )
}  # fmt: skip
"""The contract suites for stores and catalogs: what of the load side may see the server, and of that only contracts."""

CONTRACTS_OF_THE_SERVER = {f"upswarm_server.{name}" for name in ("stores.base", "catalogs.base", "model", "problems")}

SERVER_MAY_USE = {"", "errors", "units", "digests", "plugins", "pid_one"}

DOORS = {
    "locust": ["upswarm/swarm/*"],
    "flask": ["upswarm/swarm/*"],  # Locust's web form is a Flask application
    "gevent": ["upswarm/swarm/*", "server/upswarm_server/*"],
    "psutil": ["upswarm/swarm/*"],
    "yaml": ["upswarm/scenario/*"],
    "pydantic": ["upswarm/scenario/*"],
    "pydantic_core": ["upswarm/scenario/*"],
    "jinja2": ["upswarm/reports/*"],
    "markupsafe": ["upswarm/reports/*"],
    "click": ["upswarm/cli.py", "upswarm/verbs/*"],
    "requests": ["upswarm/transfer/transport*.py"],
    "urllib3": ["upswarm/transfer/transport*.py"],
    "hdrh": ["upswarm/results/histogram.py"],
    "crc32c": ["upswarm/digests.py"],
    "cryptography": ["upswarm/swarm/workers/seal.py"],
    "msgpack": ["upswarm/swarm/workers/seal.py"],
    "falcon": ["server/upswarm_server/*"],
    "gunicorn": ["server/upswarm_server/*"],
    "junitparser": ["upswarm/reports/outputs/junit.py"],
    "opentelemetry": ["upswarm/swarm/telemetry/*"],
    "prometheus_client": [
        "server/upswarm_server/metrics.py",
        "upswarm/swarm/telemetry/*",
        "upswarm/swarm/server_counts.py",
    ],
    "pyarrow": ["upswarm/results/events_parquet.py"],
    "rich": ["upswarm/reports/terminal*.py"],
    # of the standard library:
    "socket": ["upswarm/transfer/transport*.py", "upswarm/swarm/*", "server/upswarm_server/*"],
    "sqlite3": ["server/upswarm_server/*"],
}
"""Where a package may be imported. Whatever is neither here, nor ours, nor of the standard library, is nowhere."""


@dataclass(frozen=True)
class Import:
    """One imported module, as `upswarm.transfer.retry` or `falcon`."""

    file: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def files(root: Path) -> list[str]:
    """All Python files of both packages, relative to the root."""
    folders = (root / "upswarm", root / "server" / "upswarm_server")
    return sorted(str(path.relative_to(root)) for folder in folders for path in folder.rglob("*.py"))


def findings(root: Path, file: str) -> list[str]:
    """Every import of the file that breaks a rule, with the rule."""
    return [f"{found}: {rule}" for found in imports(root, file) if (rule := _broken_rule(found))]


@lru_cache
def imports(root: Path, file: str) -> tuple[Import, ...]:
    """Every import of the file, also those inside functions and under `if TYPE_CHECKING`."""
    tree = ast.parse((root / file).read_text(encoding="utf-8"))
    return tuple(
        Import(file, node.lineno, module)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in _modules(node, root, file)
    )


def _modules(node: ast.Import | ast.ImportFrom, root: Path, file: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    package = _package(file)
    base = (
        ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
        if node.level
        else node.module
    )
    assert base is not None
    for alias in node.names:
        submodule = f"{base}.{alias.name}"
        yield submodule if _is_module(root, submodule) else base


def _package(file: str) -> list[str]:
    return list(Path(file.removeprefix("server/")).parent.parts)


def _is_module(root: Path, module: str) -> bool:
    path = Path(*module.split("."))
    return any((base / path).with_suffix(".py").is_file() or (base / path).is_dir() for base in (root, root / "server"))


def _broken_rule(found: Import) -> str:
    top, _, rest = found.module.partition(".")
    target = rest.partition(".")[0]
    if top == "upswarm":
        return _in_house(found, target)
    if top == "upswarm_server":
        return _of_the_server(found)
    if top in DOORS:
        doors = DOORS[top]
        return "" if any(fnmatch(found.file, door) for door in doors) else f"{top} belongs into {', '.join(doors)}"
    return "" if top in sys.stdlib_module_names else f"{top} has no door"


def _of_the_server(found: Import) -> str:
    if found.file.startswith("server/"):
        return ""
    if found.file not in KIT_FOR_THE_SERVER:
        return "the load side uses nothing of the server"
    return "" if found.module in CONTRACTS_OF_THE_SERVER else "the testing kit sees the server's contracts only"


def _in_house(found: Import, target: str) -> str:
    if found.file.startswith("server/"):
        return "" if target in SERVER_MAY_USE else "the server stands on floor 0 only"
    room = _room(found.file)
    if KIT in {room, target}:
        return _of_the_kit(room, target)
    for name in (room, target):
        if name not in FLOORS:
            return f"{name} is on no floor"
    if room == target or FLOORS[room] == FLOORS[target] == 0:
        return ""
    if FLOORS[target] > FLOORS[room]:
        return f"imports go down, {room or 'upswarm'} is on floor {FLOORS[room]} and {target} on {FLOORS[target]}"
    return f"{room} and {target} are neighbours on floor {FLOORS[room]}" if FLOORS[target] == FLOORS[room] else ""


def _of_the_kit(room: str, target: str) -> str:
    if room == target:
        return ""
    if target == KIT:
        return "the house uses nothing of its testing kit"
    return "" if FLOORS.get(target, 9) <= 4 else "the testing kit stands on floor 4 at most"


def _room(file: str) -> str:
    parts = Path(file).parts
    return "" if parts[1] == "__init__.py" else parts[1].removesuffix(".py")
