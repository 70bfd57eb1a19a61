import gc
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.content.base import VIEW_BYTES
from upswarm.content.holes import zeros
from upswarm.content.pool import random_pool
from upswarm.content.shared import place_of, shared

DATA = bytes(range(256)) * 40
SHARED = shared(DATA)
CUTS = st.tuples(st.integers(0, len(DATA)), st.integers(0, len(DATA)))


def open_files():
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 (how many, not which)


def read(view):
    place = place_of(view)
    return os.pread(place.fd, len(view), place.offset)


@given(st.lists(CUTS, max_size=4))
def test_however_a_view_is_cut_the_file_has_its_bytes_at_its_place(cuts):
    view = SHARED
    for start, end in cuts:
        view = view[start:end]
    assert read(view) == view.tobytes()


def test_what_all_files_show_is_shared():
    for view in (next(zeros(VIEW_BYTES)), next(zeros(5)), random_pool()[77:VIEW_BYTES]):
        assert read(view) == view.tobytes()


def test_any_other_view_stands_in_no_file():
    assert place_of(memoryview(DATA)) is None
    assert place_of(memoryview(bytearray(5))[1:]) is None


def test_nobody_can_write_to_what_is_shared():
    with pytest.raises(TypeError):
        SHARED[0] = 1
    with pytest.raises(PermissionError):
        os.pwrite(place_of(SHARED).fd, b"x", 0)
    with pytest.raises(PermissionError):
        os.truncate(place_of(SHARED).fd, 0)


def test_the_file_is_gone_with_the_last_view():
    before = open_files()
    view = shared(DATA)[5:]
    assert open_files() > before
    del view
    gc.collect()
    assert open_files() == before
