"""Events of one process: where they are kept, and what becomes of a run whose disk does not want them."""

from pathlib import Path

from tests.results.samples import attempt, finished
from upswarm.results.events import Event
from upswarm.swarm.uploading.events import Events


class FullDisk:
    """Takes two events."""

    def __init__(self) -> None:
        self.taken: list[Event] = []

    def add(self, event: Event) -> None:
        if len(self.taken) == 2:
            raise OSError("no space left")
        self.taken.append(event)

    def close(self) -> None:
        raise AssertionError("it was given up")


def events(path: Path | None, told: list[Exception]) -> Events:
    return Events(path, "run-1", "w1", 8.0, told.append)


def test_a_disk_that_is_full_is_told_of_once() -> None:
    told: list[Exception] = []
    kept = events(None, told)
    kept._sink = disk = FullDisk()
    for _ in range(5):
        kept.attempted(attempt())
    kept.ended(finished())
    kept.close()
    assert len(disk.taken) == 2
    assert [str(each) for each in told] == ["events can't be kept any more: no space left"]


def test_whoever_does_not_ask_for_events_has_none(tmp_path: Path) -> None:
    told: list[Exception] = []
    kept = events(None, told)
    kept.attempted(attempt())
    kept.close()
    assert told == list(tmp_path.iterdir()) == []
