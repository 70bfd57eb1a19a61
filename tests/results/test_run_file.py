import json
from dataclasses import replace

import pytest

from tests.results.samples import attempt, failed, finished, measured
from upswarm.errors import UsageError
from upswarm.results.audit_record import AuditRecord, Fate
from upswarm.results.measurements import Measurements
from upswarm.results.run_file import RUN_FILE, SCHEMA_VERSION, Machine, Run, WorkerRecord
from upswarm.results.thresholds import Verdict

HELD, BROKEN = Verdict("a count < 1", True, "0"), Verdict("b count < 1", False, "7")


@pytest.fixture
def run():
    return Run(
        run_id="2026-01-02-smoke", scenario={"name": "smoke"}, target="http://127.0.0.1:8000",
        started_at="2026-01-02T03:04:05Z", elapsed_s=12.345678, planned_s=12.0, peak_users=5,
        measurements=measured([(attempt(), 0), (finished(), 1), (failed(), 2)]), verdicts=(HELD,),
        workers=(WorkerRecord("w1", "host"), WorkerRecord("w2", "host", lost=True)),
        machine=Machine("host", "Linux", 2, "3.11", "0.1.0", "2.47"),
    )  # fmt: skip


def comparable(run):
    return replace(run, measurements=None), run.measurements.to_document()


def test_a_run_that_was_saved_is_loaded_as_it_was(run, tmp_path):
    path = run.save(tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / RUN_FILE
    assert comparable(Run.load(path)) == comparable(Run.load(path.parent)) == comparable(run)


def test_a_file_of_before_containers_were_known_is_read_and_says_nothing_of_one(run, tmp_path):
    path = run.save(tmp_path)
    document = json.loads(path.read_text())
    for about, keys in (
        (document["machine"], ("usable_cpus", "memory_limit_bytes")),
        (
            document["workers"][0]["health"],
            ("usable_cpus", "throttled_ratio", "memory_limit_bytes", "memory_used_ratio"),
        ),
    ):
        for key in keys:
            del about[key]
    path.write_text(json.dumps(document))
    assert comparable(Run.load(path)) == comparable(run)
    assert Run.load(path).machine.cpus_story == "2"


def test_a_container_with_a_quota_has_some_of_the_cpus_of_its_machine(run):
    assert replace(run.machine, cpus=64, usable_cpus=0.5).cpus_story == "0.5 of 64"
    assert replace(run.machine, cpus=64, usable_cpus=64.0).cpus_story == "64"


def test_saving_again_gives_the_same_bytes(run, tmp_path):
    first = run.save(tmp_path / "1").read_bytes()
    assert Run.load(tmp_path / "1").save(tmp_path / "2").read_bytes() == first


def test_saving_replaces_and_leaves_nothing_beside_it(run, tmp_path):
    run.save(tmp_path)
    replace(run, peak_users=9).save(tmp_path)
    assert Run.load(tmp_path).peak_users == 9
    assert [path.name for path in tmp_path.iterdir()] == [RUN_FILE]


def test_a_save_that_fails_leaves_the_old_file_whole(run, tmp_path):
    run.save(tmp_path)
    with pytest.raises(TypeError):
        replace(run, scenario={"not": object()}).save(tmp_path)
    assert comparable(Run.load(tmp_path)) == comparable(run)


@pytest.mark.parametrize(
    ("verdicts", "faults", "exit_code"),
    [
        ((), (), 0),
        ((HELD,), (), 0),
        ((HELD, BROKEN), (), 3),
        ((HELD,), ("a worker was lost",), 5),
        ((BROKEN,), ("x",), 5),
    ],
)
def test_the_exit_code_is_the_verdict(run, tmp_path, verdicts, faults, exit_code):
    judged = replace(run, verdicts=verdicts, generator_faults=faults)
    assert judged.exit_code == exit_code
    assert json.loads(judged.save(tmp_path).read_text())["exit_code"] == exit_code


def test_the_summary_is_over_the_time_that_the_run_really_took(run):
    assert (run.summary.elapsed_s, run.summary.measurements) == (12.345678, run.measurements)


def test_bytes_that_are_lost_are_lost_whatever_else_went_wrong(run):
    broken = AuditRecord(2, 2, ("digest",), {Fate.INTACT: 1, Fate.CORRUPT: 1})
    orphaned = AuditRecord(2, 2, ("digest",), {Fate.INTACT: 2, Fate.ORPHANED: 1})
    fault = ("a worker was lost",)
    assert replace(run, audit=broken, generator_faults=()).exit_code == 4
    assert replace(run, audit=broken, generator_faults=fault).exit_code == 4
    assert replace(run, audit=orphaned, generator_faults=fault).exit_code == 5
    assert replace(run, audit=orphaned, generator_faults=(), verdicts=()).exit_code == 0


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1, "1", None])
def test_another_version_is_refused_with_both_numbers(tmp_path, version):
    (tmp_path / RUN_FILE).write_text(json.dumps({"schema_version": version}))
    with pytest.raises(
        UsageError, match=f"has schema version {version}, this upswarm reads versions 1 to {SCHEMA_VERSION}"
    ):
        Run.load(tmp_path)


@pytest.mark.parametrize("text", ["", "not json", "[]", "7", "null", "{}", '{"name": "smoke"}', "\x00"])
def test_what_is_no_run_file_is_refused_with_its_path(tmp_path, text):
    path = tmp_path / RUN_FILE
    path.write_text(text)
    with pytest.raises(UsageError, match=r"expected a run file, found .*run\.json"):
        Run.load(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "other.json"):
        with pytest.raises(UsageError, match="expected a run file, found nothing at "):
            Run.load(path)


def test_a_torn_file_is_refused_wherever_it_is_torn(run, tmp_path):
    path = run.save(tmp_path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError, match="expected a run file"):
            Run.load(path)


@pytest.mark.parametrize(
    "key", ["run_id", "elapsed_s", "scenario", "measurements", "verdicts", "workers", "machine", "generator_faults"]
)
def test_a_file_in_which_a_part_is_missing_or_mangled_is_refused(run, tmp_path, key):
    path = run.save(tmp_path)
    document = json.loads(path.read_text())
    wrong = "7" if key == "elapsed_s" else 7
    for mangled in ({name: value for name, value in document.items() if name != key}, {**document, key: wrong}):
        path.write_text(json.dumps(mangled))
        with pytest.raises(UsageError, match="expected a run file"):
            Run.load(path)


def test_a_count_that_is_none_is_refused(run, tmp_path):
    path = run.save(tmp_path)
    document = json.loads(path.read_text())
    document["measurements"]["uploads"]["finished"] = "many"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="expected a whole number as finished, found 'many'"):
        Run.load(path)


def test_a_mangled_histogram_is_refused(run, tmp_path):
    path = run.save(tmp_path)
    for text in ("not base64!", "AAAA", "HISTFAAAAB"):
        document = json.loads(path.read_text())
        document["measurements"]["uploads"]["response_time"] = text
        path.write_text(json.dumps(document))
        with pytest.raises(UsageError, match="expected a run file"):
            Run.load(path)


def test_an_empty_run_can_be_kept(run, tmp_path):
    empty = replace(run, measurements=Measurements(), verdicts=(), workers=())
    empty.save(tmp_path)
    assert comparable(Run.load(tmp_path)) == comparable(empty)
