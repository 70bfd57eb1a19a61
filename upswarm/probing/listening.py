"""Two ways to hear whether bodies are passed on while they come: an early refusal, and a pause in the middle."""

from __future__ import annotations

from dataclasses import dataclass, replace

from upswarm.probing.buffering import Midway, Refusal
from upswarm.probing.uploads import Upload
from upswarm.transfer.auth import unsigned
from upswarm.transfer.failures import Failure, TransferError
from upswarm.transfer.messages import Body, Request, Response

AGAIN_S = 0.25
FIRST_BYTES = 1000
HUGE_BYTES = 1 << 30
"""Some servers take the rest of a chunk before they refuse it, out of politeness. None does so with this."""
_WHOLE_S = 5.0
_ASK_S = 1.0
_TOO_LARGE = 413
_POLITE = (
    "it may as well be a server that takes the rest of what it refuses: longer bodies were refused for their length"
)


@dataclass(frozen=True, slots=True)
class _Hopeless:
    """A chunk that a server can refuse from its head alone.

    `refusals` are the statuses that mean just that, whatever the length of the body; a proxy may have others for that.
    """

    request: Request
    what: str
    refusals: frozenset[int] = frozenset()
    signed: bool = True


@dataclass(frozen=True, slots=True)
class _Heard:
    """What it comes to, and the answer if it refused something."""

    refusal: Refusal
    answer: Response | None = None

    @property
    def status(self) -> int | None:
        return self.refusal.status


def refusal(upload: Upload) -> Refusal:
    """Send the head of a hopeless chunk, and a few bytes: of a huge body if that is no matter, then of a real one."""
    try:
        hopeless = _hopeless(upload)
        of_huge = _of_huge(upload, hopeless)
        if of_huge.status in hopeless.refusals:
            return of_huge.refusal
        heard = _heard(upload, hopeless, whole=True)
        if of_huge.status != _TOO_LARGE or heard.refusal.early is not False:
            return heard.refusal
        return of_huge.refusal if _of_one_hand(of_huge, heard) else replace(heard.refusal, note=_POLITE)
    except TransferError as error:
        return Refusal(note=error.message)


def _of_huge(upload: Upload, hopeless: _Hopeless) -> _Heard:
    request = hopeless.request
    if request.body is None or not hopeless.refusals:
        return _Heard(Refusal())
    try:
        huge = replace(request, body=Body(HUGE_BYTES, request.body.views))
        return _heard(upload, replace(hopeless, request=huge), whole=False)
    except TransferError:
        return _Heard(Refusal())


def _of_one_hand(one: _Heard, other: _Heard) -> bool:
    """Whether a 413 is the server's own: it speaks as in its other refusals, and proxies speak in pages of HTML."""
    kinds = {_media_type(each.answer) for each in (one, other)}
    return len(kinds) == 1 and kinds.pop().startswith("application/")


def _media_type(answer: Response | None) -> str:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower() if answer else ""


def _hopeless(upload: Upload) -> _Hopeless:
    chunk = upload.begin().grid.chunk(0)
    ended = upload.target.protocol.caps.resumes and upload.give_up()
    request = upload.chunk_request(chunk, promised=False)
    if ended:
        return _Hopeless(request, "a chunk of an upload that was aborted", frozenset({404, 409, 410}))
    if upload.target.sign is not unsigned:
        return _Hopeless(request, "a chunk without credentials", frozenset({401, 403}), signed=False)
    headers = {**request.headers, "Content-Range": "bytes nonsense"}
    return _Hopeless(replace(request, headers=headers), "a chunk with a nonsensical Content-Range")


def _heard(upload: Upload, hopeless: _Hopeless, *, whole: bool) -> _Heard:
    """What came after the first bytes, or else, if the `whole` body may follow, after the last one."""
    clock, promised_bytes = upload.target.clock, len(hopeless.request.body or ())
    seen = Refusal(what=hopeless.what, promised_bytes=promised_bytes)
    sending = upload.piecemeal(hopeless.request, signed=hopeless.signed)
    try:
        sending.send(min(FIRST_BYTES, promised_bytes // 2))
        began_s, sent_bytes = clock.now(), sending.sent_bytes
        answer = sending.answer(upload.watch.silence_s)
        early = answer is not None
        if whole and not early:
            sending.send(promised_bytes)
            answer = sending.answer(_WHOLE_S)
        seen = replace(seen, sent_bytes=sent_bytes, after_s=clock.now() - began_s)
    finally:
        sending.reset()
    if answer is None:
        return _Heard(replace(seen, note="no answer came, not even when the body was whole"))
    if answer.status < 400 or (whole and answer.status == _TOO_LARGE):
        return _Heard(replace(seen, note=f"{hopeless.what} was answered {answer.status}, which tells nothing"))
    return _Heard(replace(seen, early=early, status=answer.status), answer)


def midway(upload: Upload) -> Midway:
    """Send half of a chunk, and ask meanwhile over a second connection what is held of it."""
    protocol = upload.target.protocol
    try:
        grid = upload.begin().grid
        request = upload.chunk_request(grid.chunk(0), promised=False)
        half_bytes = len(request.body or ()) // 2
        if not protocol.caps.resumes or grid.fixed or half_bytes < protocol.caps.multiple_bytes:
            return Midway(note=f"{upload.target.protocol_name} does not show parts of a chunk")
        sending = upload.piecemeal(request)
        try:
            sending.send(half_bytes)
            return replace(_held_meanwhile(upload), sent_bytes=sending.sent_bytes)
        finally:
            sending.end()
    except TransferError as error:
        return Midway(note=error.message)


def _held_meanwhile(upload: Upload) -> Midway:
    """What is held within a while; a server may lock an upload as long as one of its chunks is under way."""
    clock = upload.target.clock
    ends_s, seen = clock.now() + upload.watch.silence_s, Midway()
    while clock.now() < ends_s:
        clock.sleep(AGAIN_S)
        try:
            seen = Midway(upload.ask_beside(_ASK_S).held.total_bytes)
        except TransferError as error:
            seen = Midway(note=f"asked in the middle of a chunk: {error.message}")
            if error.kind is Failure.GONE:
                return seen
        if seen.held_bytes:
            break
    return seen
