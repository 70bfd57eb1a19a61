import random
from dataclasses import replace

import pytest

from tests.protocols.chunked_server import ChunkedServer, reply
from tests.transfer.lab import CUT, EXACT, TAKES_S, Lab, a_file
from upswarm.digests import digest_of, format_header
from upswarm.protocols.chunked import Chunked
from upswarm.transfer.chunks import Grid
from upswarm.transfer.dialect import Session
from upswarm.transfer.failures import Failure
from upswarm.transfer.records import End, Receipt

INIT = reply(201, {"upload_id": "u1", "chunk_size_bytes": 1000})
TAKEN = reply(204)
BUSY = reply(503)
DONE = reply(201, {"file_id": "f1", "size_bytes": 2500})
GONE = reply(410, {"code": "upload_expired"})
INCOMPLETE = reply(409, {"code": "upload_incomplete"})
TORN = reply(400, {"code": "chunk_torn"})


def holds(*indexes):
    return reply(200, {"received_chunks": [[index, index] for index in indexes]})


class Meddler:
    """A chunked server between which and the client somebody stands: `meddle` may replace an answer, or raise."""

    def __init__(self, meddle):
        self.server = ChunkedServer()
        self._meddle = meddle

    def __call__(self, request):
        return self._meddle(request, self.server(request))


def test_a_file_travels_in_its_chunks_and_its_bytes_arrive():
    server = ChunkedServer()
    lab = Lab(server)
    outcome = lab.upload()
    assert lab.steps == ["init", "chunk 0", "chunk 1", "chunk 2", "finalize"]
    assert server.file("u1") == b"".join(a_file().views(0, 2500))
    assert outcome == lab.notebook.outcomes[0]
    assert (outcome.end, outcome.receipt, outcome.resumes) == (End.FINISHED, Receipt("f-u1", 2500), 0)
    assert (outcome.file_name, outcome.size_bytes, outcome.failure) == ("a.bin", 2500, None)
    assert (outcome.due_s, outcome.ended_s, outcome.response_time_s) == (100, 100 + 5 * TAKES_S, 5 * TAKES_S)


def test_an_upload_that_begins_late_counts_from_when_it_was_due_and_so_does_its_first_request():
    lab = Lab(ChunkedServer())
    outcome = lab.uploader.upload(a_file(), due_s=97.0)
    assert (outcome.due_s, outcome.response_time_s) == (97.0, 3 + 5 * TAKES_S)
    response_times_s = [attempt.response_time_s for attempt in lab.notebook.attempts]
    assert response_times_s == [3 + TAKES_S, *[TAKES_S] * 4]
    assert {attempt.service_time_s for attempt in lab.notebook.attempts} == {TAKES_S}


def test_where_there_is_no_init_the_first_request_is_another_one():
    class NoInit(Chunked):
        def create(self, file, chunk_size_bytes):
            yield from ()
            return Session("u1", Grid(file.size_bytes, 1000))

    lab = Lab([TAKEN, TAKEN, TAKEN, DONE, reply(201, {"file_id": "f2", "size_bytes": 0})])
    for size_bytes in (2500, 0):
        replace(lab.uploader, protocol=NoInit("client-1")).upload(a_file(size_bytes), due_s=lab.clock.now() - 3)
    response_times_s = [attempt.response_time_s for attempt in lab.notebook.attempts]
    assert response_times_s == [3 + TAKES_S, TAKES_S, TAKES_S, TAKES_S, 3 + TAKES_S]


def test_an_upload_that_begins_late_and_fails_counts_from_when_it_was_due_too():
    lab = Lab([reply(401)])
    assert lab.uploader.upload(a_file(), due_s=97.0).response_time_s == 3 + TAKES_S


def test_an_empty_file_is_init_and_finalize():
    lab = Lab(ChunkedServer())
    assert lab.upload(size_bytes=0).end is End.FINISHED
    assert lab.steps == ["init", "finalize"]


@pytest.mark.parametrize("wish", [None, 700])
def test_the_chunk_size_is_a_wish_and_the_server_has_the_last_word(wish):
    lab = Lab(ChunkedServer(chunk_size_bytes=1250), chunk_size_bytes=wish)
    lab.upload()
    assert (b"chunk_size_bytes" in lab.transport.sent[0].body) == (wish is not None)
    assert lab.steps == ["init", "chunk 0", "chunk 1", "finalize"]


