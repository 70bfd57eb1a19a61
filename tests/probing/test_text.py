"""What a reader sees of the findings, and what a machine gets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.probing.findings import CHUNKED, EARLY, LATE, LOST, PUT, aftermath, findings
from upswarm.probing.aftermath import Check, Kept
from upswarm.probing.buffering import Buffering, Midway, Refusal
from upswarm.probing.cuts import Ending
from upswarm.probing.document import document
from upswarm.probing.findings import Findings
from upswarm.probing.sentences import sentences
from upswarm.probing.text import terminal_text

RST = Ending.RST
KEPT = aftermath(held_bytes=1000)


def said(found: Findings) -> str:
    return " ".join(sentences(found))


def test_a_digest_that_can_not_be_checked_of_a_part_is_named_as_a_reason():
    reason = "Each chunk promised its sha-256 digest, and of a part no server can check that"
    assert reason in said(findings(LOST, digest="sha-256"))
    assert reason not in said(findings(LOST))
    assert reason not in said(findings(KEPT, digest="sha-256"))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (findings(KEPT), "A cut chunk's bytes are kept: the server held all that was sent."),
        (findings(KEPT, aftermath(held_bytes=400)), "held all that was sent but for 600 B at most."),
        (
            findings(KEPT, KEPT, aftermath(Kept.CHUNKS, 0, RST)),
            "kept after 2 of 2 cuts by FIN and 0 of 1 cuts by RST; after the others it was lost whole.",
        ),
        (findings(LOST), "A cut chunk is lost whole; the chunks before it are held."),
        (findings(LOST, aftermath(Kept.LESS, 0)), "Bytes that had been acknowledged were lost after 1 of 2 cuts."),
        (findings(aftermath(Kept.MORE)), "The server claimed bytes that were never sent after 1 of 1 cuts."),
        (findings(aftermath(None)), "Can't be told: after no cut did the server say what it holds."),
        (findings(aftermath(None), protocol=PUT), "What the server holds can't be asked in put"),
    ],
)
def test_what_is_kept_is_a_sentence(found: Findings, sentence: str) -> None:
    assert sentence in sentences(found)[0]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (findings(KEPT), "tus lets a server keep what came of a cut chunk; bytes come in order. So it was."),
        (findings(LOST), "Nothing of it was kept, so every resume begins at the first byte of the cut chunk."),
        (findings(KEPT, LOST), "So it was not always."),
        (findings(aftermath(Kept.LESS, 0)), "So it was not."),
        (findings(aftermath(None)), "Whether it was so is not known."),
        (
            findings(LOST, protocol=CHUNKED),
            "chunked promises that whole chunks stay and a cut one is dropped; chunks come in any order. So it was.",
        ),
        (findings(aftermath(None), protocol=PUT), "put promises no resume, and there was none."),
    ],
)
def test_what_was_promised_stands_beside_what_was_seen(found: Findings, sentence: str) -> None:
    assert sentences(found)[1].endswith(sentence)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (findings(KEPT, KEPT), "2 of 2 uploads came to their end after the cut; the files were read back"),
        (findings(KEPT, aftermath(finished=False)), "1 of 2 uploads came to their end"),
        (findings(aftermath(finished=False)), "0 of 1 uploads came to their end after the cut. "),
        (findings(aftermath(finished=None), KEPT), "1 of 1 uploads"),
        (findings(KEPT, aftermath(check=Check.WRONG)), "1 of the files have wrong bytes."),
        (findings(KEPT, aftermath(check=Check.UNREAD)), "1 files were read back and are right, of the others only"),
        (findings(aftermath(check=Check.UNREAD)), "cut; of the files only the server's word is known."),
        (findings(KEPT, left_out=3), "The time was up before the last 3 cuts."),
        (findings(KEPT, aftermath(None)), "After 1 cuts the server did not say what it holds"),
        (findings(KEPT), "Uploads go on after a cut, and nothing that was acknowledged is lost. Exit code 0."),
        (findings(aftermath(Kept.LESS)), "Exit code 3."),
        (findings(), "Whether uploads go on after a cut can't be told. Exit code 2."),
    ],
)
def test_how_it_ended_is_a_sentence(found: Findings, sentence: str) -> None:
    assert sentence in said(found)


@pytest.mark.parametrize(
    ("buffering", "sentence"),
    [
        (Buffering(EARLY, Midway(), 0, 1), "Nothing on the way buffers whole bodies: a request was refused before"),
        (Buffering(LATE, Midway(500, 500), 0, 1), "bytes were held while their chunk was still under way."),
        (Buffering(LATE, Midway(), 1, 1), "bytes of cut chunks were held."),
        (Buffering(LATE, Midway(), 0, 1), "aborted was refused only when its last byte had come. Up"),
        (Buffering(replace(LATE, note="it may be another"), Midway(), 0, 1), "had come. But it may be another."),
        (Buffering(Refusal(note="one"), Midway(note="two"), 0, 1), "something buffers can't be told: one and two."),
    ],
)
def test_what_buffers_is_a_sentence_with_its_reason(buffering: Buffering, sentence: str) -> None:
    assert sentence in said(findings(LOST, buffering=buffering))


def test_the_terminal_shows_each_cut_the_evidence_and_the_verdict() -> None:
    found = findings(KEPT, aftermath(Kept.CHUNKS, 0, RST, check=Check.UNREAD), aftermath(None, 0, finished=False))
    assert terminal_text(found, colour=False).splitlines()[:12] == [
        "tus at http://127.0.0.1:1080/files · 3 uploads of 2.5 MiB cut in chunks of 1.0 MiB · 8.50 s",
        "",
        "cut after    by     asked after         sent         held     finished   file",
        "half         FIN         500 ms      1,000 B      1,000 B     1 resume   right",
        "half         RST         500 ms      1,000 B          0 B     1 resume   not read back",
        "half         FIN         500 ms      1,000 B            –           no   –",
        "",
        "early refusal  a chunk of an upload that was aborted: 404 5.00 ms after 1000 B of 1.0 GiB",
        "paused chunk   512.0 KiB of 512.0 KiB held while the rest was still to come",
        "cut chunks     bytes of the cut chunk were held after 1 of 3 cuts",
        "",
        "A cut chunk's bytes are kept after 1 of 1 cuts by FIN and 0 of 1 cuts by RST; after the others it",
    ]


def test_what_went_wrong_stands_below_the_table_once_with_how_often() -> None:
    noted = aftermath(notes=("asked what it holds: 423 locked",))
    text = terminal_text(findings(noted, noted, notes=("reading back: GET was answered 405",)), colour=False)
    assert "\n      2 × asked what it holds: 423 locked\n" in text
    assert "\n          without a cut: reading back: GET was answered 405\n" in text


def test_whatever_a_server_says_no_line_is_too_long_and_no_escape_gets_through() -> None:
    evil = "\033[31m\n" + "long words " * 30 + "x" * 150
    found = findings(
        aftermath(notes=(evil,)), notes=(evil,), target_url=evil, buffering=Buffering(Refusal(note=evil), Midway())
    )
    text = terminal_text(found, colour=False)
    assert "\033" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_only_the_last_word_is_painted_and_only_on_a_terminal() -> None:
    good, bad = findings(KEPT), findings(aftermath(Kept.LESS))
    assert "\033[32mUploads\033[0m go on" in terminal_text(good, colour=True)
    assert "\033[31mAcknowledged\033[0m bytes were lost" in terminal_text(bad, colour=True)


def test_the_document_has_everything_in_bytes_and_seconds() -> None:
    found = document(findings(KEPT, aftermath(None, 0, finished=False, notes=("why",)), left_out=1))
    assert json.loads(json.dumps(found)) == found
    assert (found["schema_version"], found["protocol"], found["keeping"]) == (1, "tus", "all_bytes")
    assert (found["file_size_bytes"], found["chunk_size_bytes"], found["left_out"]) == (2621440, 1048576, 1)
    assert found["promise"] == {"resumes": True, "sequential": True, "keeps_a_cut_chunks_bytes": True}
    assert found["cuts"] == [
        {
            "point": "half", "ending": "fin", "pause_s": 0.5, "asked_s": 0.5, "sent_bytes": 1000, "held_bytes": 1000,
            "kept": "bytes", "finished": True, "resumes": 1, "file": "right", "notes": [],
        },
        {
            "point": "half", "ending": "fin", "pause_s": 0.5, "asked_s": 0.5, "sent_bytes": 1000, "held_bytes": None,
            "kept": None, "finished": False, "resumes": 1, "file": "right", "notes": ["why"],
        },
    ]  # fmt: skip
    assert found["buffering"]["verdict"] == "nothing_buffers"
    assert found["buffering"]["early_refusal"]["status"] == 404
    assert found["exit_code"] == 3
