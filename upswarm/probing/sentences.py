"""The findings in words."""

from __future__ import annotations

from collections.abc import Iterator

from upswarm import units
from upswarm.errors import EXIT_OK, EXIT_THRESHOLD
from upswarm.probing.aftermath import Check, Kept
from upswarm.probing.buffering import Buffering, Midway, Refusal, Verdict
from upswarm.probing.cuts import Ending
from upswarm.probing.findings import Findings, Keeping


def sentences(findings: Findings) -> list[str]:
    """What is kept, what was promised, whether uploads come to their end, what buffers, and the exit code."""
    return [
        _kept(findings),
        _promised(findings),
        _finished(findings),
        _buffered(findings),
        *_gaps(findings),
        _conclusion(findings),
    ]


def evidence(buffering: Buffering) -> list[tuple[str, str]]:
    """What was seen of buffering, row by row: how it was tried, and what came of it."""
    return [
        ("early refusal", _refusal(buffering.refusal)),
        ("paused chunk", _midway(buffering.midway)),
        ("cut chunks", _cuts(buffering)),
    ]


def _kept(findings: Findings) -> str:
    cuts = f"of {len(findings.told)} cuts"
    count = {kept: sum(each.kept is kept for each in findings.told) for kept in Kept}
    if findings.keeping is Keeping.UNTOLD and not findings.caps.resumes:
        return f"What the server holds can't be asked in {findings.protocol_name}: what was cut is sent again."
    return {
        Keeping.ALL_BYTES: f"A cut chunk's bytes are kept: {_durable(findings)}",
        Keeping.SOME_BYTES: f"A cut chunk's bytes are kept after {_by_ending(findings)}; after the others it was lost "
        f"whole. Where they are kept, {_durable(findings)}",
        Keeping.CHUNKS: "A cut chunk is lost whole; the chunks before it are held.",
        Keeping.LESS: f"Bytes that had been acknowledged were lost after {count[Kept.LESS]} {cuts}.",
        Keeping.MORE: f"The server claimed bytes that were never sent after {count[Kept.MORE]} {cuts}.",
        Keeping.UNTOLD: "Can't be told: after no cut did the server say what it holds.",
    }[findings.keeping]


def _by_ending(findings: Findings) -> str:
    """A reset is the harder test: what has not been read yet may be thrown away with the connection."""
    told = [(each.cut.ending, each.kept is Kept.BYTES) for each in findings.told]
    counts = ((ending, [kept for other, kept in told if other is ending]) for ending in Ending)
    return " and ".join(f"{sum(kept)} of {len(kept)} cuts by {ending.value}" for ending, kept in counts if kept)


def _durable(findings: Findings) -> str:
    kept = [each for each in findings.told if each.kept is Kept.BYTES]
    most_bytes = max((each.lost_bytes for each in kept), default=0)
    if not most_bytes:
        return "the server held all that was sent."
    return f"the server held all that was sent but for {units.format_size(most_bytes)} at most."


def _promised(findings: Findings) -> str:
    order = "bytes come in order" if findings.caps.sequential else "chunks come in any order"
    if not findings.caps.resumes:
        return f"{findings.protocol_name} promises no resume, and there was none."
    if findings.grid.fixed:
        promise = f"{findings.protocol_name} promises that whole chunks stay and a cut one is dropped; {order}."
        kept = findings.keeping is Keeping.CHUNKS
    else:
        promise = f"{findings.protocol_name} lets a server keep what came of a cut chunk; {order}."
        kept = findings.keeping is Keeping.ALL_BYTES
    return f"{promise} {'So it was.' if kept else _otherwise(findings)}"


def _otherwise(findings: Findings) -> str:
    match findings.keeping:
        case Keeping.CHUNKS:
            lost = "Nothing of it was kept, so every resume begins at the first byte of the cut chunk."
            return f"{lost} {_unverified(findings.digest)}" if findings.digest else lost
        case Keeping.ALL_BYTES | Keeping.SOME_BYTES:
            return "So it was not always."
        case Keeping.UNTOLD:
            return "Whether it was so is not known."
    return "So it was not."


def _unverified(digest: str) -> str:
    return (
        f"Each chunk promised its {digest} digest, and of a part no server can check that: "
        "without `transfer.digest` more may be kept."
    )


def _finished(findings: Findings) -> str:
    tried = findings.finished + findings.unfinished
    wrong = sum(each.check is Check.WRONG for each in findings.aftermaths)
    right = sum(each.check is Check.RIGHT for each in findings.aftermaths)
    ends = f"{findings.finished} of {tried} uploads came to their end after the cut"
    if not findings.finished:
        return f"{ends}."
    if wrong:
        return f"{ends}; {wrong} of the files have wrong bytes."
    if right == findings.finished:
        return f"{ends}; the files were read back and have the right bytes."
    others = f"{right} files were read back and are right, of the others" if right else "of the files"
    return f"{ends}; {others} only the server's word is known."


def _buffered(findings: Findings) -> str:
    buffering = findings.buffering
    match buffering.verdict:
        case Verdict.NOTHING_BUFFERS:
            return f"Nothing on the way buffers whole bodies: {', '.join(_proofs(buffering))}."
        case Verdict.SOMETHING_BUFFERS:
            return (
                "Something buffers whole bodies, a proxy on the way or the server itself: "
                f"{buffering.refusal.what} was refused only when its last byte had come."
                f"{buffering.refusal.note and f' But {buffering.refusal.note}.'}"
            )
    reasons = " and ".join(filter(None, (buffering.refusal.note, buffering.midway.note)))
    return f"Whether something buffers can't be told: {reasons or 'nothing was seen of it'}."


def _proofs(buffering: Buffering) -> Iterator[str]:
    if buffering.refusal.early:
        yield "a request was refused before its body had come"
    if buffering.midway.held_bytes:
        yield "bytes were held while their chunk was still under way"
    if buffering.kept:
        yield "bytes of cut chunks were held"


def _refusal(refusal: Refusal) -> str:
    sizes = f"{units.format_size(refusal.sent_bytes)} of {units.format_size(refusal.promised_bytes)}"
    if refusal.early is None:
        return f"not known: {refusal.note or 'not tried'}"
    if refusal.early:
        return f"{refusal.what}: {refusal.status} {units.format_duration(refusal.after_s)} after {sizes}"
    silent = f"silence after {sizes}, {refusal.status} when all of it was there"
    return f"{refusal.what}: {silent}"


def _midway(midway: Midway) -> str:
    if midway.held_bytes is None:
        return f"not known: {midway.note or 'not tried'}"
    held, sent = units.format_size(midway.held_bytes), units.format_size(midway.sent_bytes)
    return f"{held} of {sent} held while the rest was still to come"


def _cuts(buffering: Buffering) -> str:
    if not buffering.cuts:
        return "not known: after no cut was it told what is held"
    return f"bytes of the cut chunk were held after {buffering.kept} of {buffering.cuts} cuts"


def _gaps(findings: Findings) -> Iterator[str]:
    untold = len(findings.aftermaths) - len(findings.told)
    if findings.told and untold:
        yield f"After {untold} cuts the server did not say what it holds, or could not be asked in time."
    if findings.left_out:
        yield f"The time was up before the last {findings.left_out} cuts."


def _conclusion(findings: Findings) -> str:
    said = {
        EXIT_OK: "uploads go on after a cut, and nothing that was acknowledged is lost",
        EXIT_THRESHOLD: "acknowledged bytes were lost, or uploads did not come to a right end",
    }.get(findings.exit_code, "whether uploads go on after a cut can't be told")
    return f"{said.capitalize()}. Exit code {findings.exit_code}."
