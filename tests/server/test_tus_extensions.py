"""tus 1.0.0, clause by clause: checksum, termination, concatenation; and how tus stands beside the chunked protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from falcon.testing import TestClient

from tests.server.conftest import Clock
from tests.server.test_uploads import CONTENT, assert_problem, begin, finalize, probe, put, whole
from tests.server.tus_client import (
    CutInput,
    ask,
    b64,
    content,
    create,
    cut_patch,
    head,
    id_of,
    listed,
    offset_bytes,
    part,
    patch,
)
from upswarm import digests
from upswarm_server.app import create_app
from upswarm_server.catalogs.memory import MemoryCatalog
from upswarm_server.resources.tus_headers import CHECKSUMS
from upswarm_server.settings import Settings
from upswarm_server.stores.memory import MemoryStore

ClientOf = Callable[..., TestClient]


def checksum(algorithm: str, data: bytes) -> str:
    hasher = CHECKSUMS[algorithm]()
    hasher.update(data)
    return f"{algorithm} {b64(hasher.digest())}"


def test_the_specifications_checksum_is_right(client: TestClient) -> None:
    url = create(client, 11)
    answer = patch(client, url, 0, b"hello world", Upload_Checksum="sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
    assert answer.status_code == 204


def test_the_algorithms_are_what_their_names_say() -> None:
    assert checksum("sha1", CONTENT) == f"sha1 {b64(hashlib.sha1(CONTENT).digest())}"
    assert checksum("sha256", CONTENT) == f"sha256 {b64(hashlib.sha256(CONTENT).digest())}"
    assert checksum("crc32c", CONTENT) == f"crc32c {b64(digests.digest_of('crc32c', [CONTENT]))}"


@pytest.mark.parametrize("algorithm", CHECKSUMS)
def test_bytes_with_a_wrong_checksum_do_not_count(client: TestClient, algorithm: str) -> None:
    url = create(client)
    first, rest = CONTENT[:1000], CONTENT[1000:]
    assert patch(client, url, 0, first, Upload_Checksum=checksum(algorithm, first)).status_code == 204
    answer = patch(client, url, 1000, rest, Upload_Checksum=checksum(algorithm, first))
    assert_problem(answer, 460, "checksum_mismatch", f"found {checksum(algorithm, rest)}")
    assert answer.status == "460 Checksum Mismatch"
    assert offset_bytes(client, url) == 1000
    assert patch(client, url, 1000, rest, Upload_Checksum=checksum(algorithm, rest)).status_code == 204
    assert content(client, url) == CONTENT


def test_a_cut_patch_with_a_checksum_keeps_nothing(client: TestClient) -> None:
    url = create(client)
    said = checksum("sha1", CONTENT)
    seen: list[int] = []
    source = CutInput([CONTENT[:700]], lambda: seen.append(offset_bytes(client, url)))
    assert_problem(cut_patch(client, url, source, Upload_Checksum=said), 400, "body_torn")
    assert seen == [0]
    assert offset_bytes(client, url) == 0


@pytest.mark.parametrize(
    "said", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "sha1", "sha1 !", "sha1 YQ==", ""]
)
def test_a_checksum_that_cannot_be_checked_changes_nothing(client: TestClient, said: str) -> None:
    url = create(client)
    answer = patch(client, url, 0, CONTENT, Upload_Checksum=said)
    assert_problem(answer, 400, "invalid_request", "Upload-Checksum: expected")
    assert offset_bytes(client, url) == 0


def test_an_open_upload_can_be_terminated(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, b"x")
    answer = ask(client, "DELETE", url)
    assert (answer.status_code, answer.content) == (204, b"")
    assert head(client, url).status_code == 404
    assert_problem(patch(client, url, 1, b"x"), 404, "upload_not_found")
    assert_problem(ask(client, "DELETE", url), 404, "upload_not_found")
    assert client.simulate_get("/health").json["open_uploads"] == 0


def test_a_finished_upload_can_be_terminated_and_its_file_is_gone(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT)
    assert ask(client, "DELETE", url).status_code == 204
    assert head(client, url).status_code == 404
    assert listed(client) == []
    assert client.simulate_get(f"/v1/files/{id_of(url)}/content").status_code == 404


def test_parts_become_one_file_in_the_order_in_which_they_are_named(client: TestClient) -> None:
    world, hello = part(client, b" world"), part(client, b"hello")
    concat = f"final;{hello} {world}"
    answer = ask(client, "POST", "/tus/", Upload_Concat=concat, Upload_Metadata=f"filename {b64(b'ab')}")
    assert answer.status_code == 201
    assert "Upload-Expires" not in answer.headers
    url = urljoin("/tus/", answer.headers["Location"])
    final = head(client, url).headers
    assert (final["Upload-Concat"], final["Upload-Length"], final["Upload-Offset"]) == (concat, "11", "11")
    assert content(client, url) == b"hello world"
    assert [file["filename"] for file in listed(client)] == ["ab"]


def test_parts_are_named_by_relative_or_absolute_urls(client: TestClient) -> None:
    ids = [id_of(part(client, data)) for data in (b"1", b"2", b"3", b"")]
    concat = f"final;http://x:1/tus/{ids[0]} https://up.example.org/a/b/tus/{ids[1]} {ids[2]} /tus/{ids[3]} ./{ids[0]}"
    url = urljoin("/tus/", ask(client, "POST", "/tus/", Upload_Concat=concat).headers["Location"])
    assert content(client, url) == b"1231"


def test_a_part_says_so_and_is_never_a_file(client: TestClient, clock: Clock) -> None:
    url = part(client, CONTENT)
    empty = part(client, b"")
    answer = head(client, url)
    assert (answer.headers["Upload-Concat"], answer.headers["Upload-Offset"]) == ("partial", "2560")
    assert "Upload-Expires" in answer.headers
    assert_problem(finalize(client, id_of(url)), 409, "upload_sequential", "is a part")
    assert head(client, empty).headers["Upload-Offset"] == "0"
    assert listed(client) == []
    clock.now_s += 24 * 3600
    assert head(client, url).status_code == head(client, empty).status_code == 410


def test_parts_can_be_joined_again_and_ended_afterwards(client: TestClient) -> None:
    one = part(client, b"one", Upload_Metadata=f"secret {b64(b'part')}")
    urls = []
    for _ in range(2):
        answer = ask(client, "POST", "/tus/", Upload_Concat=f"final;{one} {one}")
        urls.append(urljoin("/tus/", answer.headers["Location"]))
    assert ask(client, "DELETE", one).status_code == 204
    assert [content(client, url) for url in urls] == [b"oneone", b"oneone"]
    assert [file["metadata"] for file in listed(client)] == [{}, {}]
    assert "Upload-Metadata" not in head(client, urls[0]).headers


def test_a_final_upload_takes_no_bytes(client: TestClient) -> None:
    answer = ask(client, "POST", "/tus/", Upload_Concat=f"final;{part(client, b'one')}")
    url = urljoin("/tus/", answer.headers["Location"])
    assert_problem(patch(client, url, 3, b"x"), 403, "upload_final")
    assert_problem(patch(client, url, 3, b""), 403, "upload_final")
    assert content(client, url) == b"one"


def test_only_complete_parts_are_joined(client: TestClient) -> None:
    good = part(client, b"good")
    short = create(client, 10, Upload_Concat="partial")
    patch(client, short, 0, b"short")
    finished = create(client, 0)
    chunked = f"/tus/{whole(client)}"
    for bad, detail in [
        (short, "expected 10 B of part"),
        (finished, "is a whole upload"),
        (create(client), "is a whole upload"),
        (chunked, "is in chunks"),
        ("/tus/8b4b4b2c-6d3c-4ba0-9b0f-000000000000", "expected the id of an upload"),
        ("https://x.example.org/", "expected the id of an upload"),
    ]:
        answer = ask(client, "POST", "/tus/", Upload_Concat=f"final;{good} {bad}")
        assert_problem(answer, 409, "part_unusable", detail)
    assert len(listed(client)) == 1


@pytest.mark.parametrize("said", ["final", "final;", "final; ", "final;a  b", "finale;a", "Partial", "partial;a"])
def test_a_concatenation_that_cannot_be_read_is_refused(client: TestClient, said: str) -> None:
    answer = ask(
        client, "POST", "/tus/", Upload_Concat=said, **({} if said.startswith("final;") else {"Upload_Length": "1"})
    )
    assert_problem(answer, 400, "invalid_request", "Upload-Concat: expected")


def test_a_final_upload_has_no_length_of_its_own(client: TestClient) -> None:
    answer = ask(client, "POST", "/tus/", Upload_Concat=f"final;{part(client, b'one')}", Upload_Length="3")
    assert_problem(answer, 400, "invalid_request", "sum of the parts")


def test_a_final_upload_that_is_too_long_is_refused_and_leaves_nothing(client_of: ClientOf) -> None:
    client = client_of(max_file_size_bytes=5)
    one = part(client, b"one")
    assert_problem(ask(client, "POST", "/tus/", Upload_Concat=f"final;{one} {one}"), 413, "size_over_limit")
    assert client.simulate_get("/health").json["open_uploads"] == 1


def test_a_join_that_fails_leaves_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = part(client, b"one"), part(client, b"two")
    copies = iter([False, True])
    real = MemoryStore.tail_entry

    def ended_meanwhile(store: MemoryStore, upload_id: str) -> Any:
        if upload_id == id_of(two) and next(copies):
            store.discard(upload_id)
        return real(store, upload_id)

    monkeypatch.setattr(MemoryStore, "tail_entry", ended_meanwhile)
    answer = ask(client, "POST", "/tus/", Upload_Concat=f"final;{one} {two}")
    assert_problem(answer, 409, "part_unusable", "was ended in the meantime")
    assert client.simulate_get("/health").json["open_uploads"] == 2
    assert listed(client) == []


def test_a_crash_between_the_last_byte_and_the_file_is_made_good_by_who_asks_next(clock: Clock) -> None:
    store = MemoryStore()
    client = TestClient(create_app(Settings(), store=store, catalog=MemoryCatalog(), clock=clock))
    asking: list[Callable[[str], object]] = [
        lambda url: head(client, url),
        lambda url: patch(client, url, len(CONTENT), b""),
    ]
    for ask_next in asking:
        url = create(client)
        with store.tail(id_of(url)) as tail:
            tail.write(CONTENT)
            tail.keep()
        assert client.simulate_get(f"/v1/files/{id_of(url)}").status_code == 404
        ask_next(url)
        assert content(client, url) == CONTENT


def test_a_tus_upload_is_seen_by_its_progress(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT[:1000])
    seen = probe(client, id_of(url))
    assert (seen["state"], seen["received_bytes"], seen["received_chunks"]) == ("open", 1000, [])
    patch(client, url, 1000, CONTENT[1000:])
    seen = probe(client, id_of(url))
    assert (seen["state"], seen["received_bytes"], seen["missing_chunks"]) == ("finalized", 2560, [])


def test_chunks_do_not_damage_a_tus_upload(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT[:1000])
    for data in (bytes(2560), bytes(1000)):
        assert_problem(put(client, id_of(url), 0, data), 409, "upload_sequential", "speaks tus")
    assert_problem(finalize(client, id_of(url)), 409, "upload_incomplete")
    patch(client, url, 1000, CONTENT[1000:])
    assert finalize(client, id_of(url)).json["file_id"] == id_of(url)
    assert content(client, url) == CONTENT


def test_tus_does_not_damage_an_upload_in_chunks(client: TestClient) -> None:
    upload_id = str(begin(client)["upload_id"])
    finished = str(finalize(client, whole(client)).json["file_id"])
    for known in (upload_id, finished):
        assert head(client, f"/tus/{known}").status_code == 404
        assert_problem(patch(client, f"/tus/{known}", 0, b"x"), 404, "upload_not_found", "is in chunks")
        assert_problem(ask(client, "DELETE", f"/tus/{known}"), 404, "upload_not_found", "is in chunks")
    for index in range(3):
        assert put(client, upload_id, index).status_code == 204
    assert finalize(client, upload_id).status_code == 201
    assert len(listed(client)) == 2


def test_a_tus_upload_can_be_aborted_as_any_other(client: TestClient) -> None:
    url = create(client)
    assert client.simulate_delete(f"/v1/uploads/{id_of(url)}").status_code == 204
    assert head(client, url).status_code == 404


def test_a_file_that_is_deleted_ends_its_upload(client: TestClient) -> None:
    url = create(client)
    patch(client, url, 0, CONTENT)
    assert client.simulate_delete(f"/v1/files/{id_of(url)}").status_code == 204
    assert head(client, url).status_code == 404
