"""The fields of Locust's form: what they wish, and what is said of what nobody can wish."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from upswarm.errors import UsageError
from upswarm.scenario.overrides import Overrides
from upswarm.swarm.options import AS_IN_THE_SCENARIO
from upswarm.swarm.web.formfields import Amount, Shown, changed, in_words_of_the_form, wishes
from upswarm.swarm.wishes import Wishes
from upswarm.workload.arrivals import Arrivals
from upswarm.workload.kinds import ClosedLoad, OpenLoad, Workload
from upswarm.workload.rates import Ramp, Rates
from upswarm.workload.stages import Stage, Stages

CLOSED = ClosedLoad(Stages((Stage(0, 4), Stage(10))))
OPEN = OpenLoad(Arrivals(Rates((Ramp(10, 5, 5),))), 7)
SHOWN = Shown(users=4, spawn_rate_per_s=1.0, target="embedded")
AS_SHOWN = {"user_count": "4", "spawn_rate": "1", "host": "embedded", "scenario": "smoke"}


def options(**others: Any) -> Any:
    values = {"scenario": "smoke", "reports": "reports", "num_users": 4, "spawn_rate": None, "rate": "", "digest": ""}
    return SimpleNamespace(**{**values, **others})


def wished(form: dict[str, str], workload: Workload = CLOSED, **others: Any) -> Wishes:
    return wishes({**AS_SHOWN, **form}, options(**others), SHOWN, workload)


@pytest.mark.parametrize("scenario", ["smoke", "steady"])
def test_a_form_as_it_was_shown_leaves_everything_to_whichever_scenario_is_chosen(scenario: str) -> None:
    empty = {"rate": "", "run_time": "", "protocol": AS_IN_THE_SCENARIO, "digest": AS_IN_THE_SCENARIO, "chunk_size": ""}
    assert wished({"scenario": scenario, **empty}) == Wishes(scenario, Path("reports"))


def test_a_form_without_fields_is_the_form_as_it_is_shown() -> None:
    assert wishes({}, options(), SHOWN, CLOSED) == Wishes("smoke", Path("reports"))


@pytest.mark.parametrize(
    ("form", "users", "spawn_rate_per_s"),
    [
        ({"user_count": "9"}, 9, 1.0),
        ({"user_count": "9", "spawn_rate": "2.5"}, 9, 2.5),
        ({"spawn_rate": "3"}, None, 3.0),
    ],
)
def test_users_and_spawn_rate_are_wished_where_they_were_changed(
    form: dict[str, str], users: int | None, spawn_rate_per_s: float
) -> None:
    wish = wished(form)
    assert (wish.users, wish.spawn_rate_per_s) == (users, spawn_rate_per_s)


def test_what_the_command_line_gave_is_wished_as_it_stands() -> None:
    wish = wishes(AS_SHOWN, options(), Shown(target="embedded"), CLOSED)
    assert (wish.users, wish.spawn_rate_per_s) == (4, 1.0)


def test_users_of_an_earlier_run_are_no_wish_where_uploads_arrive() -> None:
    earlier = {"num_users": 9, "spawn_rate": 2.0}
    form = {"user_count": "9", "spawn_rate": "2"}
    assert wished(form, OPEN, **earlier).users is None
    assert wished({**form, "rate": "5/s"}, **earlier).users is None
    assert wished(form, **earlier).users == 9
    assert wished({**form, "user_count": "8"}, OPEN, **earlier).users == 8  # and is refused later


def test_all_other_fields_are_read() -> None:
    wish = wished(
        {"host": "http://h:1", "run_time": "1h2m3s", "rate": " 5/s ", "content": "random", "chunk_size": "1MiB"}
    )
    assert (wish.target, wish.duration_s, wish.rate) == ("http://h:1", 3723, "5/s")
    assert wish.overrides == Overrides(content="random", chunk_size="1MiB")


@pytest.mark.parametrize(("text", "seconds"), [("20", 20), ("20s", 20), ("3m", 180), ("2h", 7200), ("1h20m", 4800)])
def test_a_run_time_is_written_as_for_locust(text: str, seconds: int) -> None:
    assert wished({"run_time": text}).duration_s == seconds


@pytest.mark.parametrize(
    ("field", "texts", "name"),
    [
        ("user_count", ("x", "0", "-1", "2.5", "1e3", "9" * 5000), "Number of users: expected a whole number from 1"),
        ("spawn_rate", ("x", "0", "-1", "nan", "inf", "1e9"), "Ramp up: expected a number above 0"),
        ("run_time", ("soon", "0", "-3", "0h0m", "9" * 5000, "10000h", "1.5m"), "Run time: expected from 1s to 30"),
    ],
)
def test_a_number_that_is_none_is_refused_by_the_name_of_its_field(
    field: str, texts: tuple[str, ...], name: str
) -> None:
    for text in texts:
        with pytest.raises(UsageError) as raised:
            wished({field: text})
        assert str(raised.value).startswith(name)
        assert len(str(raised.value)) < 200


def test_all_such_mistakes_are_said_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        Amount.read({"user_count": "x", "spawn_rate": "nan", "run_time": "0"}, options())
    assert [line.partition(":")[0] for line in str(raised.value).splitlines()] == [
        "Number of users", "Ramp up", "Run time",
    ]  # fmt: skip


def test_an_edit_knows_what_it_would_change() -> None:
    assert Amount.read({"user_count": "4", "spawn_rate": "1"}, options()).is_shown_by(options())
    assert not Amount.read({"user_count": "5", "spawn_rate": "1"}, options()).is_shown_by(options())
    assert changed({"scenario": "smoke", "digest": "", "user_count": "9"}, options()) == []
    assert changed({"scenario": "steady", "digest": "sha256"}, options()) == ["scenario", "digest"]


def test_a_message_is_one_line_and_has_the_names_of_the_form() -> None:
    message = "--chunk-size: expected a size\n--rate: expected a rate\n  give --digest too, or --target"
    assert in_words_of_the_form(message) == (
        "Chunk Size: expected a size; Rate: expected a rate; give Digest too, or --target"
    )
    unreachable = "no answer; start it, or give another --target (--host with locust)"
    assert in_words_of_the_form(unreachable) == "no answer; start it, or give another Host"


def test_the_run_to_compare_with_is_a_field_too():
    assert wished({"baseline": " reports/before "}).baseline == "reports/before"
    assert wished({"baseline": ""}).baseline == wished({}).baseline == ""
