"""Our pages under Locust's web server, over HTTP: before, during and after a run, and who may see them."""

from __future__ import annotations

import csv
import io
import json
import ssl
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, build_opener, urlopen

import pytest
import trustme

from tests.journey.page import Page, open_page
from tests.journey.runs import PATIENCE_S, UNDER_WAY, Workshop, family, free_port
from tests.servers import wait_for
from upswarm.reports.live.tabs import TABS
from upswarm.results.histogram import Histogram

OURS = ("/uploads", "/uploads/live", "/uploads/files/live.js", "/uploads/runs/x/run.json")
LOGIN = Path(__file__).parents[1] / "browser" / "login.py"
FILES = ("report.html", "run.json", "phases.csv", "series.csv")
PLAIN = ("summary.md", "junit.xml")
COUNTED = (
    "name: counted\nfiles: [{size: {uniform: [0B, 300KiB]}}]\ntransfer: {chunk_size: 64KiB}\n"
    "workload: {iterations: {count: 400, users: 4}}\n"
)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, LOGIN_PASSWORD="open sesame")


@pytest.fixture
def page(workshop: Workshop) -> Iterator[Page]:
    with open_page(workshop, "--scenario", workshop.scenario()) as page:
        yield page


def live(page: Page, query: str = "") -> dict[str, Any]:
    return dict(json.loads(page.text(f"/uploads/live{query}")))


def refusal(page: Page, path: str) -> int:
    with pytest.raises(HTTPError) as refused:
        page.text(path)
    with refused.value as answer:
        return answer.code


def test_before_a_run_there_are_pages_and_no_numbers(page: Page) -> None:
    html, known = page.text("/uploads"), live(page)
    assert 'id="chart-throughput"' in html
    assert (known["state"], known["runs"], known["series"]["points"]) == ("none", [], [])
    shown = page.text()
    assert all(f'"title": "{title}"' in shown for title in TABS.values())
    assert 'href="./uploads"' in shown


def test_while_a_run_goes_on_and_when_it_has_ended_it_is_shown(page: Page, workshop: Workshop) -> None:
    page.start(scenario=workshop.scenario(hold="4s"))
    page.await_output(UNDER_WAY)
    during = live(page)
    assert during["state"] == "running"
    assert during["run"]["target"].startswith("http://127.0.0.1:")
    assert {row["name"] for row in during["phases"]} >= {"chunk", "upload"}
    assert max(value for _, value in during["in_flight"]) in range(1, 4)
    assert during["thresholds"][0]["standing"] == "holds so far"
    assert [worker["state"].split(",")[0] for worker in during["workers"]] == ["uploading"]
    page.await_stop()
    run, after = workshop.run(), live(page, "?phase=upload")
    assert after["run"]["conclusion"]["word"] == "passed"
    assert [row["run_id"] for row in after["runs"]] == [run.run_id]
    finished = {row["key"]: row["whole"] for row in after["figures"]}["finished"]
    assert int(finished.replace(",", "")) == run.measurements.uploads.finished
    assert any(point["times_s"] for point in after["series"]["points"])


def test_the_tabs_in_locusts_page_have_rows(page: Page, workshop: Workshop) -> None:
    page.start(scenario=workshop.scenario(hold="1s"))
    page.await_stop()
    tables = {table["key"]: table["data"] for table in json.loads(page.text("/stats/requests"))["extended_stats"]}
    phases = {row["phase"]: row for row in tables["upload_phases"]}
    assert tables.keys() == TABS.keys()
    assert phases["upload"]["count"] == workshop.run().measurements.uploads.finished
    assert tables["uploads"][-1]["what"] == "verdict"
    again = json.loads(page.text("/stats/requests"))["extended_stats"]
    assert [table["key"] for table in again] == list(TABS)