@pytest.mark.parametrize("algorithm", ["sha-256", "crc32c"])
def test_every_chunk_carries_its_digest_when_asked_to(algorithm):
    lab = Lab(ChunkedServer(), digest=algorithm)
    lab.upload()
    chunks = [sent for sent in lab.transport.sent if sent.request.phase == "chunk"]
    for sent in chunks:
        expected = format_header(algorithm, digest_of(algorithm, [sent.body]))
        assert sent.request.headers["Content-Digest"] == expected


def test_no_digest_is_sent_when_none_is_asked_for():
    lab = Lab(ChunkedServer())
    lab.upload()
    assert not any("Content-Digest" in sent.request.headers for sent in lab.transport.sent)


def test_a_busy_server_is_tried_until_no_attempt_is_left():
    lab = Lab([INIT, *[BUSY] * 4])
    outcome = lab.upload()
    assert (outcome.end, outcome.failure, outcome.message) == (
        End.FAILED,
        Failure.SERVER_ERROR,
        "503 expected status 204",
    )
    assert lab.steps == ["init", *["chunk 0"] * 4]
    assert lab.clock.slept_s == [1, 2, 4]


def test_an_init_that_never_succeeds_is_a_failed_upload_without_resumes():
    lab = Lab([CUT] * 4)
    outcome = lab.upload()
    assert (outcome.end, outcome.failure, outcome.resumes) == (End.FAILED, Failure.TORN, 0)


def test_a_cut_chunk_is_probed_before_it_is_sent_again():
    lab = Lab([INIT, TAKEN, CUT, holds(0), TAKEN, TAKEN, DONE])
    outcome = lab.upload()
    assert lab.steps == ["init", "chunk 0", "chunk 1", "probe", "chunk 1", "chunk 2", "finalize"]
    assert lab.clock.slept_s == [1]
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1)


def test_only_the_missing_chunks_are_sent_again_whichever_they_are():
    lab = Lab([INIT, TAKEN, TAKEN, CUT, holds(1), TAKEN, TAKEN, DONE])
    lab.upload()
    assert lab.steps[-4:] == ["probe", "chunk 0", "chunk 2", "finalize"]


def test_a_chunk_that_arrived_after_all_is_not_sent_again():
    lab = Lab([INIT, TAKEN, CUT, holds(0, 1), TAKEN, DONE])
    assert lab.upload().resumes == 1
    assert lab.steps == ["init", "chunk 0", "chunk 1", "probe", "chunk 2", "finalize"]


@pytest.mark.parametrize("failure", [CUT, TORN, reply(400, {"code": "digest_mismatch"})])
def test_a_chunk_that_did_not_arrive_whole_is_sent_again(failure):
    lab = Lab([INIT, failure, holds(), TAKEN, TAKEN, TAKEN, DONE])
    assert (lab.upload().end, lab.clock.slept_s) == (End.FINISHED, [1])


def test_a_probe_is_retried_itself():
    lab = Lab([INIT, CUT, BUSY, CUT, holds(0), TAKEN, TAKEN, DONE])
    outcome = lab.upload()
    assert lab.steps[2:5] == ["probe"] * 3
    assert (outcome.end, outcome.resumes, lab.clock.slept_s) == (End.FINISHED, 1, [1, 1, 2])


def test_an_incomplete_upload_is_probed_and_finished():
    lab = Lab([INIT, TAKEN, TAKEN, TAKEN, INCOMPLETE, holds(0, 2), TAKEN, DONE])
    outcome = lab.upload()
    assert lab.steps[4:] == ["finalize", "probe", "chunk 1", "finalize"]
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1)


def test_a_server_that_loses_bytes_forever_is_given_up():
    lab = Lab([INIT, *[TAKEN, TAKEN, TAKEN, INCOMPLETE, holds()] * 3, TAKEN, TAKEN, TAKEN, INCOMPLETE])
    outcome = lab.upload()
    assert (outcome.end, outcome.failure, outcome.resumes) == (End.FAILED, Failure.INCOMPLETE, 3)
    assert lab.clock.slept_s == [1, 2, 4]


