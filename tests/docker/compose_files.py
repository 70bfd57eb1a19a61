"""The compose files as data: documents, variables, and commands with their defaults filled in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DOCKER = Path(__file__).parents[2] / "docker"
FILES = {name: (DOCKER / name).read_text() for name in ("compose.yaml", "compose.ci.yaml")}
OURS = ("server", "master", "worker")

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def document(name: str) -> dict[str, Any]:
    """A compose file with every variable at its default."""
    loaded: dict[str, Any] = yaml.safe_load(with_defaults(FILES[name]))
    return loaded


def with_defaults(text: str) -> str:
    """The text as Compose reads it where no variable is set."""
    return _VARIABLE.sub(lambda found: found[2] or "", text)


def command(service: dict[str, Any]) -> list[str]:
    """The words of a service's command."""
    given = service["command"]
    return shlex.split(given) if isinstance(given, str) else given


def variables(text: str) -> set[str]:
    """The variables that a compose file asks for: in its values, and those that it passes on."""
    return {found[1] for found in _VARIABLE.finditer(text)} | set(_passed_on(yaml.safe_load(text)))


def faults(services: dict[str, Any]) -> Iterator[str]:
    """What makes a container less shut in than it should be."""
    for name, service in services.items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        kept = {
            "a read-only root": service.get("read_only") is True,
            "no capabilities": service.get("cap_drop") == ["ALL"] and "cap_add" not in service,
            "no new privileges": service.get("security_opt") == ["no-new-privileges:true"]
            and "privileged" not in service,
            "a user by number who is not root": re.fullmatch(r"[1-9]\d*:\d+", service.get("user", "")),
            "limits": {"cpus", "memory", "pids"} <= set(limits),
            "two cores at most": float(limits.get("cpus", 99)) <= 2,
            "an init process": service.get("init") is True,
            "a network of its own": "network_mode" not in service,
            "no fixed name": "container_name" not in service,
            "loopback alone": all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ())),
        }
        yield from (f"{name}: expected {what}" for what, holds in kept.items() if not holds)


def _passed_on(loaded: dict[str, Any]) -> Iterator[str]:
    for service in loaded["services"].values():
        for path in (each for each in service.get("env_file", ()) if isinstance(each, str)):
            yield from (line for line in (DOCKER / path).read_text().splitlines() if not line.startswith("#"))
        yield from service.get("build", {}).get("args", ())