def test_what_a_run_has_left_can_be_downloaded_and_nothing_else(page: Page, workshop: Workshop) -> None:
    scenario = workshop.scenario(hold="1s")
    for _ in range(2):
        page.start(scenario=scenario)
        page.await_stop()
    newest, oldest = (row["run_id"] for row in live(page)["runs"])
    for run_id in (newest, oldest):
        folder = workshop.reports / run_id
        report, run_json, phases, series = (page.text(f"/uploads/runs/{run_id}/{name}") for name in FILES)
        assert report == (folder / "report.html").read_text()
        assert json.loads(run_json)["run_id"] == run_id
        assert [row["phase"] for row in csv.DictReader(io.StringIO(phases))] == ["init", "chunk", "finalize", "upload"]
        assert series.startswith("second,")
        for name in PLAIN:
            assert page.text(f"/uploads/runs/{run_id}/{name}") == (folder / name).read_text()
    assert newest > oldest
    outside = f"..%2f..%2f{Path(scenario).name}"
    for path in (
        outside,
        "../../journey.yaml",
        "%2e%2e/journey.yaml",
        f"{newest}/..%2f..%2fjourney.yaml",
        f"{newest}/x",
    ):
        assert refusal(page, f"/uploads/runs/{path}") == 404
    for path in ("journey/run.json", "x/phases.csv"):
        assert refusal(page, f"/uploads/runs/{path}") == 404
    assert refusal(page, "/uploads/files/page.html") == 404
    assert refusal(page, "/uploads/live?phase=x") == 400
    (workshop.reports / oldest / "run.json").unlink()
    assert refusal(page, f"/uploads/runs/{oldest}/phases.csv") == 404


