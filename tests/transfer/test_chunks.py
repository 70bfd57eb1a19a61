from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upswarm.transfer.chunks import Chunk, Grid
from upswarm.transfer.ranges import NOTHING, Ranges

grids = st.builds(Grid, st.integers(0, 200), st.integers(1, 60))
spans = st.lists(st.tuples(st.integers(0, 250), st.integers(0, 250)))


@pytest.mark.parametrize(
    ("size_bytes", "chunk_size_bytes", "lengths"),
    [(0, 10, []), (1, 10, [1]), (10, 10, [10]), (11, 10, [10, 1]), (25, 10, [10, 10, 5]), (30, 10, [10, 10, 10])],
)
def test_the_last_chunk_is_the_rest(size_bytes, chunk_size_bytes, lengths):
    grid = Grid(size_bytes, chunk_size_bytes)
    assert [chunk.length for chunk in grid.not_held(NOTHING)] == lengths
    assert grid.count == len(lengths)


@given(grids)
def test_chunks_tile_the_file(grid):
    chunks = [grid.chunk(index) for index in range(grid.count)]
    assert list(grid.not_held(NOTHING)) == chunks
    assert [chunk.offset for chunk in chunks] == [0, *(chunk.end for chunk in chunks)][: grid.count]
    assert sum(chunk.length for chunk in chunks) == grid.size_bytes
    assert all(0 < chunk.length <= grid.chunk_size_bytes for chunk in chunks)


@given(grids, spans)
def test_a_chunk_is_to_be_sent_once_if_any_byte_of_it_is_missing(grid, held_spans):
    held = Ranges.of(held_spans)
    wanted = [chunk for chunk in map(grid.chunk, range(grid.count)) if not held.covers(chunk.offset, chunk.end)]
    assert list(grid.not_held(held)) == wanted


def test_a_chunk_with_two_gaps_is_one_chunk():
    assert [chunk.index for chunk in Grid(30, 10).not_held(Ranges(((2, 4), (6, 12), (15, 16))))] == [0, 1, 2]


@given(grids, st.data())
def test_what_is_held_by_index_is_not_sent_again(grid, data):
    indexes = data.draw(st.sets(st.integers(0, max(0, grid.count - 1))) if grid.count else st.just(set()))
    held = grid.ranges([(index, index) for index in indexes])
    assert {chunk.index for chunk in grid.not_held(held)} == set(range(grid.count)) - indexes
    assert held.total_bytes == sum(grid.chunk(index).length for index in indexes)


def test_index_ranges_include_both_ends():
    assert Grid(95, 10).ranges([(0, 3), (7, 7), (9, 9)]) == Ranges(((0, 40), (70, 80), (90, 95)))


def test_a_chunk_knows_where_it_ends():
    assert Chunk(2, 20, 5).end == 25


@given(grids, spans)
def test_without_a_fixed_grid_exactly_what_is_missing_is_sent(grid, held_spans):
    held = Ranges.of(held_spans)
    chunks = list(replace(grid, fixed=False).not_held(held))
    assert Ranges.of((chunk.offset, chunk.end) for chunk in chunks) == held.missing(grid.size_bytes)
    assert sum(chunk.length for chunk in chunks) == held.missing(grid.size_bytes).total_bytes
    assert all(0 < chunk.length <= grid.chunk_size_bytes for chunk in chunks)


def test_an_upload_that_was_cut_goes_on_at_the_byte_where_it_was_cut():
    chunks = Grid(25, 10, fixed=False).not_held(Ranges(((0, 13),)))
    assert [(chunk.index, chunk.offset, chunk.length) for chunk in chunks] == [(1, 13, 10), (2, 23, 2)]


@given(grids, spans, st.integers(1, 200))
def test_rows_are_what_is_missing_cut_where_a_row_ends(grid, held_spans, row_bytes):
    held, grid = Ranges.of(held_spans), replace(grid, fixed=False, row_bytes=row_bytes)
    rows = [list(row) for row in grid.rows(held)]
    assert all(len({chunk.offset // row_bytes, (chunk.end - 1) // row_bytes}) == 1 for row in rows for chunk in row)
    assert all(len({chunk.offset // row_bytes for chunk in row}) == 1 for row in rows)
    assert len({row[0].offset // row_bytes for row in rows}) == len(rows)
    chunks = [chunk for row in rows for chunk in row]
    assert Ranges.of((chunk.offset, chunk.end) for chunk in chunks) == held.missing(grid.size_bytes)
    assert [chunk.offset for chunk in chunks] == sorted({chunk.offset for chunk in chunks})
    assert chunks == list(grid.not_held(held))


def test_where_nothing_is_said_about_rows_each_chunk_is_one():
    for fixed in (True, False):
        assert [[chunk.index for chunk in row] for row in Grid(25, 10, fixed).rows(NOTHING)] == [[0], [1], [2]]
