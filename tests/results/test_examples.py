"""The first examples of each failure: few, the earliest, the same in whatever order they are added."""

from dataclasses import replace

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from tests.results.samples import attempt
from upswarm.results.examples import MOST, MOST_KINDS, Example, Examples
from upswarm.transfer.failures import Failure
from upswarm.transfer.messages import Body, Phase, Request, Response

SECRET = "hunter2-hunter2"
KINDS = st.sampled_from(["reset", "torn", "server_error (503)"])
FAILED = st.lists(st.tuples(KINDS, st.sampled_from(["a", "b"]), st.integers(0, 5)), max_size=30)


def failed(**changes):
    return replace(attempt(failure=Failure.DENIED, status=403), **changes)


def examples_of(some):
    examples = Examples()
    for kind, name, at_s in some:
        examples.record(kind, failed(file_name=name), float(at_s))
    return examples


def test_an_example_tells_where_what_and_what_was_said_but_no_secret():
    asked = Request(
        Phase.CHUNK, "PUT", f"/up/7?sig={SECRET}", {"Authorization": f"Bearer {SECRET}"},
        replace(Body.of_bytes(b"x"), chunk=4),
    )  # fmt: skip
    answer = Response(403, {}, f"who is {SECRET}?".encode())
    tried = failed(number=2, file_name="a.bin", message=f"403 for {SECRET}", asked=asked, answer=answer)
    assert Example.of(tried, 1.23456) == Example(1.235, "", "a.bin", 4, 2, "PUT", "/up/7", "403 for ***", "who is ***?")


def test_without_a_request_there_is_still_an_example():
    assert Example.of(failed(), 1.0) == Example(1.0, "", "", -1, 1, "", "", "", "")


def test_the_earliest_are_kept_whenever_they_come():
    examples = examples_of([("torn", name, at_s) for at_s, name in enumerate("edcba")] + [("torn", "early", 0)])
    assert [each.file_name for each in examples.of(Phase.CHUNK, "torn")] == ["e", "early", "d"]
    assert examples.of(Phase.INIT, "torn") == examples.of(Phase.CHUNK, "reset") == []


@given(st.lists(FAILED, min_size=1, max_size=4))
def test_adding_the_parts_in_any_order_is_recording_the_whole(parts):
    whole = examples_of([each for part in parts for each in part])
    for order in (parts, parts[::-1]):
        total = Examples()
        for part in order:
            total.add(examples_of(part))
        assert total.to_document() == whole.to_document()


@given(FAILED)
def test_a_document_is_read_as_it_was_written(some):
    examples = examples_of(some)
    examples.seen_by("w1")
    carried = msgpack.unpackb(msgpack.packb(examples.to_document()))
    assert Examples.from_document(carried).to_document() == examples.to_document()
    assert {each["worker"] for each in carried} <= {"w1"}


def test_neither_many_failures_nor_many_kinds_take_much_room():
    examples = Examples()
    for status in range(400, 600):
        for at_s in range(5):
            answer = Response(status, {}, b"words " * 1000)
            examples.record(f"x ({status})", failed(answer=answer, message="m" * 9999), at_s + status)
    kept = examples.to_document()
    assert len(kept) == MOST_KINDS * MOST
    assert {each["kind"] for each in kept} == {f"x ({status})" for status in range(400, 400 + MOST_KINDS)}
    assert len(msgpack.packb(kept)) < 200_000
