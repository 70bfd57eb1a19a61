"""One upload is cut in the middle of a chunk, asked about, brought to its end and read back."""

from __future__ import annotations

from dataclasses import replace

from upswarm.probing.aftermath import Aftermath, kept_of
from upswarm.probing.cuts import Cut, Ending
from upswarm.probing.reading import read_back
from upswarm.probing.uploads import Upload
from upswarm.transfer.chunks import Chunk
from upswarm.transfer.failures import Failure, Interrupted, TransferError
from upswarm.transfer.ranges import NOTHING, Ranges
from upswarm.transfer.records import Receipt

_AGAIN_S = 0.25
_TRIES = 4


class Cutting:
    """One cut. `run` raises nothing that is the server's doing: what went wrong stands in the notes."""

    def __init__(self, upload: Upload, cut: Cut) -> None:
        self._upload = upload
        self._cut = cut
        self._clock = upload.target.clock
        self._resumes = 0
        self._unknown = self._out_of_time = False
        self._notes: list[str] = []

    def run(self) -> Aftermath:
        """The whole story of an upload."""
        try:
            chunk = self._brought_to_the_cut()
            acknowledged = self._upload.session.held
            sent_bytes = self._cut_in(chunk)
        except TransferError as error:
            return Aftermath(self._cut, 0, notes=(f"before the cut: {error.message}",))
        story = self._asked(chunk, acknowledged, sent_bytes)
        receipt = None if self._unknown else self._receipt()
        check = read_back(self._upload, receipt, self._notes) if receipt else story.check
        finished = receipt is not None or (None if self._out_of_time else False)
        return replace(story, finished=finished, check=check, resumes=self._resumes, notes=tuple(self._notes))

    def _brought_to_the_cut(self) -> Chunk:
        """The second chunk, with the first one acknowledged; where a file is one chunk, that."""
        grid = self._upload.begin().grid
        cut_in, before = (grid.chunk(1), [grid.chunk(0)]) if grid.count > 1 else (grid.chunk(0), [])
        for chunk in before:
            self._upload.send(chunk)
        return cut_in

    def _cut_in(self, chunk: Chunk) -> int:
        """Send a part of the chunk's body and hang up; how many bytes of it went out."""
        request = self._upload.chunk_request(chunk)
        sending = self._upload.piecemeal(request)
        try:
            sending.send(self._cut.point.sent_bytes(len(request.body or ())))
            if answer := sending.answer(0):
                self._notes.append(f"answered {answer.status} before the cut")
        except Interrupted as error:
            self._notes.append(f"the server hung up before the cut: {error.message}")
        (sending.end if self._cut.ending is Ending.FIN else sending.reset)()
        return sending.sent_bytes

    def _asked(self, chunk: Chunk, acknowledged: Ranges, sent_bytes: int) -> Aftermath:
        cut_s = self._clock.now()
        self._clock.sleep(self._cut.pause_s)
        held = self._held(cut_s + self._cut.pause_s + self._upload.watch.patience_s)
        story = Aftermath(self._cut, sent_bytes, asked_s=self._clock.now() - cut_s)
        if held is None or not self._upload.target.protocol.caps.resumes:
            return story
        kept = kept_of(acknowledged, chunk, sent_bytes, held)
        return replace(story, kept=kept, held_bytes=held.within(chunk.offset, chunk.end).total_bytes)

    def _held(self, ends_s: float) -> Ranges | None:
        """What the server holds, which is nothing where it does not know the upload; None if it does not tell."""
        while True:
            try:
                held = self._upload.ask().held
            except TransferError as error:
                self._note("asked what it holds", error)
                if self._unknown:
                    return NOTHING
                if self._out_of_time or self._clock.now() > ends_s:
                    return None
                self._clock.sleep(_AGAIN_S)
            else:
                self._resumes += 1
                return held

    def _receipt(self) -> Receipt | None:
        """Go on to the end as a client would: behind another question whenever a step fails."""
        for _ in range(_TRIES):
            try:
                return self._upload.finish()
            except TransferError as error:
                self._note("going on", error)
            self._clock.sleep(_AGAIN_S)
            self._held(self._clock.now())
            if self._unknown or self._out_of_time:
                break
        return None

    def _note(self, when: str, error: TransferError) -> None:
        self._unknown |= error.kind is Failure.GONE
        self._out_of_time |= error.kind is Failure.STOPPED
        if (text := f"{when}: {error.message}") not in self._notes:
            self._notes.append(text)
