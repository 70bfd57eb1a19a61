"""What claims are made of, so that the contract suites need no pytest: something is raised, something is raced for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

STUCK_S = 20.0


@contextmanager
def raises(kind: type[BaseException], code: str = "") -> Iterator[None]:
    """The block raises `kind`, with `code` at the beginning of its message; anything else is an `AssertionError`."""
    try:
        yield
    except kind as error:
        if not str(error).startswith(code):
            raise AssertionError(f"expected {code!r}, found {error!r}") from error
    else:
        raise AssertionError(f"expected {kind.__name__} {code}".rstrip() + ", found nothing raised")


@contextmanager
def may_raise(kind: type[BaseException], code: str) -> Iterator[None]:
    """The block may end early with this problem, where the contract leaves it open."""
    try:
        yield
    except kind as error:
        if not str(error).startswith(code):
            raise AssertionError(f"expected nothing but {code!r}, found {error!r}") from error


def race(runners: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all of them at the same moment, each in a thread; what each returned or raised, in their order.

    Whoever is not done after 20 seconds is stuck, which is an `AssertionError`.
    """
    found: list[Any] = [None] * len(runners)
    start = threading.Barrier(len(runners))

    def run(index: int) -> None:
        start.wait()
        try:
            found[index] = runners[index]()
        except Exception as error:  # given to the claim, which knows what may be raised
            found[index] = error

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(runners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(STUCK_S)
    assert not any(thread.is_alive() for thread in threads), f"somebody is stuck after {STUCK_S:g} s"
    return found


def returned(found: Sequence[Any], *may_be_raised: type[Exception]) -> list[Any]:
    """What was returned in a race; whoever raised something else than these is an `AssertionError`."""
    unexpected = [each for each in found if isinstance(each, Exception) and not isinstance(each, may_be_raised)]
    assert not unexpected, f"expected no errors but {may_be_raised}, found {unexpected}"
    return [each for each in found if not isinstance(each, Exception)]
