"""What may be written in `UPSWARM_FAULTS`, and what is said of mistakes in it."""

from __future__ import annotations

import json
import random
import re
import statistics
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from upswarm_server.delays import Distribution, Exponential, Fixed, Lognormal, Uniform
from upswarm_server.fault_rules import (
    ANY,
    COMMON,
    CUTS,
    ENDS,
    KINDS,
    STATUSES,
    Cut,
    Delay,
    Fault,
    Rule,
    Status,
    read_rules,
)
from upswarm_server.phases import PHASES
from upswarm_server.settings import Settings, SettingsError

PAGE = (Path(__file__).parents[2] / "docs" / "server.md").read_text()
SECTION = PAGE.partition("## Faults on purpose")[2].partition("\n## ")[0]


def rule(**written: Any) -> dict[str, Any]:
    return {"phase": "chunk", "share": 0.5} | written


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"status": 503}, Status(503)),
        ({"status": 429, "retry_after_s": 0}, Status(429, 0)),
        ({"delay_s": 2}, Delay(Fixed(2), 60)),
        ({"delay_s": 300, "max_delay_s": 3600}, Delay(Fixed(300), 3600)),
        ({"delay_s": {"uniform": [0, 0.5]}}, Delay(Uniform(0, 0.5), 60)),
        ({"delay_s": {"exponential": 0.2}, "max_delay_s": 1}, Delay(Exponential(0.2), 1)),
        ({"delay_s": {"lognormal": {"median": 0.1, "sigma": 1}}}, Delay(Lognormal(0.1, 1), 60)),
        ({"cut": "request"}, Cut("request", 0.5, "reset")),
        ({"cut": "request", "body_share": "100%"}, Cut("request", 1.0)),
        ({"cut": "answer", "by": "close"}, Cut("answer", by="close")),
        ({"cut": "after_work"}, Cut("after_work")),
    ],
)
def test_every_kind_of_fault_can_be_written(written: dict[str, Any], fault: Fault) -> None:
    assert read_rules(json.dumps([rule(**written)])) == (Rule("chunk", 0.5, fault),)


@pytest.mark.parametrize(("share", "ratio"), [(0, 0), (1, 1), (0.05, 0.05), ("5%", 0.05)])
def test_a_share_is_written_as_anywhere_else(share: object, ratio: float) -> None:
    (read,) = read_rules(json.dumps([rule(share=share, status=500)]))
    assert read.share == pytest.approx(ratio)


@pytest.mark.parametrize("text", ["", "  ", "[]", " [] "])
def test_nothing_is_no_rule(text: str) -> None:
    assert read_rules(text) == ()


def test_any_concerns_every_phase_and_a_phase_only_itself() -> None:
    every, one = read_rules(json.dumps([rule(phase="any", status=500), rule(phase="probe", status=500)]))
    assert [every.concerns(phase) for phase in ("init", "probe")] == [True, True]
    assert [one.concerns(phase) for phase in ("init", "probe")] == [False, True]


