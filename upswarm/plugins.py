"""Names reach up, imports do not: `find("protocol", "tus")` answers with the class.

A plugin is found by a name of ours (a lazy table of import strings), by an entry point of an installed package in
the group `upswarm.<kind>`, or by `module:attribute` written where the name would stand.
"""

from __future__ import annotations

import difflib
import importlib
from importlib.metadata import entry_points
from operator import attrgetter
from typing import Any

from upswarm.errors import PluginError

_BUILT_IN: dict[str, dict[str, str]] = {
    "protocol": {
        "azure": "upswarm.protocols.azure:Azure",
        "chunked": "upswarm.protocols.chunked:Chunked",
        "gcs": "upswarm.protocols.gcs:Gcs",
        "oci": "upswarm.protocols.oci:Oci",
        "put": "upswarm.protocols.put:Put",
        "rufh": "upswarm.protocols.rufh:Rufh",
        "s3": "upswarm.protocols.s3:S3",
        "tus": "upswarm.protocols.tus:Tus",
    },
    "content": {
        "sparse": "upswarm.content.sparse:Sparse",
        "random": "upswarm.content.random:Random",
        "compressible": "upswarm.content.compressible:Compressible",
        "dedup": "upswarm.content.dedup:Dedup",
        "corpus": "upswarm.content.corpus:Corpus",
    },
    "transport": {
        "socket": "upswarm.transfer.transport_socket:SocketTransport",
        "requests": "upswarm.transfer.transport_requests:RequestsTransport",
    },
    "store": {
        "disk": "upswarm_server.stores.disk:DiskStore",
        "memory": "upswarm_server.stores.memory:MemoryStore",
    },
    "catalog": {
        "sqlite": "upswarm_server.catalogs.sqlite:SqliteCatalog",
        "memory": "upswarm_server.catalogs.memory:MemoryCatalog",
    },
}


def names(kind: str) -> list[str]:
    """All names that `find` knows for this kind, sorted."""
    installed = {entry.name for entry in entry_points(group=f"upswarm.{kind}")}
    return sorted(installed | set(_BUILT_IN.get(kind, {})))


def is_built_in(kind: str, name: str) -> bool:
    """Whether the name is one of ours."""
    return name in _BUILT_IN.get(kind, {})


def find(kind: str, name: str) -> Any:
    """What the name stands for; raises `PluginError` with the known names and the nearest one."""
    if is_built_in(kind, name):
        return _load(kind, name, _BUILT_IN[kind][name])
    for entry in entry_points(group=f"upswarm.{kind}", name=name):
        return _load(kind, name, entry.value)
    if ":" in name:
        try:
            return _load(kind, name, name)
        except PluginError as error:  # it may be one of ours, misspelt, with a parameter
            raise PluginError(
                error.message, hint=did_you_mean(name.partition(":")[0], names(kind)) or error.hint
            ) from None
    raise PluginError(f"expected a {kind} ({', '.join(names(kind))}, or module:attribute), found {name!r}",
                      hint=did_you_mean(name, names(kind)))  # fmt: skip


def did_you_mean(word: str, known: list[str]) -> str:
    """`did you mean "chunk_size"?`, or an empty string when nothing is near."""
    nearest = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f'did you mean "{nearest[0]}"?' if nearest else ""


def _load(kind: str, name: str, reference: str) -> Any:
    module, _, attribute = reference.partition(":")
    try:
        return attrgetter(attribute)(importlib.import_module(module))
    except (ImportError, AttributeError, TypeError, ValueError) as error:  # the last two: no name, a relative name
        raise PluginError(f"the {kind} {name!r} can't be loaded from {reference}: {error}",
                          hint="check that its package is installed and spelt as in Python") from error  # fmt: skip
