"""What is said of the compose files holds: who is shut in how far, what is published, and what is documented."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docker.compose_files import DOCKER, FILES, OURS, command, document, faults, variables
from upswarm.cli import cli

PAGE = (DOCKER.parent / "docs" / "containers.md").read_text()
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
SCRIPT = (DOCKER / "compose-ci").read_text()
ALL = [(file, service) for file in FILES for service in document(file)["services"]]

Service = dict[str, Any]


@pytest.mark.parametrize("file", FILES)
def test_every_container_is_shut_in(file: str) -> None:
    assert list(faults(document(file)["services"])) == []


@pytest.mark.parametrize(
    ("plant", "fault"),
    [
        (lambda master: master.update(ports=["8089:8089"]), "loopback alone"),
        (lambda master: master.update(ports=["0.0.0.0:8089:8089"]), "loopback alone"),
        (lambda master: master.update(user="0:0"), "a user by number who is not root"),
        (lambda master: master.update(user="upswarm"), "a user by number who is not root"),
        (lambda master: master.pop("read_only"), "a read-only root"),
        (lambda master: master.update(cap_add=["NET_ADMIN"]), "no capabilities"),
        (lambda master: master.pop("security_opt"), "no new privileges"),
        (lambda master: master.pop("deploy"), "limits"),
        (lambda master: master.update(network_mode="host"), "a network of its own"),
    ],
)
def test_a_container_that_is_not_shut_in_is_found(plant: Callable[[Service], object], fault: str) -> None:
    services = copy.deepcopy(document("compose.yaml")["services"])
    plant(services["master"])
    assert f"master: expected {fault}" in list(faults(services))


def test_in_ci_nothing_is_published_and_nothing_of_the_host_is_mounted() -> None:
    for service in document("compose.ci.yaml")["services"].values():
        assert "ports" not in service
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(
            document("compose.ci.yaml")["volumes"]
        )


@pytest.mark.parametrize("service", OURS)
def test_both_files_describe_the_same_containers(service: str) -> None:
    here, in_ci = (document(file)["services"][service] for file in FILES)
    different = {key for key in {*here, *in_ci} if here.get(key) != in_ci.get(key)}
    assert different <= {"command", "environment", "healthcheck", "ports", "restart", "volumes"}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("service", ["master", "worker"])
def test_commands_are_those_of_the_command_line(file: str, service: str) -> None:
    verb, *arguments = command(document(file)["services"][service])
    cli.commands[verb].make_context(verb, arguments)


@pytest.mark.parametrize("file", FILES)
def test_master_and_workers_are_asked_for_their_ports(file: str) -> None:
    services = document(file)["services"]
    test = {name: service["healthcheck"]["test"][4:] for name, service in services.items() if "healthcheck" in service}
    page = command(services["master"])[0] == "ui"
    assert test == {"master": ["listening", "8089" if page else "5557"], "worker": ["connected", "5557"]}


def test_every_variable_is_documented_and_every_documented_one_is_used() -> None:
    asked_for = set.union(*(variables(text) for text in FILES.values()))
    asked_for |= set(re.findall(r"\$\{([A-Z]\w+):-", SCRIPT))
    rows = re.findall(r"^\| (`[A-Z].*?) \|", PAGE, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == asked_for


def test_what_stands_in_a_file_of_settings_is_not_hidden() -> None:
    """`environment` comes before `env_file`: a token that is not set there would unset the one of the file."""
    for file, service in ALL:
        values = yaml.safe_load(FILES[file])["services"][service].get("environment", {}).values()
        assert [value for value in values if value is None or "${" in value] == [], service


def test_every_file_that_is_mounted_is_there() -> None:
    for file, service in ALL:
        volumes = document(file)["services"][service]["volumes"]
        sources = [each.partition(":")[0] if isinstance(each, str) else each["source"] for each in volumes]
        assert [each for each in sources if each.startswith(".") and not (DOCKER / each).exists()] == []
        assert {each for each in sources if not each.startswith(".")} <= set(document(file)["volumes"])


def test_prometheus_scrapes_the_containers() -> None:
    services = document("compose.yaml")["services"]
    jobs = yaml.safe_load((DOCKER / "prometheus.yml").read_text())["scrape_configs"]
    targets = dict(job["static_configs"][0]["targets"][0].split(":") for job in jobs)
    assert targets.keys() <= services.keys()
    master = command(services["master"])
    assert targets["master"] == master[master.index("--metrics-port") + 1]
    assert f"UPSWARM_PORT={targets['server']}" in DOCKERFILE


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    provisioning = DOCKER / "grafana" / "provisioning"
    grafana = document("compose.yaml")["services"]["grafana"]
    mounted = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    assert mounted["./grafana/provisioning"] == "/etc/grafana/provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "upswarm.yml").read_text())["providers"]
    dashboard = Path(mounted["./grafana/upswarm.json"])
    assert str(dashboard.parent) == provider["options"]["path"]
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == str(dashboard)
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"


def test_the_images_have_what_the_compose_files_count_on() -> None:
    assert "VOLUME /data" in DOCKERFILE
    assert {"USER 10001:10001"} == set(re.findall("^USER .*", DOCKERFILE, re.MULTILINE))
    assert {"server", "load"} <= set(re.findall(r"^FROM .* AS (\w+)", DOCKERFILE, re.MULTILINE))
