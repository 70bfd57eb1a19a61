"""Master and workers that share a secret, and all those who do not."""

from __future__ import annotations

import pytest

from upswarm.errors import UsageError
from upswarm.swarm.workers.seal import Seal, SealError

SECRET = "correct horse battery staple"
DOCUMENT = {"number": 3, "texts": ["a", "ü"], "bytes": b"\x00\xff", 7: None}


def test_what_was_sealed_is_opened_with_the_same_secret_and_says_nothing_to_others() -> None:
    sealed = Seal(SECRET).close({"token": "hunter2"}, "plan of w1")
    assert isinstance(sealed, bytes)
    assert b"hunter2" not in sealed
    assert Seal(SECRET).open(sealed, "plan of w1") == {"token": "hunter2"}


def test_a_document_arrives_as_it_was() -> None:
    assert Seal(SECRET).open(Seal(SECRET).close(DOCUMENT, "x"), "x") == DOCUMENT
    assert Seal().open(Seal().close(DOCUMENT, "x"), "x") == DOCUMENT


@pytest.mark.parametrize(
    ("theirs", "ours", "reason"),
    [
        (SECRET, "", "it has a secret, and the other side has no UPSWARM_SECRET"),
        ("", SECRET, "it has no UPSWARM_SECRET, and the other side has one"),
        ("another one of length", SECRET, "its UPSWARM_SECRET is not that of the other side"),
    ],
)
def test_who_has_another_secret_is_not_heard(theirs: str, ours: str, reason: str) -> None:
    with pytest.raises(SealError, match=reason):
        Seal(ours).open(Seal(theirs).close({}, "x"), "x")


def test_a_message_that_was_recorded_can_not_be_told_again_as_another_workers() -> None:
    sealed = Seal(SECRET).close({}, "report of w1")
    with pytest.raises(SealError, match="sealed as report of w1, not as report of w2"):
        Seal(SECRET).open(sealed, "report of w2")


def test_a_secret_that_could_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSWARM_SECRET", "hunter2")
    with pytest.raises(UsageError, match="expected at least 16 letters, found 7"):
        Seal.of_environment()