def test_a_chunk_that_is_cut_every_time_is_given_up():
    lab = Lab([INIT, *[CUT, holds()] * 3, CUT])
    assert (lab.upload().failure, lab.steps.count("chunk 0")) == (Failure.TORN, 4)


def test_a_server_that_takes_and_loses_in_turn_is_given_up():
    """Chunk 0 arrives and is lost again, over and over: much is taken, and nothing is won."""
    lab = Lab([INIT, *[TAKEN, CUT, holds()] * 3, TAKEN, CUT])
    assert (lab.upload().failure, lab.steps.count("chunk 0")) == (Failure.TORN, 4)


def test_every_chunk_may_be_cut_as_long_as_each_resume_brings_the_file_further():
    cut_before = set()

    def cut_each_once(request, answer):
        if request.phase == "chunk" and request.path not in cut_before:
            cut_before.add(request.path)
            meddler.server.received["u1"].pop(int(request.path.rpartition("/")[2]))
            raise CUT
        return answer

    meddler = Meddler(cut_each_once)
    lab = Lab(meddler)
    outcome = lab.upload(size_bytes=9500)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 10)
    assert lab.clock.slept_s == [1] * 10


def test_answers_may_all_be_lost_as_long_as_the_chunks_arrive():
    """Only the probe sees that the file comes further; that is progress too."""

    def lose_the_answer(request, answer):
        if request.phase == "chunk":
            raise CUT
        return answer

    lab = Lab(Meddler(lose_the_answer))
    outcome = lab.upload(size_bytes=9500)
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 10)
    assert lab.clock.slept_s == [1] * 10


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(404, {"code": "upload_not_found"}), Failure.GONE),
        (reply(410, {"code": "upload_expired"}), Failure.GONE),
        (reply(413, {"code": "size_over_limit"}), Failure.TOO_LARGE),
        (reply(401), Failure.DENIED),
        (reply(422), Failure.REJECTED),
        (reply(302), Failure.BROKEN),
    ],
)
def test_what_no_probe_can_mend_fails_at_once(answer, kind):
    lab = Lab([INIT, TAKEN, answer])
    outcome = lab.upload()
    assert (outcome.end, outcome.failure, outcome.resumes) == (End.FAILED, kind, 0)
    assert lab.clock.slept_s == []
    assert lab.notebook.attempts[-1].failure is kind


def test_an_upload_that_is_gone_at_the_probe_begins_anew_from_its_first_byte():
    lab = Lab([INIT, TAKEN, CUT, GONE, INIT, TAKEN, TAKEN, TAKEN, DONE])
    outcome = lab.upload()
    assert lab.steps[2:6] == ["chunk 1", "probe", "init", "chunk 0"]
    assert (outcome.end, outcome.resumes, outcome.restarts) == (End.FINISHED, 0, 1)
    assert outcome.resent_bytes == 2000, "chunk 0, and chunk 1 that was cut after its last byte"


def test_a_server_that_forgets_every_upload_is_given_up_after_as_many_beginnings_as_there_are_attempts():
    lab = Lab([*[INIT, TAKEN, CUT, GONE] * 4])
    outcome = lab.upload()
    assert (outcome.end, outcome.failure, outcome.restarts) == (End.FAILED, Failure.GONE, 3)
    assert lab.steps.count("init") == 4


def test_a_beginning_anew_that_fails_has_failed():
    lab = Lab([INIT, CUT, GONE, reply(507)])
    assert (lab.upload().failure, lab.steps) == (Failure.FULL, ["init", "chunk 0", "probe", "init"])


@pytest.mark.parametrize("answer", [BUSY, reply(429), reply(416), CUT])
def test_a_probe_that_fails_may_be_made_again_later(answer):
    lab = Lab([INIT, CUT, answer, holds(0), TAKEN, TAKEN, DONE], retry=replace(EXACT, statuses=frozenset()))
    outcome = lab.upload()
    assert lab.steps[2:5] == ["probe", "probe", "chunk 1"]
    assert (outcome.end, outcome.resumes) == (End.FINISHED, 1)