WRONG_RULES = [
    (503, "expected an object, found 503"),
    (rule(phase="chunks", status=503), 'phase: expected one of init, chunk, probe, finalize, abort, inspect, any '
     '(did you mean "chunk"?), found \'chunks\''),
    ({"share": 1, "status": 503}, "phase: expected one of init, chunk, probe, finalize, abort, inspect, any, "
     "found none"),
    ({"phase": "any", "status": 503}, "share: expected a share such as 30% or 0.3, found none"),
    (rule(share=1.5, status=503), "share: expected a share such as 30% or 0.3, found 1.5"),
    (rule(share=-0.1, status=503), "share: expected a share such as 30% or 0.3, found -0.1"),
    (rule(share=True, status=503), "share: expected a share such as 30% or 0.3, found True"),
    (rule(share=float("nan"), status=503), "share: expected a share such as 30% or 0.3, found nan"),
    (rule(), "expected exactly one of status, delay_s, cut, found none"),
    (rule(status=503, cut="answer"), "expected exactly one of status, delay_s, cut, found status and cut"),
    (rule(status=404), "status: expected one of 429, 500, 502, 503, 504, found 404"),
    (rule(status="503"), 'status: expected one of 429, 500, 502, 503, 504 (did you mean "503"?), found \'503\''),
    (rule(status=503.0), "status: expected one of 429, 500, 502, 503, 504, found 503.0"),
    (rule(status=503, retry_after_s=0.5), "retry_after_s: expected whole seconds from 0 to 3600, found 0.5"),
    (rule(delay_s=1, retry_after_s=1), "retry_after_s: expected only beside status, found beside delay_s"),
    (rule(delay_s=-1), "delay_s: expected seconds from 0 to 60 (max_delay_s), or a distribution, found -1"),
    (rule(delay_s=61), "delay_s: expected seconds from 0 to 60 (max_delay_s), or a distribution, found 61"),
    (rule(delay_s=True), "delay_s: expected seconds from 0 to 60 (max_delay_s), or a distribution, found True"),
    (rule(delay_s=10**400), "delay_s: expected seconds from 0 to 60 (max_delay_s), or a distribution, found 1000"),
    (rule(delay_s="1s"), "delay_s: expected seconds from 0 to 60 (max_delay_s), or a distribution, found '1s'"),
    (rule(delay_s={"uniforn": [0, 1]}), 'delay_s: expected exactly one of uniform, exponential, lognormal '
     '(did you mean "uniform"?), found'),
    (rule(delay_s={}), "delay_s: expected exactly one of uniform, exponential, lognormal, found {}"),
    (rule(delay_s={"uniform": [2, 1]}), "delay_s: expected uniform with the least and the most seconds, "
     "from 0 to 60 (max_delay_s), found [2, 1]"),
    (rule(delay_s={"exponential": 0}), "delay_s: expected exponential with the mean in seconds, above 0 and up to 60"),
    (rule(delay_s={"lognormal": {"median": 1}}), "delay_s: expected lognormal with a median in seconds, above 0 and"),
    (rule(delay_s={"lognormal": {"median": 1, "sigma": 1, "mu": 1}}), "delay_s: expected lognormal with a median"),
    (rule(delay_s={"lognormal": {"median": 0, "sigma": 1}}), "delay_s: expected lognormal with a median"),
    (rule(delay_s=1, max_delay_s=3601), "max_delay_s: expected seconds from 0 to 3600, found 3601"),
    (rule(cut="anwser"), 'cut: expected one of request, answer, after_work (did you mean "answer"?), found \'anwser\''),
    (rule(cut="answer", body_share=0.5), "body_share: expected only beside cut 'request', found beside cut 'answer'"),
    (rule(cut="request", body_share=2), "body_share: expected a share such as 30% or 0.3, found 2"),
    (rule(cut="answer", by="fin"), "by: expected one of reset, close, found 'fin'"),
    (rule(status=503, shar=1), 'shar: expected a key that rules have, found another one (did you mean "share"?)'),
    (rule(status=503, zzz=1), "zzz: expected a key that rules have, found another one (known are phase, share, status"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "mistake"), WRONG_RULES)
def test_a_wrong_rule_is_named_with_its_key_and_with_what_was_expected_and_found(wrong: object, mistake: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"UPSWARM_FAULTS": json.dumps([rule(status=503), wrong])})
    first, line = str(caught.value).splitlines()
    assert first == "1 setting is wrong"
    assert line.startswith(f"  UPSWARM_FAULTS: rule 2: {mistake}")


def test_a_key_that_is_written_twice_is_not_quietly_the_last_one() -> None:
    with pytest.raises(ValueError, match=r"^rule 1: share: expected once, found several times$"):
        read_rules('[{"phase": "any", "share": 1, "share": 0, "status": 503}]')


def test_all_mistakes_are_named_at_once_also_those_of_other_settings() -> None:
    rules = [rule(phase="chunks", share=2, stats=503), "x", rule(cut="answer", by="fin", body_share=1)]
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"UPSWARM_FAULTS": json.dumps(rules), "UPSWARM_FAULTS_SEED": "-1"})
    first, *lines = str(caught.value).splitlines()
    assert first == "8 settings are wrong"
    assert [re.sub(": expected.*", "", line).removeprefix("  UPSWARM_") for line in lines] == [
        "FAULTS: rule 1: phase",
        "FAULTS: rule 1: share",
        "FAULTS: rule 1: stats",
        "FAULTS: rule 1",
        "FAULTS: rule 2",
        "FAULTS: rule 3: body_share",
        "FAULTS: rule 3: by",
        "FAULTS_SEED",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[{]", "expected a list of rules in JSON, found a mistake: Expecting property name"),
        ("[" * 100_000, "expected a list of rules in JSON, found a mistake: "),
        ("{}", "expected a list of rules in JSON, which begins with [, or the path of a file that holds one, "
         "found '{}': No such file or directory"),
        ("\0", "expected a list of rules in JSON, found a mistake: embedded null byte"),
    ],
)  # fmt: skip
def test_what_is_no_list_and_no_file_is_said(text: str, mistake: str) -> None:
    with pytest.raises(ValueError, match=re.escape(mistake)):
        read_rules(text)


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b"{}", "expected a list of rules in JSON, found {}"),
        (b"", "expected a list of rules in JSON, found a mistake: Expecting value"),
        (b"\xff", "expected a list of rules in JSON, found a mistake: 'utf-8' codec"),
        (b'[{"phase": "any"}]', "rule 1: share: expected"),
    ],
)
def test_mistakes_in_a_file_are_said_too(tmp_path: Path, content: bytes, mistake: str) -> None:
    path = tmp_path / "faults.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(mistake)):
        read_rules(str(path))


