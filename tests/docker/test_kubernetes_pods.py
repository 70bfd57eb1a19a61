"""What each pod of docker/kubernetes may do, asks for, and says to upswarm."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import click
import pytest
import yaml

from tests.docker.manifests import FOLDER, KUBECTL, NO_KUBECTL, Pod, built, plain, pods
from upswarm import health_check
from upswarm.cli import cli
from upswarm.health_check import EXIT_USAGE
from upswarm_server.settings import Settings

SETTINGS = dict(
    line.split("=", 1) for line in (FOLDER / "load" / "settings.env").read_text().splitlines() if "=" in line
)
PLAIN = list(pods(plain()))
ALL = PLAIN + (list(pods(built("ui"))) if KUBECTL else [])
every_pod = pytest.mark.parametrize("pod", ALL, ids=lambda pod: f"{pod.owner['kind']}-{pod.component}")


def pod_of(component: str) -> Pod:
    (found,) = (pod for pod in PLAIN if pod.component == component)
    return found


def test_there_are_four_kinds_of_pods() -> None:
    assert sorted(pod.component for pod in PLAIN) == ["master", "reader", "server", "worker"]


@every_pod
def test_a_pod_is_nobody_and_can_do_nothing(pod: Pod) -> None:
    context = pod.spec["securityContext"]
    assert {key: context[key] for key in ("runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup")} == {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
    }  # fmt: skip
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod.container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod.spec["automountServiceAccountToken"] is False
    assert pod.spec["enableServiceLinks"] is False, "UPSWARM_… variables of Kubernetes' own would be taken for settings"


def test_the_user_is_that_of_the_images() -> None:
    dockerfile = (FOLDER.parent / "Dockerfile").read_text()
    assert set(re.findall(r"^USER (.+)$", dockerfile, re.M)) == {"10001:10001"}


@every_pod
def test_memory_is_limited_and_cpu_is_asked_for_but_not_throttled(pod: Pod) -> None:
    resources = pod.container["resources"]
    assert {"cpu", "memory"} <= set(resources["requests"])
    assert "memory" in resources["limits"]
    assert "cpu" not in resources["limits"]


@every_pod
def test_what_is_mounted_is_there_and_tmp_can_be_written(pod: Pod) -> None:
    claims = [each["metadata"]["name"] for each in pod.owner["spec"].get("volumeClaimTemplates", [])]
    volumes = {*claims, *(each["name"] for each in pod.spec["volumes"])}
    mounts = {each["mountPath"]: each for each in pod.container["volumeMounts"]}
    assert {each["name"] for each in mounts.values()} == volumes
    assert not mounts["/tmp"].get("readOnly")


@every_pod
def test_every_probe_asks_what_upswarm_understands(pod: Pod) -> None:
    probes = {name: value for name, value in pod.container.items() if name.endswith("Probe")}
    assert "readinessProbe" in probes
    for probe in probes.values():
        assert probe["timeoutSeconds"] >= 5  # the server's readiness may take four
        if "exec" in probe:
            python, dash, module, *arguments = probe["exec"]["command"]
            assert (python, dash, module) == ("python", "-m", "upswarm.health_check")
            assert health_check.main(arguments) != EXIT_USAGE
        else:
            assert probe["httpGet"]["port"] in {port["name"] for port in pod.container["ports"]}
            assert f"`{probe['httpGet']['path']}`" in (FOLDER.parents[1] / "docs" / "server.md").read_text()


def parsed(arguments: list[str]) -> click.Context:
    """As the image's entry point, `upswarm`, reads them; nothing is run."""
    command = cli.commands[arguments[0]]
    return command.make_context(arguments[0], arguments[1:])


