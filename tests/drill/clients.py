"""Real clients: they upload as their plans say, try again whatever dies under them, and write down every answer."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.drill import plans
from tests.drill.ledger import Entry, Ledger
from tests.drill.links import Address, Answer, Link, Lost
from tests.drill.plans import Plan
from upswarm import digests

KEPT_FILES, KEPT_UPLOADS = 30, 8
_LANES = 2


class Unexpected(Exception):
    """The server answered what it must not answer; the client goes on with its next upload."""


class TornOnPurpose(OSError):
    """The client's own connection breaks in the middle of a body."""


class Client:
    """Uploads one plan after the other; what it keeps is bounded, so that the drill may last."""

    def __init__(self, seed: int, number: int, address: Address, ledger: Ledger) -> None:
        self._seed = seed
        self._number = number
        self._ledger = ledger
        self._links = [Link(address) for _ in range(_LANES)]
        self._files: list[Entry] = []
        self._unfinished: list[Entry] = []

    def run(self, is_over: Callable[[], bool]) -> None:
        """Upload until it is over; the last upload is brought to its end."""
        for number in itertools.count():
            if is_over():
                break
            self._guarded(plans.draw(self._seed, self._number, number))
        self.close()

    def close(self) -> None:
        """Hang up."""
        for link in self._links:
            link.close()

    def journey(self, plan: Plan) -> None:
        """One upload, from init to the end that its plan says."""
        entry = self._begin(plan)
        self._send(entry, plan.order[: plan.sent])
        if plan.end == plans.ABORT:
            self._end(entry, "abort", f"/v1/uploads/{entry.upload_id}")
        elif plan.end == plans.LEAVE:
            self._unfinished.append(entry)
        elif plan.end == plans.VANISH:
            self._vanish(entry)
        else:
            self._finalize(entry)

    def _guarded(self, plan: Plan) -> None:
        try:
            self.journey(plan)
            self._tidy(plan.dice("tidy"))
        except Unexpected as error:
            self._ledger.lose(str(error))
        except Lost as error:
            self._ledger.lose(f"{plan.filename}: no answer for a minute: {error}")

    def _tidy(self, dice: random.Random) -> None:
        if len(self._unfinished) > KEPT_UPLOADS:
            entry = self._unfinished.pop(dice.randrange(len(self._unfinished)))
            self._resume(entry)
        if len(self._files) > KEPT_FILES:
            self._check_and_delete(self._files.pop(dice.randrange(len(self._files))))

    def _begin(self, plan: Plan) -> Entry:
        while True:
            try:
                answer = self._links[0].ask("POST", "/v1/uploads", json.dumps(plan.about()).encode())
            except Lost:
                self._ledger.init_unanswered()
                self._links[0].insist("GET", "/health/live")
                continue
            _expect(answer, 201, f"init of {plan.filename}")
            return self._ledger.begun(plan, answer.document["upload_id"])

    def _send(self, entry: Entry, indices: Sequence[int]) -> None:
        lanes = entry.plan.lanes
        if lanes == 1:
            self._send_lane(entry, self._links[0], indices)
            return
        with ThreadPoolExecutor(lanes) as threads:
            shares = [indices[lane::lanes] for lane in range(lanes)]
            list(threads.map(self._send_lane, [entry] * lanes, self._links, shares))

    def _send_lane(self, entry: Entry, link: Link, indices: Sequence[int]) -> None:
        for index in indices:
            self._send_chunk(entry, link, index)

    def _send_chunk(self, entry: Entry, link: Link, index: int) -> None:
        dice = entry.plan.dice(("chunk", index))
        data = entry.plan.chunk(index)
        self._ledger.chunk_sent(entry, index)
        if dice.random() < 0.05:
            _tear(link, entry, index, data)
        headers = {"Content-Length": str(len(data))}
        if dice.random() < 0.5:
            algorithm = dice.choice(digests.ALGORITHMS)
            headers["Content-Digest"] = digests.format_header(algorithm, digests.digest_of(algorithm, [data]))
        pause_s = dice.choice((0, 0, 0.005, 0.03))
        while True:
            try:
                body = _slowly(data, pause_s) if pause_s else data
                answer = link.ask("PUT", _chunk_path(entry, index), body, headers)
            except Lost:
                if dice.random() < 0.5 and self._is_there(entry, link, index):
                    self._ledger.chunk(entry, index, by="probe")
                    return
                time.sleep(0.02)
                continue
            if answer.status != 503:
                break
        _expect(answer, 204, f"chunk {index} of {entry}")
        self._ledger.chunk(entry, index)

    def _is_there(self, entry: Entry, link: Link, index: int) -> bool:
        answer = link.insist("GET", f"/v1/uploads/{entry.upload_id}")
        _expect(answer, 200, f"probe of {entry}")
        return index in indices_of(answer.document["received_chunks"])

    def _finalize(self, entry: Entry) -> None:
        self._ledger.finalize_sent(entry)
        answer = self._links[0].insist("POST", f"/v1/uploads/{entry.upload_id}/finalize")
        _expect(answer, 201, f"finalize of {entry}")
        self._ledger.finalized(entry, answer.document)
        if entry.plan.end == plans.DELETE:
            self._end(entry, "delete", f"/v1/files/{answer.document['file_id']}")
        else:
            self._files.append(entry)

    def _vanish(self, entry: Entry) -> None:
        self._ledger.finalize_sent(entry)
        try:
            self._links[0].send_only("POST", f"/v1/uploads/{entry.upload_id}/finalize")
        except Lost:
            self._ledger.note("vanished_unsent")

    def _resume(self, entry: Entry) -> None:
        answer = self._links[0].insist("GET", f"/v1/uploads/{entry.upload_id}")
        _expect(answer, 200, f"probe of {entry}")
        missing = indices_of(answer.document["missing_chunks"])
        if lost := missing & entry.chunks:
            raise Unexpected(f"acknowledged chunks {sorted(lost)} of {entry} are missing")
        self._send(entry, sorted(missing))
        self._finalize(entry)
        self._ledger.note("resumed")

    def _check_and_delete(self, entry: Entry) -> None:
        assert entry.record is not None
        path = f"/v1/files/{entry.record['file_id']}"
        answer = self._links[0].insist("GET", f"{path}/content")
        _expect(answer, 200, f"content of {entry}")
        if answer.body != entry.plan.content:
            raise Unexpected(f"the content of {entry} is not what was sent")
        self._ledger.note("checked_on_the_way")
        self._end(entry, "delete", path)

    def _end(self, entry: Entry, kind: str, path: str) -> None:
        self._ledger.end_sent(entry, kind)
        answer = self._links[0].insist("DELETE", path)
        if not (answer.status == 404 and answer.lost):  # then a try whose answer got lost has done it
            _expect(answer, 204, f"{kind} of {entry}")
        self._ledger.gone(entry, kind)


def indices_of(ranges: Sequence[Sequence[int]]) -> set[int]:
    """The chunks of a probe's inclusive ranges."""
    return {index for first, last in ranges for index in range(first, last + 1)}


def _expect(answer: Answer, status: int, what: str) -> None:
    if answer.status != status:
        raise Unexpected(f"{what}: expected {status}, found {answer}")


def _chunk_path(entry: Entry, index: int) -> str:
    return f"/v1/uploads/{entry.upload_id}/chunks/{index}"


def _slowly(data: bytes, pause_s: float) -> Iterator[bytes]:
    yield data[: len(data) // 2]
    time.sleep(pause_s)
    yield data[len(data) // 2 :]


def _tear(link: Link, entry: Entry, index: int, data: bytes) -> None:
    """Send half of other bytes than the chunk's, and break off: nothing of it may be seen later."""

    def half() -> Iterator[bytes]:
        yield bytes(len(data) // 2)
        raise TornOnPurpose

    try:
        link.ask("PUT", _chunk_path(entry, index), half(), {"Content-Length": str(len(data))})
    except Lost:
        return
