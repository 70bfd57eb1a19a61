"""What nobody needs any more: the space of abandoned uploads, and what a crash left."""

from __future__ import annotations

import logging

from upswarm_server.model import UploadState
from upswarm_server.service import Service
from upswarm_server.stores.base import MortalStore, NotHeld

_AT_ONCE = 1000
_log = logging.getLogger("upswarm_server")


def reap(service: Service) -> int:
    """Free uploads whose time is over, and say how many; clients hear `upload_expired` for one more lifetime.

    Several processes may do it at a time.
    """
    now_s = service.clock()
    freed = sum(service.free_expired(upload_id) for upload_id in service.catalog.expired(now_s, _AT_ONCE))
    service.catalog.forget_expired(now_s - service.settings.upload_lifetime_s)
    return freed


def recover(service: Service) -> None:
    """Called once before any worker starts: make store and catalog agree again after a crash."""
    _settle_doubts(service)
    if isinstance(service.store, MortalStore):
        _set_strangers_aside(service, service.store)
    for upload_id in service.catalog.open_uploads():
        if not _is_usable(service, upload_id):
            service.catalog.abort(upload_id)
            service.store.discard(upload_id)
    reap(service)


def _is_usable(service: Service, upload_id: str) -> bool:
    # The machine's death may leave a record without bytes, or a map that was made and never filled.
    upload = service.catalog.upload(upload_id)
    try:
        return upload is not None and len(service.store.marks(upload_id)) == upload.chunk_count
    except NotHeld:
        return False


def _settle_doubts(service: Service) -> None:
    # A process died between a change in the store and the one in the catalog: the catalog is right.
    for upload_id in service.store.uploads():
        upload = service.catalog.upload(upload_id)
        if upload is None:
            service.store.discard(upload_id)
        elif upload.state is UploadState.FINALIZED:
            service.store.seal(upload_id)


def _set_strangers_aside(service: Service, store: MortalStore) -> None:
    strangers = [upload_id for upload_id in store.unsure() if service.catalog.upload(upload_id) is None]
    for upload_id in strangers:
        store.set_aside(upload_id)
    if strangers:
        _log.warning(
            "the machine has died: no record knows %d of the files in the store; they were set aside: %s",
            len(strangers),
            store.aside,
        )
    store.settled()
