import base64
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm import digests
from upswarm.content.base import VIEW_BYTES

HELLO = b'{"hello": "world"}\n'  # the representation of RFC 9530's examples
HELLO_SHA256 = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
PART_SHA256 = "sha-256=:jjcgBDWNAtbYUXI37CVG3gRuGOAjaaDRGpIUFsdyepQ=:"  # appendix B.2: bytes 10-18


@pytest.mark.parametrize(("data", "member"), [(HELLO, HELLO_SHA256), (HELLO[10:], PART_SHA256)])
def test_the_examples_of_rfc_9530(data, member):
    digest = digests.digest_of("sha-256", [data])
    assert digests.format_header("sha-256", digest) == member
    assert digests.parse_header(member) == {"sha-256": digest}


def test_crc32c_is_the_check_value_of_rfc_3720_in_network_order():
    assert digests.digest_of("crc32c", [bytes(32)]).hex() == "8a9136aa"
    assert digests.digest_of("crc32c", [b"123456789"]).hex() == "e3069283"


@pytest.mark.parametrize("algorithm", digests.ALGORITHMS)
@given(views=st.lists(st.binary(max_size=50)))
def test_views_are_digested_as_if_they_were_one(algorithm, views):
    assert digests.digest_of(algorithm, map(memoryview, views)) == digests.digest_of(algorithm, [b"".join(views)])


@pytest.mark.parametrize("algorithm", digests.ALGORITHMS)
@given(data=st.binary())
def test_a_header_survives_the_round_trip(algorithm, data):
    digest = digests.digest_of(algorithm, [data])
    assert digests.parse_header(digests.format_header(algorithm, digest)) == {algorithm: digest}


def test_a_hasher_takes_what_contents_give():
    state = digests.hasher("sha-256")
    for part in (b"a", bytearray(b"b"), memoryview(b"c"), memoryview(bytes(VIEW_BYTES))):
        state.update(part)
    assert state.digest() == hashlib.sha256(b"abc" + bytes(VIEW_BYTES)).digest()


def test_several_algorithms_stand_side_by_side():
    crc = digests.format_header("crc32c", digests.digest_of("crc32c", [HELLO]))
    assert set(digests.parse_header(f"{HELLO_SHA256}, {crc}")) == {"sha-256", "crc32c"}


@pytest.mark.parametrize(
    "unknown",
    ["sha-512=:AAAA:", "md5=:AAAA:", "unixsum=:GQU=:", "x_new.hash*1=:AAAA:", "*own=:AAAA:", "sha-512=::"],
)
def test_unknown_algorithms_are_left_out(unknown):
    assert digests.parse_header(unknown) == {}
    assert list(digests.parse_header(f"{unknown}, {HELLO_SHA256}")) == ["sha-256"]


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("", "expected algorithm=:base64:, found ''"),
        ("sha-256", "expected algorithm=:base64:"),
        ("sha-256=RK/0qy18", "expected algorithm=:base64:"),
        ("SHA-256=:AAAA:", "expected algorithm=:base64:"),
        ("sha-256=:AAA:", "expected base64 after sha-256"),
        ("sha-256=:AA==AA==:", "expected base64 after sha-256"),
        ("sha-256=:AAAA:", "expected 32 bytes of sha-256, found 3"),
        ("crc32c=::", "expected 4 bytes of crc32c, found 0"),
        (f"{HELLO_SHA256},", "expected algorithm=:base64:, found ''"),
        (f"crc32c=:{base64.b64encode(bytes(8)).decode()}:", "expected 4 bytes of crc32c, found 8"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused_with_a_reason(header, complaint):
    with pytest.raises(digests.DigestError, match=complaint):
        digests.parse_header(header)


def test_an_unknown_hasher_names_the_known_ones():
    with pytest.raises(digests.DigestError, match="expected one of sha-256, crc32c, found 'sha256'"):
        digests.hasher("sha256")


@given(st.text())
def test_any_other_text_is_a_digest_error(text):
    with contextlib.suppress(digests.DigestError):
        assert set(digests.parse_header(text)) <= set(digests.ALGORITHMS)


@pytest.mark.parametrize(("views", "pauses"), [(3, 0), (4, 1), (11, 2), (12, 3)])
def test_whoever_hashes_lets_others_run_after_every_4_mib(monkeypatch, views, pauses):
    asked = []
    monkeypatch.setattr(digests, "_pause", None)
    digests.give_way_by(lambda: asked.append(1))
    found = digests.digest_of("crc32c", [bytes(1 << 20)] * views)
    assert len(asked) == pauses
    assert found == digests.digest_of("crc32c", [bytes(views << 20)])
