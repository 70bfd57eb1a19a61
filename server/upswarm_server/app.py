"""The application: every route on one screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import falcon

from upswarm_server import answers, faults
from upswarm_server.auth import Auth
from upswarm_server.bodies import Bodies
from upswarm_server.catalogs.base import Catalog
from upswarm_server.connection import Connections
from upswarm_server.meter import SILENT, Meter
from upswarm_server.observed import Observed
from upswarm_server.offload import Offload, direct
from upswarm_server.parts import make_catalog, make_store, preparing
from upswarm_server.reaper import recover
from upswarm_server.resources import files, health, metrics, openapi, tus, uploads
from upswarm_server.service import Service
from upswarm_server.settings import Settings
from upswarm_server.stores.base import SequentialStore, Store
from upswarm_server.vitals import Vitals


def create_app(
    settings: Settings,
    *,
    store: Store | None = None,
    catalog: Catalog | None = None,
    clock: Callable[[], float] = time.time,
    offload: Offload = direct,
    meter: Meter = SILENT,
    connections: Connections | None = None,
    worker: int = 1,
) -> falcon.App[Any, Any]:
    """The WSGI application; store and catalog are those of the settings unless given.

    Under gunicorn it is made in each worker, after the fork. `prepare` must have been called once before.
    """
    service = create_service(settings, store=store, catalog=catalog, clock=clock, offload=offload, meter=meter)
    middleware = [Observed(meter), tus.Protocol(), Bodies(settings, connections), Auth(settings)]
    app = faults.application(settings, meter, worker, middleware)
    answers.install(app)
    app.router_options.converters["digits"] = uploads.Digits
    app.add_route("/v1/uploads", uploads.Uploads(service))
    app.add_route("/v1/uploads/{upload_id}", uploads.Upload(service))
    app.add_route("/v1/uploads/{upload_id}/chunks/{index:digits}", uploads.Chunk(service))
    app.add_route("/v1/uploads/{upload_id}/finalize", uploads.Finalize(service))
    app.add_route("/v1/files", files.Files(service))
    app.add_route("/v1/files/check", files.Check(service))
    app.add_route("/v1/files/{file_id}", files.File(service))
    app.add_route("/v1/files/{file_id}/content", files.Content(service))
    if isinstance(service.store, SequentialStore):
        app.add_route("/tus/", tus.Uploads(service))
        app.add_route("/tus/{upload_id}", tus.Upload(service))
    vitals = Vitals(service)
    app.add_route("/health", health.Summary(service, vitals))
    app.add_route("/health/live", health.Live())
    app.add_route("/health/ready", health.Ready(vitals))
    app.add_route("/metrics", metrics.Metrics(service, vitals))
    app.add_route("/openapi.json", openapi.OpenApi(settings))
    return app


def create_service(
    settings: Settings,
    *,
    store: Store | None = None,
    catalog: Catalog | None = None,
    clock: Callable[[], float] = time.time,
    offload: Offload = direct,
    meter: Meter = SILENT,
) -> Service:
    """The rules over the store and the catalog that the settings name."""
    store = store or make_store(settings, offload, meter)
    catalog = catalog or make_catalog(settings, offload, meter)
    return Service(settings, store, catalog, clock, meter)


def prepare(settings: Settings) -> None:
    """Make directories and tables, and repair what a crash left; once, before any worker starts.

    Raises `OSError` when the place can't be used, and `UpswarmError` when the store or the catalog can't.
    """
    service = create_service(settings)
    with preparing("store", settings.store, service.store):
        service.store.prepare()
    with preparing("catalog", settings.catalog, service.catalog):
        service.catalog.prepare()
    recover(service)
    service.catalog.close()