def test_the_master_runs_the_scenario_that_is_mounted_and_waits_for_all_workers() -> None:
    wishes = parsed(pod_of("master").args(SETTINGS)).params
    assert wishes["target"] == SETTINGS["TARGET"]
    assert (wishes["metrics_bind"], wishes["metrics_port"]) == ("0.0.0.0", 9646)
    mounts = {each["name"]: each["mountPath"] for each in pod_of("master").container["volumeMounts"]}
    assert f"/upswarm/{wishes['scenario']}" == f"{mounts['scenario']}/scenario.yaml"
    assert f"/upswarm/{wishes['reports']}" == mounts["reports"]
    assert f"--expect-workers={SETTINGS['WORKERS']}" in wishes["locust_options"]


@pytest.mark.skipif(KUBECTL is None, reason=NO_KUBECTL)
def test_the_web_ui_opens_where_only_a_port_forward_reaches_it() -> None:
    (master,) = (pod for pod in pods(built("ui")) if pod.component == "master")
    wishes = parsed(master.args(SETTINGS)).params
    assert (wishes["bind"], wishes["port"]) == ("127.0.0.1", 8089)
    assert master.owner["spec"]["strategy"] == {"type": "Recreate"}


def test_a_worker_finds_its_master_by_the_name_of_a_service() -> None:
    name, port = parsed(pod_of("worker").args({})).params["master"]
    (service,) = (each for each in plain() if each["kind"] == "Service" and each["metadata"]["name"] == name)
    assert service["spec"]["clusterIP"] == "None"
    assert port in {each["port"] for each in service["spec"]["ports"]}


def test_locust_takes_what_is_said_to_it() -> None:
    test = next(each for each in plain() if each["kind"] == "LocustTest")["spec"]
    ours = ["--locustfile", "--scenario", "--host"]
    words = test["args"].split()
    assert words[:6:2] == ours
    assert {path.rpartition("/")[0] for path in words[1:4:2]} == {"/home/locust"}  # where the operator mounts it
    master = list(parsed(pod_of("master").args(SETTINGS)).params["locust_options"])
    commands = [master, ["--master", *words[4:]], ["--worker", "--master-host", "m", *words[4:]]]
    code = (
        "import json, sys\nfrom locust.argument_parser import get_parser\n"
        "for each in json.load(sys.stdin): print(get_parser(default_config_files=[]).parse_args(each).expect_workers)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(commands), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["3", "3", "3"]), done.stderr
    assert test["workers"] == 3


def server_settings() -> Settings:
    said: dict[str, Any] = {each["name"]: each.get("value", "a-token") for each in pod_of("server").container["env"]}
    return Settings.from_environ({**said, "UPSWARM_HOST": "0.0.0.0"})


def test_the_server_understands_its_settings_and_wants_a_token() -> None:
    settings = server_settings()
    assert settings.tokens
    assert not settings.allow_anonymous


def test_the_server_is_not_killed_while_it_drains() -> None:
    settings = server_settings()
    assert pod_of("server").spec["terminationGracePeriodSeconds"] >= settings.drain_s + settings.grace_s + 10


def test_a_run_is_never_tried_again_and_a_worker_is() -> None:
    master, worker = pod_of("master").owner["spec"], pod_of("worker").owner["spec"]
    assert (master["backoffLimit"], pod_of("master").spec["restartPolicy"]) == (0, "Never")
    assert (worker["completionMode"], worker["backoffLimitPerIndex"]) == ("Indexed", 3)
    assert "livenessProbe" not in pod_of("master").container


def test_a_data_directory_belongs_to_one_server() -> None:
    owner = pod_of("server").owner
    assert (owner["kind"], owner["spec"]["replicas"]) == ("StatefulSet", 1)


def test_the_audit_of_a_run_that_is_cut_off_has_its_time() -> None:
    scenario = yaml.safe_load((FOLDER / "load" / "scenario.yaml").read_text())
    assert "limit" not in scenario["audit"]  # so it is five minutes
    assert pod_of("master").spec["terminationGracePeriodSeconds"] >= 5 * 60 + 30
