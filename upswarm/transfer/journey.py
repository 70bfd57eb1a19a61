"""One upload's way: init, chunks, finalize; and back through a probe whenever it is not known what the server holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from upswarm.content.base import File
from upswarm.transfer.exchange import NOW, at
from upswarm.transfer.failures import MAY_PASS, RESUMABLE, Failure, TransferError
from upswarm.transfer.habits import Cut
from upswarm.transfer.interruptions import Outlet
from upswarm.transfer.lanes import Lanes
from upswarm.transfer.records import End, Outcome, Receipt
from upswarm.transfer.suspended import Log, Suspended, session_document, session_of

if TYPE_CHECKING:
    from upswarm.transfer.uploader import Awaited, Uploader


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done: a file, when it was due, and its number in the run, by which people have their habits.

    `file_class` is the scenario's name for files of this sort.
    """

    file: File
    due_s: float
    number: int | None = None
    file_class: str = ""


class Journey:
    """One errand under way; `since` is where another process left it, `moved` whether another one has it now."""

    def __init__(self, uploader: Uploader, errand: Errand, since: Suspended | None = None) -> None:
        self._uploader = uploader
        self._protocol = uploader.protocol
        self._perform = uploader.exchange.perform
        self._retry = uploader.settings.retry
        self._clock = uploader.clock
        self._errand = errand
        for exchange in uploader.exchanges:
            exchange.file_name, exchange.file_class = errand.file.name, errand.file_class
        self._log = replace(since.log) if since else Log()
        self._lanes = Lanes(uploader.protocol, uploader.exchanges, uploader.together, uploader.settings.digest)
        self._lanes.session = session_of(since.session, self._protocol.caps) if since else None
        self._unsure = since is not None
        self._due = NOW if since else at(errand.due_s)
        self._fruitless = 0
        self.moved = False
        cuts = uploader.settings.habits.cuts(errand.number, errand.file.size_bytes)
        self._outlet = Outlet(errand.file, cuts[self._log.interruptions :], self._log.sent_bytes)

    def travel(self) -> tuple[End, Receipt | None]:
        """To the end, through as many resumes as it takes, while each of them brings the file further."""
        while True:
            try:
                return End.FINISHED, self._go_on()
            except TransferError as error:
                if self._outlet.cut is None:
                    self._recover(error)
                elif end := self._leave(self._outlet.cut):
                    return end, None

    def abort(self) -> None:
        """Ask the server to forget the upload; if it does not hear that, its own expiry has to do."""
        if self._lanes.session is not None:
            with suppress(TransferError):
                self._uploader.exchange.drive(self._protocol.abort(self._lanes.session))

    def outcome(self, end: End, receipt: Receipt | None = None, error: TransferError | None = None) -> Outcome:
        """The upload has ended so, now."""
        file, log = self._errand.file, self._log
        resent_bytes = max(0, self._outlet.sent_bytes - file.size_bytes) if end is End.FINISHED else 0
        return Outcome(
            end, file.name, file.size_bytes, self._errand.due_s, self._clock.now(), log.resumes,
            failure=error.kind if error else None, message=error.message if error else "", receipt=receipt,
            interruptions=log.interruptions, restarts=log.restarts, resent_bytes=resent_bytes, away_s=log.away_s,
            number=self._errand.number, file_class=self._errand.file_class,
        )  # fmt: skip

    def _go_on(self) -> Receipt:
        """From wherever it stands to the receipt."""
        lanes, file = self._lanes, self._outlet
        if lanes.session is None:
            create = partial(self._protocol.create, file, self._uploader.settings.chunk_size_bytes)
            lanes.session = self._perform(create, self._due)
        elif self._unsure:
            lanes.session = self._perform(partial(self._protocol.probe, lanes.session), self._due)
            self._log.resumes += 1
            self._weigh()
        self._unsure = False
        session = lanes.send_missing(lanes.session, file, self._due)
        return self._perform(partial(self._protocol.finalize, session, file), self._due)

    def _weigh(self) -> None:
        """A server that takes chunks and loses them again makes no progress, however many it takes."""
        held_bytes = self._lanes.session.held.total_bytes if self._lanes.session else 0
        if held_bytes > self._log.most_held_bytes:
            self._log.most_held_bytes, self._fruitless = held_bytes, 0

    def _recover(self, error: TransferError) -> None:
        """Make ready to go on after a failure; raises it where that is useless, or was so too often."""
        probed, self._unsure = self._unsure, True
        if probed and error.kind is Failure.GONE:
            self._start_over(error)
        elif self._lanes.session is None or error.kind not in (RESUMABLE | MAY_PASS if probed else RESUMABLE):
            raise error
        else:
            self._pause_or_give_up(error)

    def _start_over(self, error: TransferError) -> None:
        """The server has forgotten the upload: whoever wants the file there sends it from its first byte."""
        if self._log.restarts + 1 >= self._retry.attempts:
            raise error
        self._log.restarts += 1
        self._log.most_held_bytes = 0
        self._lanes.session = None

    def _pause_or_give_up(self, error: TransferError) -> None:
        self._weigh()
        self._fruitless += 1
        if error.unretried or self._fruitless >= self._retry.attempts:
            raise error
        self._rest(self._retry.pause_s(self._fruitless, self._uploader.dice))

    def _rest(self, pause_s: float) -> None:
        self._due = at(self._clock.now() + pause_s)
        self._clock.sleep(pause_s)

    def _leave(self, cut: Cut) -> End | None:
        """Close the lid, and come back; not everybody does, and not everybody to the same place."""
        self._lanes.hang_up()
        if cut.resume_in_s is None:
            return End.ABORTED
        self._log.interruptions += 1
        self._log.away_s += cut.resume_in_s
        self._rest(cut.resume_in_s)
        if cut.moves and (awaited := self._offer()):
            self.moved = True
            awaited()
            return End.MOVED
        self._outlet.reopen()
        self._unsure = True
        return None

    def _offer(self) -> Awaited | None:
        """To others; an upload that the server has not begun is nothing that anybody could go on with."""
        session, number, now_s = self._lanes.session, self._errand.number, self._clock.now()
        if session is None or number is None:
            return None
        log = replace(self._log, sent_bytes=self._outlet.sent_bytes)
        plain = session_document(session, self._protocol.caps)
        return self._uploader.elsewhere(Suspended(number, plain, now_s - self._errand.due_s, log))
