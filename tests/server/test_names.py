"""Which filenames are accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm_server.names import check_filename
from upswarm_server.problems import Problem


@pytest.mark.parametrize(
    "name", ["a", "a b.txt", "..a", "...", "CON", "ümlaut.bin", "🐝", "ü" * 127 + "a", "-rf", "a'b"]
)
def test_a_name_is_accepted(name: str) -> None:
    check_filename(name, 255)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "expected 1 to 255 bytes, found 0"),
        ("a" * 256, "expected 1 to 255 bytes, found 256"),
        ("ü" * 128, "expected 1 to 255 bytes, found 256"),
        (".", "other than"),
        ("..", "other than"),
        ("a/b", "slashes"),
        ("../../etc/passwd", "slashes"),
        ("a\\b", "slashes"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        ("a\x7f", "control"),
        ("a\x85b", "control"),
        ("\ud800", "valid Unicode"),
    ],
)
def test_a_name_is_rejected_with_a_reason(name: str, reason: str) -> None:
    with pytest.raises(Problem, match=reason) as caught:
        check_filename(name, 255)
    assert caught.value.code == "filename_rejected"


@given(st.text(max_size=300))
def test_what_is_accepted_could_be_a_files_name_anywhere(name: str) -> None:
    try:
        check_filename(name, 255)
    except Problem:
        return
    assert 1 <= len(name.encode()) <= 255
    assert not set(name) & set("/\\\x00\r\n")
