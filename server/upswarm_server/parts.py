"""The store and the catalog that the settings name, whoever has written them; what is wrong with one is a sentence."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from upswarm import plugins
from upswarm.errors import PluginError, UsageError
from upswarm_server.catalogs.base import Catalog
from upswarm_server.meter import Meter
from upswarm_server.offload import Offload
from upswarm_server.settings import Settings, SettingsError
from upswarm_server.stores.base import Store
from upswarm_server.stores.planted import EarlyStore

_HINT = "docs/extending.md has a whole example, and upswarm.testing the suite that every {kind} keeps"


def make_store(settings: Settings, offload: Offload, meter: Meter) -> Store:
    """The store of these settings; raises `PluginError`, or `SettingsError` when it can't serve so many workers."""
    if settings.planted_bug == "acknowledge_early":
        return EarlyStore.from_settings(settings, offload, meter)
    return cast(Store, _make("store", settings.store, Store, (settings, offload, meter)))


def make_catalog(settings: Settings, offload: Offload, meter: Meter) -> Catalog:
    """The catalog of these settings; raises as `make_store` does."""
    return cast(Catalog, _make("catalog", settings.catalog, Catalog, (settings, offload, meter)))


@contextmanager
def preparing(kind: str, name: str, part: Store | Catalog) -> Iterator[None]:
    """An `OSError` of somebody else's part becomes a `UsageError` that names the part; ours name the directory."""
    try:
        yield
    except OSError as error:
        if type(part).__module__.startswith("upswarm_server."):
            raise
        raise UsageError(f"the {kind} {name!r} can't be used: {error.strerror or error}") from error


def _make(kind: str, name: str, contract: type, arguments: tuple[Settings, Offload, Meter]) -> Any:
    plugin = plugins.find(kind, name)
    _require_factory(kind, name, plugin, arguments)
    _require_few_workers(kind, name, plugin, arguments[0])
    made = plugin.from_settings(*arguments)
    if missing := [method for method in _methods(contract) if not callable(getattr(made, method, None))]:
        raise _plugin_error(kind, f"the {kind} {name!r} has no {', '.join(missing)}")
    return made


def _require_factory(kind: str, name: str, plugin: Any, arguments: tuple[Any, ...]) -> None:
    expected = f"expected {name!r} to be a {kind} with from_settings(settings, offload, meter)"
    if not callable(getattr(plugin, "from_settings", None)):
        raise _plugin_error(kind, f"{expected}, found {plugin!r} without it")
    try:
        inspect.signature(plugin.from_settings).bind(*arguments)
    except TypeError as error:
        raise _plugin_error(kind, f"{expected}, found one that can't be called so: {error}") from error


def _require_few_workers(kind: str, name: str, plugin: Any, settings: Settings) -> None:
    if getattr(plugin, "one_process", False) and settings.workers > 1:
        mistake = f"expected 1 with the {kind} {name!r}, which each process has for itself, found {settings.workers}"
        raise SettingsError(f"1 setting is wrong\n  UPSWARM_WORKERS: {mistake}")


def _methods(contract: type) -> list[str]:
    return [name for name, value in vars(contract).items() if inspect.isfunction(value) and not name.startswith("_")]


def _plugin_error(kind: str, message: str) -> PluginError:
    return PluginError(message, hint=_HINT.format(kind=kind))
