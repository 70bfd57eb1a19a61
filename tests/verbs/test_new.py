"""`upswarm new`: flags and answers become a scenario that can be run, or nothing at all."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verbs.terminal import upswarm
from upswarm import resources
from upswarm.cli import cli
from upswarm.errors import UpswarmError
from upswarm.scenario.loader import load
from upswarm.scenario.model import Scenario
from upswarm.scenario.urls import EMBEDDED

URL = "http://127.0.0.1:1080/files"
FLAGS = {
    "--target": [EMBEDDED, URL, "h:80"],
    "--protocol": ["chunked", "tus", "s3", "put", "tuss"],
    "--auth": ["none", "bearer", "header:X-Key:KEY", "sigv4", "azure_shared_key", "bearer:secret"],
    "--content": ["random", "compressible", "dedup:4", f"corpus:{Path(__file__).parent}", "corpus"],
    "--size": ["0", "16MiB", "1MiB-64MiB", "2MiB-1MiB"],
    "--users": ["1", "12", "0"],
    "--rate": ["5/s", "1/m", "5"],
    "--uploads": ["1", "100", "-1"],
    "--duration": ["1s", "5m", "5"],
    "--chunk-size": ["server", "8MiB", "0"],
    "--threshold": ["upload.failed count == 0", "goodput mean > 10MiB/s", "goodput"],
}
VARIABLES = {"UPLOAD_TOKEN": "x", "KEY": "x", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
             "AZURE_STORAGE_ACCOUNT": "x", "AZURE_STORAGE_KEY": "bm9uZQ=="}  # fmt: skip


def new(*arguments: str) -> tuple[int, str]:
    """The exit code and what is said, where nobody can be asked."""
    result = CliRunner().invoke(cli, ["new", *arguments])
    if isinstance(result.exception, UpswarmError):
        return result.exception.exit_code, str(result.exception)
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_flags_and_without_a_terminal_a_usual_scenario_is_written(folder: Path) -> None:
    code, said = new()
    assert code == 0
    assert said.startswith("my-upload.yaml is a valid scenario\ntarget    embedded, protocol chunked\nfor       30.0 s")
    assert said.endswith("\nnext:\n  upswarm run my-upload.yaml\n")
    assert CliRunner().invoke(cli, ["check", "my-upload.yaml"]).output == said.partition("\n\nnext:")[0] + "\n"
    assert [path.name for path in folder.iterdir()] == ["my-upload.yaml"]


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(list(FLAGS)), st.integers(0, 9), max_size=6))
def test_flags_make_a_scenario_that_can_be_run_or_are_told_what_was_expected(choices: dict[str, int]) -> None:
    flags = [word for flag, choice in choices.items() for word in (flag, FLAGS[flag][choice % len(FLAGS[flag])])]
    with tempfile.TemporaryDirectory() as folder:
        code, said = new("mine", "--output", folder, *flags)
        path = Path(folder, "mine.yaml")
        if code == 0:
            with mock.patch.dict("os.environ", VARIABLES):
                assert CliRunner().invoke(cli, ["check", str(path)]).output == said.partition("\n\nnext:")[0] + "\n"
        else:
            assert (code, "expected " in said, path.exists()) == (2, True, False), said


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_that_can_t_be_used_is_named(flag: str) -> None:
    code, said = new("--target", URL, flag, FLAGS[flag][-1])
    assert code == 2
    assert f"Invalid value for {flag}: expected " in said


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--users", "1", "--rate", "1/s"], "expected one of --users, --rate, found them together"),
        (["--rate", "1/s", "--uploads", "1"], "expected one of --rate, --uploads, found them together"),
        (["--uploads", "1", "--duration", "5s"], "expected --uploads or --duration, found them together"),
        (["--target", URL, "--protocol", "put", "--chunk-size", "1MiB"], "expected no --chunk-size, for put sends"),
        (["--protocol", "s3"], "expected chunked or tus, which is what the embedded server speaks, or another target"),
    ],
)
def test_flags_that_contradict_each_other_are_told_so(flags: list[str], message: str, folder: Path) -> None:
    code, said = new(*flags)
    assert code == 2
    assert message in said
    assert list(folder.iterdir()) == []


def test_a_low_rate_gets_a_time_in_which_somebody_arrives() -> None:
    code, said = new("--rate", "1/m")
    assert code == 0, said
    assert "for       10 m 00 s" in said
    code, said = new("short", "--rate", "1/h", "--duration", "59m")
    assert code == 2
    assert "expected a duration in which somebody arrives at 1/h, found '59m'" in said


def test_a_file_s_name_that_names_no_scenario_is_said_to_be_none() -> None:
    code, said = new("--output", "a b.yaml")
    assert code == 2
    assert "Invalid value for NAME: expected a name of letters" in said


def test_uploads_may_be_shared_by_users() -> None:
    new("mine", "--uploads", "100", "--users", "7")
    iterations = load(Path("mine.yaml")).workload.iterations
    assert iterations is not None
    assert (iterations.count, iterations.users) == (100, 7)


def test_a_file_that_is_there_is_kept_unless_force_is_given() -> None:
    path = Path("mine.yaml")
    path.write_text("mine\n")
    code, said = new("mine")
    assert (code, said.partition("\n")[0]) == (2, "mine.yaml is there already")
    assert path.read_text() == "mine\n"
    assert new("mine", "--force")[0] == 0
    assert load(path).name == "mine"


@pytest.mark.parametrize(
    ("output", "path", "name"),
    [("there", "there/my-upload.yaml", "my-upload"), ("there/", "there/my-upload.yaml", "my-upload"),
     ("there/other.yaml", "there/other.yaml", "other"), ("a b.yaml", "a b.yaml", "my-upload")],
)  # fmt: skip
def test_it_is_written_where_it_shall_be(output: str, path: str, name: str) -> None:
    Path("there").mkdir()
    code, said = new("--output", output) if name != "my-upload" else new("my-upload", "--output", output)
    assert code == 0, said
    assert load(Path(path)).name == name
    assert said.endswith(f"  upswarm run '{path}'\n" if " " in path else f"  upswarm run {path}\n")


@pytest.mark.parametrize("output", ["nowhere/x.yaml", "nowhere/"])
def test_a_folder_that_is_not_there_is_said_to_be(output: str) -> None:
    code, said = new("--output", output)
    assert (code, said.partition("\n")[0]) == (2, "expected a folder at nowhere, found none")


def test_a_corpus_is_found_from_the_scenario(folder: Path) -> None:
    (folder / "samples").mkdir()
    (folder / "samples" / "one").write_text("1")
    (folder / "there").mkdir()
    assert new("mine", "--output", "there", "--content", "corpus:samples")[0] == 0
    content = load(Path("there/mine.yaml")).files[0].content
    assert content.own_sizes() == (1,)
    assert "path: ../samples" in Path("there/mine.yaml").read_text()


def test_editors_find_the_schema(folder: Path) -> None:
    new("mine")
    schema = (resources.folder("scenarios") / "scenario.schema.json").absolute()
    assert Path("mine.yaml").read_text().startswith(f"# yaml-language-server: $schema={schema.as_uri()}\n")


def test_variables_that_are_not_set_are_asked_for_and_those_that_are_stay_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEY_ID", "hunter2")
    code, said = new("mine", "--target", URL, "--protocol", "s3", "--auth", "sigv4:KEY_ID:KEY_SECRET")
    assert code == 0
    assert "\nnext:\n  export KEY_SECRET=…\n  upswarm run mine.yaml\n" in said
    assert "hunter2" not in said + Path("mine.yaml").read_text()


@pytest.mark.parametrize(("protocol", "kind"), [("s3", "sigv4"), ("azure", "azure_sas"), ("gcs", "bearer")])
def test_a_protocol_brings_its_usual_credentials(protocol: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_SAS", "UPLOAD_TOKEN"):
        monkeypatch.setenv(name, "x")
    new("mine", "--target", URL, "--protocol", protocol)
    auth = load(Path("mine.yaml")).target.auth
    assert auth is not None
    assert auth.model_fields_set == {kind}


def test_a_terminal_is_asked_and_asked_again(folder: Path) -> None:
    with upswarm(folder, "new", "--size", "1MiB-4MiB") as terminal:
        terminal.answer("A name for it [my-upload]: ", "an evening", "evening")
        terminal.answer("The server's URL, or `embedded` [embedded]: ", "h:80", URL)
        terminal.answer("What it speaks [chunked]: ", "tuss", "tus")
        terminal.answer("Credentials, by the names of the variables that hold them [none]: ", "token", "bearer:KEY")
        terminal.answer("What files are made of [sparse]: ", "random")
        terminal.answer("How much: users, a rate or uploads, such as 4, 2/s or `100 uploads` [4]: ", "")
        terminal.answer("For how long [30s]: ", "10", "10s")
        terminal.answer("The size of chunks, or `server` [server]: ", "1MiB")
        terminal.answer("What must hold [upload.failed count == 0]: ", "")
        terminal.answer("And what else (Enter ends the list): ", "goodput", "goodput mean > 1MiB/s", "")
        terminal.await_text("evening.yaml is a valid scenario")
        terminal.await_text("export KEY=…")
        assert terminal.end() == 0
    assert "Error: expected `embedded` or a URL such as http://127.0.0.1:8000, found 'h:80'" in terminal.seen
    assert "rufh     Resumable Uploads for HTTP, an IETF draft" in terminal.seen
    with mock.patch.dict("os.environ", KEY="hunter2"):
        assert_as_answered(load(folder / "evening.yaml"))


def assert_as_answered(scenario: Scenario) -> None:
    document = scenario.resolved()
    assert document["target"] == {"url": URL, "protocol": "tus", "auth": {"bearer": "**********"}}
    (files,) = document["files"]
    assert (files["size"], files["content"]) == ({"uniform": ["1MiB", "4MiB"]}, "random")
    assert document["transfer"]["chunk_size"] == "1MiB"
    assert document["workload"]["users"]["stages"] == [{"to": 4, "over": "1s"}, {"hold": "9s"}]
    assert scenario.thresholds == ("upload.failed count == 0", "goodput mean > 1MiB/s")


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_who_gives_up_leaves_nothing_behind(folder: Path, key: str) -> None:
    with upswarm(folder, "new", "evening") as terminal:
        terminal.answer("The server's URL, or `embedded` [embedded]: ", "")
        terminal.await_text("What it speaks [chunked]: ")
        terminal.insist(key, "nothing was written")
        assert terminal.end() == 2
    assert list(folder.iterdir()) == []


def test_with_yes_a_terminal_is_not_asked(folder: Path) -> None:
    with upswarm(folder, "new", "--yes") as terminal:
        assert terminal.end() == 0
    assert load(folder / "my-upload.yaml").target.url == EMBEDDED
