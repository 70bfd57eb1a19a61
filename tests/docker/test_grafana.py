"""The dashboard draws what there is: every metric in it is one of the generator's or of the server's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from upswarm.swarm.telemetry import figures
from upswarm_server import metrics

DOCKER = Path(__file__).parents[2] / "docker"
DASHBOARD: dict[str, Any] = json.loads((DOCKER / "grafana" / "upswarm.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OUR_OWN = re.compile(r"\bupswarm_\w+")


def exposed() -> Iterator[str]:
    """The names of all samples that a scrape may find."""
    for row in (*figures.TABLE, *metrics.TABLE):
        yield from (
            (f"{row.name}_{each}" for each in ("bucket", "sum", "count")) if row.kind == "histogram" else [row.name]
        )


def expressions() -> Iterator[str]:
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])
    yield from (each["expr"] for each in DASHBOARD["annotations"]["list"])
    yield from (each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query")


def test_every_metric_of_the_dashboard_is_exposed() -> None:
    used = {name for expression in expressions() for name in OUR_OWN.findall(expression)}
    assert used - set(exposed()) == set()


def test_everything_that_is_exposed_is_drawn_but_for_what_is_said_elsewhere() -> None:
    drawn = " ".join(expressions())
    left_out = {row.name for row in (*figures.TABLE, *metrics.TABLE) if row.name not in drawn}
    assert left_out == {"upswarm_expired_bytes_total", "upswarm_draining", "upswarm_start_time_seconds"}


def test_labels_of_a_legend_are_labels_of_the_metric() -> None:
    labels = {row.name: row.labels for row in (*figures.TABLE, *metrics.TABLE)}
    for panel in PANELS:
        for target in panel["targets"]:
            name = OUR_OWN.findall(target["expr"])[0].removesuffix("_bucket")
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= set(labels[name]), panel["title"]


def test_grafana_can_read_it() -> None:
    assert DASHBOARD["uid"] == "upswarm"
    assert DASHBOARD["schemaVersion"] >= 39
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["targets"], panel["title"]
        assert panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in panel["targets"]:
            assert target["expr"].count("(") == target["expr"].count(")")
    places = [{(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
              for p in (panel["gridPos"] for panel in DASHBOARD["panels"])]  # fmt: skip
    assert len(set.union(*places)) == sum(map(len, places)), "no two panels lie on each other"


def test_prometheus_scrapes_what_the_dashboard_shows() -> None:
    jobs = yaml.safe_load((DOCKER / "prometheus.yml").read_text())["scrape_configs"]
    assert [job["job_name"] for job in jobs] == ["upswarm-load", "upswarm-server"]
    provisioned = DOCKER / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioned / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["uid"] == DASHBOARD["templating"]["list"][0]["current"]["value"]
    assert yaml.safe_load((provisioned / "dashboards" / "upswarm.yml").read_text())["providers"]
