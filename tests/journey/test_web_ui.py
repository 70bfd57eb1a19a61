"""Locust's web UI: the form offers the scenarios, Start is checked, and a run leaves its report."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.journey.runs import PATIENCE_S, Workshop, await_line, family, free_port


class Page:
    """The web UI, as its own page speaks to it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def text(self, path: str = "/") -> str:
        with urlopen(self._url + path, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def start(self, **fields: str) -> dict[str, object]:
        form = urlencode({"user_count": "3", "spawn_rate": "1", **fields}).encode()
        with urlopen(self._url + "/swarm", data=form, timeout=PATIENCE_S) as answer:
            return dict(json.load(answer))

    def stop(self) -> None:
        with urlopen(self._url + "/stop", data=b"", timeout=PATIENCE_S):
            pass

    def statistics(self) -> dict[str, dict[str, float]]:
        stats = json.loads(self.text("/stats/requests"))
        return {row["name"]: row for row in stats["stats"]}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


@pytest.fixture
def page(workshop: Workshop) -> Iterator[Page]:
    port = free_port()
    process = workshop.locust("--web-host", "127.0.0.1", "--web-port", str(port), "--scenario", workshop.scenario())
    with family(process):
        page = Page(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                page.text()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        page.process = process  # type: ignore[attr-defined]
        yield page


def test_the_form_offers_the_scenarios_and_shows_the_users_and_the_target(page: Page) -> None:
    html = page.text()
    assert '"smoke"' in html
    assert "journey.yaml" in html
    assert '"num_users": 3' in html
    assert '"host": "embedded"' in html


def test_a_mistake_in_the_form_is_a_sentence_and_no_run(page: Page, workshop: Workshop) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for fields, message in (
        ({"host": url}, f"no answer from the target {url}: Connection refused"),
        ({"scenario": "smokey"}, "expected a scenario ("),
        ({"user_count": "0"}, "expected at least one user"),
        ({"run_time": "soon"}, "expected users and rate as numbers and a run time such as 30s"),
    ):
        answer = page.start(**fields)
        assert answer["success"] is False
        assert str(answer["message"]).startswith(message)
    assert not list(workshop.reports.glob("*/*"))


def test_runs_can_be_started_stopped_and_started_again(page: Page, workshop: Workshop) -> None:
    scenario = workshop.scenario(hold="60s")
    for users in ("3", "2"):  # as the form shows them, and changed
        assert page.start(scenario=scenario, user_count=users)["success"] is True
        assert page.start(scenario=scenario)["message"] == "a run is going on\n  stop it first, then start the next one"
        await_line(page.process.stdout, "00:02/")  # type: ignore[attr-defined]
        assert {"init", "chunk", "finalize", "upload"} <= page.statistics().keys()
        page.stop()
        await_line(page.process.stdout, "report    ")  # type: ignore[attr-defined]
    first, second = sorted(workshop.reports.iterdir())
    assert json.loads((first / "run.json").read_text())["peak_users"] == 3
    assert json.loads((second / "run.json").read_text())["peak_users"] == 2


def test_locusts_statistics_are_ours(page: Page, workshop: Workshop) -> None:
    page.start(scenario=workshop.scenario())
    await_line(page.process.stdout, "report    ")  # type: ignore[attr-defined]
    run, statistics = workshop.run(), page.statistics()
    for phase, tally in run.measurements.phases.items():
        if tally.attempts:
            assert statistics[phase]["num_requests"] == tally.attempts
    assert statistics["upload"]["num_requests"] == run.measurements.uploads.finished
