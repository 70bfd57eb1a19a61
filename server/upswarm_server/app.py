"""The application: every route on one screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import falcon

from upswarm import plugins
from upswarm_server import answers
from upswarm_server.auth import Auth
from upswarm_server.bodies import Bodies
from upswarm_server.catalogs.base import Catalog
from upswarm_server.offload import Offload, direct
from upswarm_server.resources import files, health, uploads
from upswarm_server.service import Service
from upswarm_server.settings import Settings
from upswarm_server.stores.base import Store


def create_app(
    settings: Settings,
    *,
    store: Store | None = None,
    catalog: Catalog | None = None,
    clock: Callable[[], float] = time.time,
    offload: Offload = direct,
) -> falcon.App[Any, Any]:
    """The WSGI application; store and catalog are those of the settings unless given.

    Under gunicorn it is made in each worker, after the fork. `prepare` must have been called once before.
    """
    service = create_service(settings, store=store, catalog=catalog, clock=clock, offload=offload)
    app: falcon.App[Any, Any] = falcon.App(middleware=[Bodies(settings), Auth(settings)])
    answers.install(app)
    app.add_route("/v1/uploads", uploads.Uploads(service))
    app.add_route("/v1/uploads/{upload_id}", uploads.Upload(service))
    app.add_route("/v1/uploads/{upload_id}/chunks/{index:int}", uploads.Chunk(service))
    app.add_route("/v1/uploads/{upload_id}/finalize", uploads.Finalize(service))
    app.add_route("/v1/files", files.Files(service))
    app.add_route("/v1/files/check", files.Check(service))
    app.add_route("/v1/files/{file_id}", files.File(service))
    app.add_route("/v1/files/{file_id}/content", files.Content(service))
    app.add_route("/health", health.Summary(service))
    app.add_route("/health/live", health.Live())
    app.add_route("/health/ready", health.Ready(service))
    return app


def create_service(
    settings: Settings,
    *,
    store: Store | None = None,
    catalog: Catalog | None = None,
    clock: Callable[[], float] = time.time,
    offload: Offload = direct,
) -> Service:
    """The rules over the store and the catalog that the settings name."""
    store = store or plugins.find("store", settings.store).from_settings(settings, offload)
    catalog = catalog or plugins.find("catalog", settings.catalog).from_settings(settings, offload)
    return Service(settings, store, catalog, clock)


def prepare(settings: Settings) -> None:
    """Make directories and tables, and repair what a crash left; once, before any worker starts.

    Raises `OSError` when the place can't be used.
    """
    service = create_service(settings)
    service.store.prepare()
    service.catalog.prepare()
    service.recover()
    service.catalog.close()
