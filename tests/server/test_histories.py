"""Random histories of several clients and two workers over one disk, held against a model after every step.

`pytest tests/server/test_histories.py --hypothesis-profile=long --timeout=0` plays more of them, longer ones, and other
ones every time.
"""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.server.histories_model import Model, Sent, Upload
from tests.server.histories_world import (
    LIFETIME_S,
    MAX_OPEN,
    OWN_CHUNK_BYTES,
    WORKERS,
    World,
    expect,
    meant,
    sha256,
    told,
)
from tests.server.test_whole_files import FORM_TYPE, file_part, form_of, part

workers = st.integers(0, WORKERS - 1)
clients = st.sampled_from(["one", "two"])
names = st.sampled_from(["a", "ab", "b", "ü 🐝", "a%"])
picks = st.integers(0, 99)
WISH: dict[str, Any] = {
    "worker": workers,
    "client": clients,
    "name": names,
    "size": st.integers(0, 40),
    "chunk_size": st.none() | st.integers(7, 17),
    "promise": st.sampled_from(["", "right", "wrong"]),
    "seed": st.integers(0, 200),
}
KINDS = ["right"] * 4 + ["other"] * 2 + ["torn", "short", "long", "beyond"]
DIGESTS = ["", "", "right", "wrong"]
ranges = st.lists(st.tuples(st.integers(0, 45), st.none() | st.integers(0, 45)), max_size=4)
chunks = st.lists(
    st.tuples(workers, st.integers(0, 5), st.sampled_from(KINDS), st.sampled_from(DIGESTS)), min_size=1, max_size=6
)