def test_a_file_is_sent_so_that_it_can_do_no_harm(page: Page, workshop: Workshop) -> None:
    page.start(scenario=workshop.scenario(hold="1s"))
    page.await_stop()
    (row,) = live(page)["runs"]
    for name in FILES:
        with urlopen(f"{page.url}/uploads/runs/{row['run_id']}/{name}") as answer:
            assert "sandbox" in answer.headers["Content-Security-Policy"]
            assert f"{row['run_id']}-{name}" in answer.headers["Content-Disposition"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with urlopen(f"{page.url}/uploads") as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_below_a_base_path_everything_is_where_the_page_looks_for_it(workshop: Workshop) -> None:
    arguments = ("--web-base-path", "/load", "--scenario", workshop.scenario(hold="1s"))
    with open_page(workshop, *arguments, base_path="/load") as page:
        page.start()
        page.await_output("report    ")
        (row,) = live(page)["runs"]
        assert 'src="uploads/files/live.js"' in page.text("/uploads")  # relative to /load/uploads
        for path in ("/uploads/files/live.js", "/uploads/files/style.css", f"/uploads/runs/{row['run_id']}/run.json"):
            assert page.text(path)
        tables = json.loads(page.text("/stats/requests"))["extended_stats"]
        assert [table["key"] for table in tables] == list(TABS)
        assert refusal(Page(page.url.removesuffix("/load"), page._process), "/uploads") == 404


def test_with_a_login_and_over_tls_nobody_sees_anything_without_the_password(
    workshop: Workshop, tmp_path: Path
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    arguments = ("-f", str(LOGIN), "--web-login")
    arguments += ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with open_page(workshop, *arguments, "--scenario", workshop.scenario(hold="1s"), scheme="https") as page:
        stranger, guest = (build_opener(HTTPSHandler(context=context), HTTPCookieProcessor(CookieJar())) for _ in "12")
        for path in (*OURS, "/", "/stats/requests"):
            with stranger.open(page.url + path, timeout=PATIENCE_S) as answer:
                assert answer.url.startswith(f"{page.url}/login?next=")
                assert b"extended_stats" not in answer.read()
        form = urlencode({"username": "ada", "password": "open sesame"}).encode()
        guest.open(f"{page.url}/knock", form, timeout=PATIENCE_S).close()
        for path in (*OURS[:3], "/", "/stats/requests"):
            with guest.open(page.url + path, timeout=PATIENCE_S) as answer:
                assert answer.url == page.url + path
        with pytest.raises(HTTPError, match="404") as refused:
            guest.open(page.url + OURS[3], timeout=PATIENCE_S)
        refused.value.close()


def test_no_page_of_ours_shows_a_key(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "hunter2-hunter2")
    target = "{url: embedded, auth: {header: {name: X-Api-Key, value: '${KEY}'}}}"
    with open_page(workshop, "--scenario", workshop.scenario(target, hold="1s")) as page:
        page.start()
        page.await_stop()
        (row,) = live(page)["runs"]
        paths = [*OURS[:3], "/stats/requests", *(f"/uploads/runs/{row['run_id']}/{name}" for name in FILES)]
        assert [path for path in paths if "hunter2" in page.text(path)] == []


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
def test_locusts_percentiles_are_within_half_a_percent_of_ours(workshop: Workshop, processes: tuple[str, ...]) -> None:
    """Locust counts its ranks from the other end: its figure lies between our time of that rank and of the next."""
    path = workshop.folder / "counted.yaml"
    path.write_text(COUNTED)
    port = str(free_port())
    ports = ("--master-bind-port", port, "--master-port", port, "--master-bind-host", "127.0.0.1") if processes else ()
    with open_page(workshop, *processes, *ports, "--scenario", str(path)) as page:
        if processes:
            page.await_workers(2)
        page.start()
        page.await_stop()
        wait_for(lambda: page.statistics().get("upload", {}).get("num_requests") == 400, PATIENCE_S)
        measured, statistics = workshop.run().measurements, page.statistics()
    ours = {phase.value: tally.response_time for phase, tally in measured.phases.items() if tally.attempts}
    for name, times in {**ours, "upload": measured.uploads.response_time}.items():
        for aggregate, percentile in (("median_response_time", 50), ("response_time_percentile_0.95", 95),
                                      ("response_time_percentile_0.99", 99)):  # fmt: skip
            low_ms, high_ms = between(times, percentile)
            assert low_ms * 0.995 <= statistics[name][aggregate] <= high_ms * 1.005, (name, aggregate)


def between(times: Histogram, percentile: float) -> tuple[float, float]:
    """The time of this rank and that of the next, in milliseconds."""
    low_s, high_s = times.percentile_s(percentile), times.percentile_s(min(100, percentile + 100 / times.count))
    assert low_s is not None
    assert high_s is not None
    return low_s * 1000, high_s * 1000


def test_a_master_shows_its_workers_and_which_of_them_is_lost(workshop: Workshop) -> None:
    port, hold_s = str(free_port()), 10
    ends = ("--master-bind-port", port, "--master-bind-host", "127.0.0.1")
    with open_page(workshop, "--master", *ends, "--scenario", workshop.scenario(hold=f"{hold_s}s")) as page:
        workers = [workshop.locust("--worker", "--master-port", port, "--master-host", "127.0.0.1") for _ in "12"]
        with family(*workers):
            page.await_workers(2)
            page.start()
            wait_for(lambda: all(each["reports"] != "0" for each in live(page)["workers"]), PATIENCE_S)
            for row in live(page)["workers"]:
                assert row["state"].startswith("uploading")
                assert row["age"].endswith(" s ago")
                assert row["memory"].endswith("MiB")
            workers[1].kill()
            wait_for(lambda: "lost" in states(page), hold_s)
            assert states(page) == ["lost", "uploading"]
            wait_for(lambda: live(page)["series"]["points"] != [], PATIENCE_S)
            page.await_output("report    ")
            wait_for(lambda: live(page)["state"] == "ended", PATIENCE_S)
            assert states(page) == ["complete", "lost: not everything that it measured arrived"]


def states(page: Page) -> list[str]:
    """How the workers are, whichever they are."""
    return sorted(each["state"].split(",")[0] for each in live(page)["workers"])