def test_wrong_rules_stop_the_start_with_one_readable_text(tmp_path: Path) -> None:
    rules = json.dumps([rule(status=418), rule(share="much", cut="off")])
    ended = subprocess.run(
        [sys.executable, "-m", "upswarm_server.serve"],
        env={"UPSWARM_DATA_DIR": str(tmp_path / "data"), "UPSWARM_PORT": "0", "UPSWARM_FAULTS": rules},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "upswarm-server: 3 settings are wrong",
        "  UPSWARM_FAULTS: rule 1: status: expected one of 429, 500, 502, 503, 504, found 418",
        "  UPSWARM_FAULTS: rule 2: share: expected a share such as 30% or 0.3, found 'much'",
        "  UPSWARM_FAULTS: rule 2: cut: expected one of request, answer, after_work, found 'off'",
    ]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("distribution", "median_s"),
    [
        (Fixed(0.3), 0.3),
        (Uniform(0.1, 0.5), 0.3),
        (Exponential(0.3), 0.208),
        (Lognormal(0.3, 1), 0.3),
    ],
)
def test_delays_are_distributed_as_written_and_never_longer_than_their_bound(
    distribution: Distribution, median_s: float
) -> None:
    dice = random.Random(1)
    drawn_s = [Delay(distribution, 0.5).drawn_s(dice) for _ in range(4000)]
    assert statistics.median(drawn_s) == pytest.approx(median_s, rel=0.05)
    assert 0 <= min(drawn_s) <= max(drawn_s) <= 0.5


def test_the_documented_example_is_loaded_as_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"^```json\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
    line = re.search(r"^\$ (.*) upswarm serve$", SECTION, re.MULTILINE)
    assert example
    assert line
    monkeypatch.chdir(tmp_path)
    Path("faults.json").write_text(example[1])
    settings = Settings.from_environ(dict(part.split("=") for part in line[1].split()))
    assert settings.faults_seed == 7
    assert [(each.phase, each.share, each.fault.kind) for each in settings.faults] == [
        ("any", 0.05, "delay"),
        ("chunk", 0.02, "status_503"),
        ("chunk", 0.01, "cut_request"),
        ("init", 0.01, "cut_answer"),
        ("finalize", 0.05, "cut_after_work"),
    ]
    assert settings.faults == read_rules(example[1])


def test_the_documented_table_has_every_key_word_and_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", SECTION, re.MULTILINE)
    values = {key: " ".join(value for name, value, _ in rows if name == key) for key, _, _ in rows}
    assert values.keys() == {*COMMON, *KINDS, *chain.from_iterable(KINDS.values())}
    assert re.findall(r"`(\w+)`", values["phase"]) == [*PHASES, ANY]
    assert re.findall(r'"(\w+)"', values["cut"]) == [*CUTS]
    assert re.findall(r'"(\w+)"', values["by"]) == [*ENDS]
    assert re.findall(r"\d+", values["status"]) == [str(status) for status in STATUSES]
    assert {key: default for key, _, default in rows if default} == {
        "phase": "needed",
        "share": "needed",
        "retry_after_s": "no header",
        "max_delay_s": "60",
        "body_share": "0.5",
        "by": '`"reset"`',
    }
    delay, cut = read_rules(json.dumps([rule(delay_s=1), rule(cut="request")]))
    assert (delay.fault, cut.fault) == (Delay(Fixed(1), 60), Cut("request", 0.5, "reset"))


@pytest.mark.parametrize(
    ("rules", "ended"),
    [
        ([rule(status=503)], (0, "", "")),
        ([rule(status=418)], (2, "rule 1: status: expected one of 429, 500, 502, 503, 504, found 418\n", "")),
    ],
)
def test_rules_can_be_checked_without_a_server(rules: list[Any], ended: tuple[int, str, str]) -> None:
    command = [sys.executable, "-m", "upswarm_server.fault_rules"]
    done = subprocess.run(command, input=json.dumps(rules), capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == ended