class Histories(RuleBasedStateMachine):
    """Every rule is a request, or something that happens to a server."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model = Model(LIFETIME_S, MAX_OPEN)
        self.turn = 0

    def teardown(self) -> None:
        try:
            self.restart()
            self.every_upload_is_as_the_model_has_it()
        finally:
            self.world.end()

    def pick(self, number: int) -> str:
        """The id of an upload; now and then of one that is gone, or never was."""
        if number % 8 == 0 or not self.model.uploads:
            return [str(uuid.UUID(int=number)), *sorted(self.model.gone)][-1 - number % 2]
        return list(self.model.uploads)[number % len(self.model.uploads)]

    @initialize(**WISH)
    def begin(self, **wish: Any) -> None:
        self.init(**wish)

    @rule(**WISH)
    def init(
        self, *, worker: int, client: str, name: str, size: int, chunk_size: int | None, promise: str, seed: int
    ) -> None:
        wanted = bytes((seed + 7 * at) % 251 for at in range(size))
        promised = {"": None, "right": wanted, "wrong": b"something else"}[promise]
        about = {"filename": name, "size_bytes": size, "client_id": client}
        about |= {"chunk_size_bytes": chunk_size} if chunk_size else {}
        about |= {"digest": sha256(promised)} if promised is not None else {}
        answer = self.world.workers[worker].simulate_post("/v1/uploads", json=about)
        if not self.model.may_begin():
            expect(answer, (503, "open_uploads_exceeded"))
            return
        expect(answer, (201, ""))
        told = answer.json
        assert told["chunk_size_bytes"] == (chunk_size or OWN_CHUNK_BYTES)
        upload = Upload(
            told["upload_id"], name, client, wanted, promised, told["chunk_size_bytes"], self.model.now + LIFETIME_S
        )
        assert told["chunk_count"] == upload.count
        self.model.begin(upload)

    @rule(number=picks, chunks=chunks)
    def some_chunks(self, number: int, chunks: list[tuple[int, int, str, str]]) -> None:
        for worker, index, kind, digest in chunks:
            upload_id = self.pick(number)
            self.put(worker, upload_id, self.sent(upload_id, index, kind, digest), digest)

    @rule(worker=workers, number=picks)
    def all_missing_chunks(self, worker: int, number: int) -> None:
        upload_id = self.pick(number)
        upload = self.model.uploads.get(upload_id)
        for index in reversed(upload.missing if upload else []):
            self.put(worker, upload_id, self.sent(upload_id, index, "right", ""), "")
        self.finalize(worker, number)

    def sent(self, upload_id: str, index: int, kind: str, digest: str) -> Sent:
        """A chunk of this upload, as it is or spoilt."""
        upload = self.model.uploads.get(upload_id)
        count = upload.count if upload else 0
        index = count + index if kind == "beyond" else index % max(1, count)
        right = upload.right(index) if upload else b""
        data = {
            "other": bytes(255 - byte for byte in right),
            "torn": right[:-1],
            "short": right[:-1],
            "long": right + b"x",
        }.get(kind, right)
        return Sent(index, data, len(right) if kind == "torn" else len(data), digest == "wrong")

    def put(self, worker: int, upload_id: str, sent: Sent, digest: str) -> None:
        headers = {"Content-Length": str(sent.promised_length)}
        if digest:
            headers["Content-Digest"] = sha256(sent.data + (b"x" if sent.wrong_digest else b""))
        address = f"/v1/uploads/{upload_id}/chunks/{sent.index}"
        answer = self.world.workers[worker].simulate_put(address, body=sent.data, headers=headers)
        expect(answer, self.model.chunk(upload_id, sent))
        if answer.status_code == 204:
            received = self.model.uploads[upload_id].received_bytes
            assert answer.headers["Upload-Received-Bytes"] == str(received)

    @rule(worker=workers, number=picks)
    def finalize(self, worker: int, number: int) -> None:
        upload_id = self.pick(number)
        answer = self.world.workers[worker].simulate_post(f"/v1/uploads/{upload_id}/finalize")
        expect(answer, self.model.finalize(upload_id))
        if answer.status_code == 201:
            assert answer.json == self.world.workers[worker].simulate_get(f"/v1/files/{upload_id}").json

    @rule(worker=workers, number=picks, kind=st.sampled_from(["abort", "delete"]))
    def end(self, worker: int, number: int, kind: str) -> None:
        files = [each.upload_id for each in self.model.files]
        upload_id = files[number % len(files)] if kind == "delete" and files and number % 4 else self.pick(number)
        if kind == "abort":
            answer = self.world.workers[worker].simulate_delete(f"/v1/uploads/{upload_id}")
            expect(answer, self.model.abort(upload_id))
        else:
            answer = self.world.workers[worker].simulate_delete(f"/v1/files/{upload_id}")
            expect(answer, self.model.delete(upload_id))
        if answer.status_code == 204:
            assert not [path for path in self.world.files() if path.endswith(upload_id)]

    @rule(
        worker=workers,
        client=clients,
        name=names,
        size=st.integers(0, 40),
        as_form=st.booleans(),
        spoilt=st.sampled_from(["", "", "torn", "digest"]),
    )
    def whole_file(self, *, worker: int, client: str, name: str, size: int, as_form: bool, spoilt: str) -> None:
        data = bytes((5 * at) % 251 for at in range(size))
        if as_form:
            body = form_of(file_part(data, filename=name), part('name="client_id"', client.encode()))
            headers, query = {"Content-Type": FORM_TYPE}, {}
        else:
            body, headers, query = data, {}, {"filename": name, "client_id": client}
        headers["Content-Length"] = str(len(body) + (spoilt == "torn"))
        headers |= {"Content-Digest": sha256(b"other")} if spoilt == "digest" else {}
        answer = self.world.workers[worker].simulate_post("/v1/files", params=query, body=body, headers=headers)
        room = self.model.may_begin()
        if spoilt == "torn" and (as_form or room):
            expect(answer, (400, "chunk_torn"))
        elif spoilt == "digest" and (as_form or room):
            expect(answer, (422, "digest_mismatch"))
        elif not room:
            expect(answer, (503, "open_uploads_exceeded"))
        else:
            expect(answer, (201, ""))
            self.model.begin_whole(answer.json["upload_id"], name, client, data)

    @rule(
        worker=workers, client=st.none() | clients, prefix=st.just("") | names, limit=st.integers(1, 3), ranges=ranges
    )
    def reading(
        self, *, worker: int, client: str | None, prefix: str, limit: int, ranges: list[tuple[int, int | None]]
    ) -> None:
        self.listing(worker, {"limit": str(limit), "prefix": prefix} | ({"client_id": client} if client else {}))
        for file, (first, last) in zip(self.model.files, ranges, strict=False):
            self.download(worker, file, first % (len(file.content) + 2), last)

    def listing(self, worker: int, query: dict[str, str]) -> None:
        found: list[str] = []
        while True:
            page = self.world.workers[worker].simulate_get("/v1/files", params=query).json
            found += [file["file_id"] for file in page["files"]]
            assert len(page["files"]) <= int(query["limit"])
            assert len(found) <= len(self.model.files), "a page shows what was shown before"
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert found == self.model.listed(query.get("client_id"), query["prefix"])

    def download(self, worker: int, file: Upload, first: int, last: int | None) -> None:
        asked = {"Range": f"bytes={first}-{'' if last is None else last}"}
        answer = self.world.workers[worker].simulate_get(f"/v1/files/{file.upload_id}/content", headers=asked)
        if last is not None and last < first:
            assert (answer.status_code, answer.content) == (200, file.content)
        elif first >= len(file.content):
            expect(answer, (416, "range_not_satisfiable"))
        else:
            end = len(file.content) if last is None else last + 1
            assert (answer.status_code, answer.content) == (206, file.content[first:end])

    @rule(
        worker=workers,
        kind=st.sampled_from(["time", "expiry", "reaper", "restart"]),
        seconds=st.sampled_from([1, 30, 101]),
    )
    def meanwhile(self, worker: int, kind: str, seconds: int) -> None:
        if kind == "time":
            self.wait(seconds)
        elif kind == "expiry":
            self.a_chunk_comes_at_the_moment_of_expiry()
        elif kind == "reaper":
            self.world.reap(worker)
            self.model.reap()
            self.the_disk_holds_what_the_model_has_and_nothing_else()
        else:
            self.restart()

    def a_chunk_comes_at_the_moment_of_expiry(self) -> None:
        first = min(self.model.open(), key=lambda each: each.expires_at, default=None)
        if first is not None:
            self.wait(first.expires_at - self.model.now)
            for worker in range(WORKERS):
                self.put(worker, first.upload_id, self.sent(first.upload_id, 0, "right", ""), "")

    def wait(self, seconds: float) -> None:
        self.model.now += seconds
        self.world.clock.now_s += seconds

    def restart(self) -> None:
        self.world.restart()
        self.model.reap()
        self.the_disk_holds_what_the_model_has_and_nothing_else()

    def the_disk_holds_what_the_model_has_and_nothing_else(self) -> None:
        bytes_of = [*self.model.open(), *self.model.files]
        expected = {f"data/{each.upload_id[:2]}/{each.upload_id}": len(each.wanted) for each in bytes_of}
        assert self.world.files() == expected | {f"open/{each.upload_id}": each.count for each in self.model.open()}

    @invariant()
    def every_upload_is_as_the_model_has_it(self) -> None:
        self.turn += 1
        worker = self.world.workers[self.turn % WORKERS]
        for upload_id in [*self.model.uploads, *sorted(self.model.gone)[:1]]:
            answer = worker.simulate_get(f"/v1/uploads/{upload_id}")
            upload = self.model.state(upload_id)
            if isinstance(upload, Upload):
                assert told(answer) == meant(upload)
            else:
                expect(answer, upload)

    @invariant()
    def every_file_is_as_the_model_has_it(self) -> None:
        worker = self.world.workers[self.turn % WORKERS]
        listed = worker.simulate_get("/v1/files").json["files"]
        assert [file["file_id"] for file in listed] == self.model.listed(None, "")
        for record, file in zip(listed, self.model.files, strict=True):
            assert (record["filename"], record["client_id"]) == (file.filename, file.client_id)
            assert record["size_bytes"] == len(file.content)
            assert worker.simulate_get(f"/v1/files/{file.upload_id}/content").content == file.content


def how_many() -> settings:
    """The same few in every run, unless a profile asks for more."""
    if settings.get_current_profile_name() != "upswarm":
        return settings(suppress_health_check=list(HealthCheck))
    return settings(
        max_examples=50,
        stateful_step_count=40,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


TestHistories = Histories.TestCase
TestHistories.settings = how_many()
