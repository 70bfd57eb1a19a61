"""A file is read back in pieces where the server knows how, and compared byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from upswarm.content.base import File
from upswarm.content.random import Random
from upswarm.transfer.messages import Phase, Request, Response
from upswarm.transfer.reading import Likeness, compared

SIZE_BYTES = (9 << 20) + 7
FILE: File = Random(Path()).open("a.bin", SIZE_BYTES, seed=1)
BYTES = b"".join(FILE.views(0, SIZE_BYTES))
Server = Callable[[int, int], Response]


def read(server: Server) -> tuple[Likeness, str, list[str]]:
    """What it comes to, and which pieces were asked for."""
    flow = compared(Request(Phase.PROBE, "GET", "/a.bin", {"X-Its": "own"}), FILE)
    asked = []
    request = next(flow)
    while True:
        assert (request.method, request.path, request.headers["X-Its"]) == ("GET", "/a.bin", "own")
        asked.append(request.headers["Range"])
        first, _, last = asked[-1].removeprefix("bytes=").partition("-")
        try:
            request = flow.send(server(int(first), int(last) + 1))
        except StopIteration as end:
            return end.value.likeness, end.value.detail, asked


def ranges(data: bytes) -> Server:
    def serve(start: int, end: int) -> Response:
        about = {"content-range": f"bytes {start}-{end - 1}/{len(data)}"}
        return Response(206, about, data[start:end])

    return serve


def test_a_file_comes_back_in_pieces_that_make_it_whole() -> None:
    check, note, asked = read(ranges(BYTES))
    assert (check, note) == (Likeness.SAME, "")
    assert asked == ["bytes=0-4194303", "bytes=4194304-8388607", f"bytes=8388608-{SIZE_BYTES - 1}"]


def test_a_server_that_knows_no_ranges_is_asked_once() -> None:
    check, note, asked = read(lambda start, end: Response(200, {}, BYTES))
    assert (check, note, len(asked)) == (Likeness.SAME, "", 1)


@pytest.mark.parametrize("place", [0, 5 << 20, SIZE_BYTES - 1])
def test_one_byte_that_is_another_is_found(place: int) -> None:
    damaged = bytearray(BYTES)
    damaged[place] ^= 1
    check, note, _ = read(ranges(bytes(damaged)))
    assert check is Likeness.OTHER
    assert "are not those that were sent" in note


@pytest.mark.parametrize(
    ("data", "likeness", "known"),
    [
        (BYTES + b"?", Likeness.OTHER, "has 9437192 bytes instead of 9437191"),
        (BYTES[:-1], Likeness.SHORTER, "has 9437190 bytes instead of 9437191"),
        (b"", Likeness.SHORTER, "end at 0"),
    ],
)
def test_a_file_of_another_length_is_found(data: bytes, likeness: Likeness, known: str) -> None:
    for server in (ranges(data), lambda start, end: Response(200, {}, data)):
        assert read(server)[0] is likeness
    assert known in read(ranges(data))[1]


def test_a_range_beyond_the_end_says_that_the_file_is_shorter() -> None:
    check, note, _ = read(lambda start, end: Response(416, {"content-range": "bytes */4194304"}))
    assert (check, note) == (Likeness.SHORTER, f"there are no bytes from 0 on, of {SIZE_BYTES}")


def test_a_length_that_the_server_does_not_tell_proves_nothing() -> None:
    def serve(start: int, end: int) -> Response:
        return Response(206, {"content-range": f"bytes {start}-{end - 1}/*"}, BYTES[start:end])

    assert read(serve)[0] is Likeness.SAME


@pytest.mark.parametrize("status", [401, 404, 405, 500])
def test_what_the_server_does_not_show_is_not_called_wrong(status: int) -> None:
    check, note, _ = read(lambda start, end: Response(status))
    assert (check, note) == (Likeness.UNREAD, f"reading back: GET was answered {status}")
