"""The parser of answers: whatever the bytes' splits, the same answer; whatever is missing, a cut."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.unruly import message
from upswarm.transfer.failures import Failure, Interrupted
from upswarm.transfer.transport_answer import MOST_BODY_BYTES, MOST_HEAD_BYTES, MOST_INTERIM, Answer

TOKENS = st.from_regex(r"X-[A-Za-z0-9]{1,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)
ENDS = st.sampled_from(["\r\n", "\n"])


@st.composite
def heads(draw, status: int, *fields: str) -> bytes:
    end = draw(ENDS)
    more = [f"{name}:{draw(st.sampled_from(['', ' ', '  ']))}{value}" for name, value in
            draw(st.lists(st.tuples(TOKENS, VALUES), max_size=4))]  # fmt: skip
    return end.join([f"HTTP/1.1 {status} Said", *more, *fields, "", ""]).encode()


@st.composite
def chunked(draw, body: bytes) -> bytes:
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True) if end > start]
    coded = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), draw(st.sampled_from([b"", b";a=b", b" "])), piece)
                     for piece in pieces)  # fmt: skip
    return coded + b"0\r\n" + draw(st.sampled_from([b"", b"X-Trailer: 1\r\n"])) + b"\r\n"


@st.composite
def framed(draw) -> tuple[int, bytes, bytes]:
    """A status, a body, and bytes that say so and where they end: interim answers, then one with a length or chunks."""
    interim = b"".join(draw(st.lists(st.sampled_from([100, 102, 103, 104]).flatmap(heads), max_size=2)))
    status, body = draw(st.sampled_from([200, 201, 400, 413, 503])), draw(st.binary(max_size=200))
    if draw(st.booleans()):
        return status, body, interim + draw(heads(status, "Transfer-Encoding: Chunked")) + draw(chunked(body))
    return status, body, interim + draw(heads(status, f"content-length: {len(body)}")) + body


@st.composite
def split(draw, data: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def answer(*pieces: bytes, ended: bool = False, method: str = "GET") -> Answer:
    made = Answer(method)
    for piece in pieces:
        made.feed(piece)
    if ended:
        made.end()
    return made


@given(st.data())
def test_every_split_of_the_bytes_is_the_same_answer(data):
    status, body, raw = data.draw(framed())
    whole, pieces = answer(raw), answer(*data.draw(split(raw)))
    assert whole.response == pieces.response
    assert (whole.response.status, whole.response.body) == (status, body)
    assert whole.reusable
    assert pieces.reusable


@given(st.data())
def test_every_truncation_is_a_torn_answer(data):
    _, _, raw = data.draw(framed())
    torn = raw[: data.draw(st.integers(0, len(raw) - 1))]
    if answer(torn).done:  # the blank line after `\n` alone may be whole one byte before
        return
    with pytest.raises(Interrupted) as raised:
        answer(torn, ended=True)
    assert raised.value.kind is Failure.TORN


@given(st.data())
def test_garbage_is_a_failure_or_an_answer_wherever_it_is_split(data):
    _, _, raw = data.draw(framed())
    place, garbage = data.draw(st.integers(0, len(raw))), data.draw(st.binary(max_size=20))
    raw = raw[:place] + garbage + raw[place + len(garbage) :]

    def found(pieces: list[bytes]) -> object:
        try:
            return answer(*pieces, ended=True).response
        except Interrupted as error:
            return error.kind

    assert found([raw]) == found(data.draw(split(raw)))


@given(st.binary(max_size=100))
def test_an_answer_without_a_length_is_what_came_until_the_end(body):
    open_end = b"HTTP/1.1 200 OK\r\n\r\n" + body
    assert not answer(open_end).done
    ended = answer(open_end, ended=True)
    assert ended.response.body == body
    assert not ended.reusable


@pytest.mark.parametrize(
    ("raw", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, CLOSE\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", True),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", False),
    ],
)
def test_a_connection_is_used_again_only_if_the_answer_allows_it(raw, reusable):
    found = answer(raw)
    assert (found.done, found.reusable) == (True, reusable)


def test_a_folded_field_is_one():
    raw = b"HTTP/1.1 200 OK\r\nX-A: one\r\n  two\r\nContent-Length: 0\r\n\r\n"
    assert answer(raw).response.headers["x-a"] == "one two"


def test_a_length_that_comes_twice_and_the_same_is_one():
    assert answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab").response.body == b"ab"


def test_half_of_a_packed_body_is_no_body():
    with pytest.raises(Interrupted, match="found the beginning of one"):
        answer(message(200, gzip.compress(b"plain")[:-3], "Content-Encoding: gzip"))


TOO_MUCH = {
    "a head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * MOST_HEAD_BYTES,
    "a head with an end": b"HTTP/1.1 204 OK\r\nX: " + b"a" * MOST_HEAD_BYTES + b"\r\n\r\n",
    "a body": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY_BYTES + 1),
    "a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (MOST_BODY_BYTES + 1),
    "a body without a length": b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MOST_BODY_BYTES + 1),
    "interim answers": b"HTTP/1.1 103 Wait\r\n\r\n" * MOST_INTERIM,
    "trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 1000,
    "a body when it is unpacked": message(200, gzip.compress(bytes(MOST_BODY_BYTES + 1)), "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("raw", TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_not_kept(raw):
    with pytest.raises(Interrupted) as raised:
        answer(raw)
    assert raised.value.kind is Failure.GARBLED