def test_a_probe_that_always_fails_is_given_up():
    lab = Lab([INIT, CUT, *[BUSY] * 3], retry=replace(EXACT, statuses=frozenset()))
    outcome = lab.upload()
    assert (outcome.end, outcome.failure, outcome.resumes) == (End.FAILED, Failure.SERVER_ERROR, 0)
    assert (lab.steps.count("probe"), lab.clock.slept_s) == (3, [1, 2, 4])


@pytest.mark.parametrize("answer", [reply(401), reply(422), reply(302)])
def test_a_probe_that_is_refused_is_not_made_again(answer):
    lab = Lab([INIT, CUT, answer])
    assert (lab.upload().end, lab.steps) == (End.FAILED, ["init", "chunk 0", "probe"])


def test_a_receipt_for_another_size_is_no_receipt():
    lab = Lab([INIT, TAKEN, TAKEN, TAKEN, reply(201, {"file_id": "f1", "size_bytes": 2499})])
    outcome = lab.upload()
    assert (outcome.failure, outcome.receipt) == (Failure.BROKEN, None)
    assert outcome.message == "sent 2500 bytes, the server has 2499"


class Killed(BaseException):
    """As gevent's GreenletExit, which is no `Exception` either."""


def test_a_stopped_upload_is_aborted_and_told_and_the_stop_goes_on_its_way():
    lab = Lab([INIT, TAKEN, Killed(), reply(204)])
    with pytest.raises(Killed):
        lab.upload()
    assert lab.steps == ["init", "chunk 0", "chunk 1", "abort"]
    assert [attempt.failure for attempt in lab.notebook.attempts] == [None, None, Failure.STOPPED, None]
    (outcome,) = lab.notebook.outcomes
    assert (outcome.end, outcome.failure, outcome.receipt) == (End.STOPPED, None, None)


@pytest.mark.parametrize("answer", [CUT, BUSY, reply(404)])
def test_an_abort_that_fails_does_not_hide_the_stop(answer):
    lab = Lab([INIT, Killed(), answer])
    with pytest.raises(Killed):
        lab.upload()
    assert lab.steps == ["init", "chunk 0", "abort"]


def test_a_stop_before_there_is_an_upload_has_nothing_to_abort():
    lab = Lab([Killed()])
    with pytest.raises(Killed):
        lab.upload()
    assert lab.steps == ["init"]
    assert lab.notebook.outcomes[0].end is End.STOPPED


def test_a_stop_in_the_pause_before_a_resume_aborts_too():
    lab = Lab([INIT, CUT, TAKEN])

    def killed(seconds):
        raise Killed

    lab.clock.sleep = killed
    with pytest.raises(Killed):
        lab.upload()
    assert lab.steps == ["init", "chunk 0", "abort"]


def test_one_attempt_means_no_resume():
    lab = Lab([INIT, CUT], retry=replace(EXACT, attempts=1))
    assert (lab.upload().failure, lab.steps) == (Failure.TORN, ["init", "chunk 0"])


def test_uploads_follow_one_another_and_know_nothing_of_each_other():
    lab = Lab(ChunkedServer())
    outcomes = [lab.upload(), lab.upload(size_bytes=0), lab.upload()]
    assert [outcome.receipt.file_id for outcome in outcomes] == ["f-u1", "f-u2", "f-u3"]
    assert lab.notebook.outcomes == outcomes


@pytest.mark.parametrize("seed", range(20))
def test_whatever_goes_wrong_a_finished_upload_has_all_its_bytes_and_every_other_one_ends(seed):
    dice = random.Random(seed)

    def meddle(request, answer):
        chance = dice.random()
        if chance < 0.15:
            raise CUT
        if request.phase == "chunk" and chance < 0.3:
            meddler.server.received["u1"].pop(dice.randrange(8), None)
        return BUSY if 0.3 <= chance < 0.4 and request.phase != "init" else answer

    meddler = Meddler(meddle)
    outcome = Lab(meddler).upload(size_bytes=7800)
    if outcome.end is End.FINISHED:
        upload_id = outcome.receipt.file_id.removeprefix("f-")
        assert meddler.server.file(upload_id) == b"".join(a_file(7800).views(0, 7800))
    else:
        assert outcome.failure in {Failure.TORN, Failure.SERVER_ERROR, Failure.INCOMPLETE}
