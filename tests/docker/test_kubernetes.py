"""The manifests of docker/kubernetes are what Kubernetes takes, to the last key."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.docker.manifests import FOLDER, KUBECTL, NO_KUBECTL, VARIANTS, built, of_kind, plain, pods
from upswarm import resources
from upswarm.scenario import loader

VERSIONS = ("1.29", "1.37")
"""The first in which all that is used is on by default, and a recent one."""
NOT_OF_KUBERNETES = ("LocustTest",)
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason=NO_KUBECTL)


def mistake(document: dict[str, Any], version: str) -> str:
    try:
        assert kubernetes_validate.validate(document, version, strict=True) == version  # else it took an older one
    except kubernetes_validate.ValidationError as error:
        return f"{document['kind']} {document['metadata']['name']}: {error.message}"
    return ""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(version: str) -> None:
    documents = [each for each in plain() if each["kind"] not in NOT_OF_KUBERNETES]
    assert len(documents) > 10
    assert [found for each in documents if (found := mistake(each, version))] == []


@needs_kubectl
def test_what_kustomize_makes_of_them_is_valid() -> None:
    distinct = {json.dumps(each) for variant in VARIANTS for each in built(variant)}
    documents = [each for each in map(json.loads, distinct) if each["kind"] not in NOT_OF_KUBERNETES]
    assert [found for each in documents for version in VERSIONS if (found := mistake(each, version))] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_misspelt_key_would_be_found(version: str) -> None:
    (job,) = (copy.deepcopy(pod.owner) for pod in pods(plain()) if pod.component == "worker")
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["securityContext"]["readOnlyRootFileSystem"] = container["securityContext"].pop("readOnlyRootFilesystem")
    assert "readOnlyRootFileSystem" in mistake(job, version)


@needs_kubectl
@pytest.mark.parametrize("variant", [each for each in VARIANTS if each not in ("operator", "once")])
def test_everything_goes_into_one_namespace_and_what_lasts_is_not_deleted_with_it(variant: str) -> None:
    documents = built(variant)
    assert {each["metadata"]["namespace"] for each in documents} == {"upswarm"}
    assert of_kind("Namespace", documents) + of_kind("PersistentVolumeClaim", documents) == []


def test_the_namespace_takes_no_pod_with_privileges() -> None:
    (namespace,) = of_kind("Namespace", plain())
    assert namespace["metadata"]["name"] == "upswarm"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@needs_kubectl
def test_no_two_objects_have_one_name() -> None:
    for variant in VARIANTS:
        names = [(each["kind"], each["metadata"]["name"]) for each in built(variant)]
        assert len(set(names)) == len(names)


def test_no_secret_lies_here() -> None:
    assert of_kind("Secret", plain()) == []
    for pod in pods(plain()):
        for variable in pod.container.get("env", []):
            if variable["name"].endswith(("SECRET", "TOKEN", "TOKENS", "KEY")):
                assert list(variable["valueFrom"]) == ["secretKeyRef"], variable


@pytest.mark.parametrize("folder", ["load", "outside", "operator"])
def test_every_scenario_can_be_loaded_with_the_secrets_that_its_master_has(folder: str) -> None:
    (master,) = (pod for pod in pods(plain()) if pod.component == "master")
    secrets = {each["name"]: "x" for each in master.container["env"] if "secretKeyRef" in each["valueFrom"]}
    path = FOLDER / folder / "scenario.yaml"
    # A LocustTest has no way to a Secret.
    scenario = loader.parse(path.read_text(), str(path), {} if folder == "operator" else secrets)
    assert scenario.workload.allowed_lost_workers == 1


@needs_kubectl
@pytest.mark.parametrize("variant", [".", "outside", "ui"])
def test_the_config_map_has_the_scenario_of_the_variant(variant: str) -> None:
    folder = FOLDER / ("outside" if variant == "outside" else "load")
    (found,) = (each["data"] for each in of_kind("ConfigMap", built(variant)) if "scenario.yaml" in each["data"])
    assert found == {"scenario.yaml": (folder / "scenario.yaml").read_text()}


@needs_kubectl
@pytest.mark.parametrize(("variant", "workers"), [(".", "3"), ("outside", "8")])
def test_the_number_of_workers_is_said_once(variant: str, workers: str) -> None:
    documents = built(variant)
    (settings,) = (each["data"] for each in of_kind("ConfigMap", documents) if "WORKERS" in each["data"])
    (job,) = (pod.owner["spec"] for pod in pods(documents) if pod.component == "worker")
    assert settings["WORKERS"] == workers == str(job["parallelism"]) == str(job["completions"])


def test_without_kustomize_they_agree_too() -> None:
    (job,) = (pod.owner["spec"] for pod in pods(plain()) if pod.component == "worker")
    lines = (FOLDER / "load" / "settings.env").read_text().splitlines()
    assert f"WORKERS={job['parallelism']}" in lines
    assert job["parallelism"] == job["completions"]


def test_the_operator_gets_the_locustfile_that_is_shipped() -> None:
    shipped = resources.folder("locustfiles") / "upload.py"
    assert (FOLDER / "operator" / "locustfile.py").read_text() == shipped.read_text()


def test_images_are_named_in_one_place() -> None:
    named = yaml.safe_load((FOLDER / "images" / "kustomization.yaml").read_text())["images"]
    used = {pod.container["image"] for pod in pods(plain())}
    assert {each["name"] for each in named} == used
    for variant in (".", "outside", "ui", "reader"):
        kustomization = yaml.safe_load((FOLDER / variant / "kustomization.yaml").read_text())
        assert [each.removeprefix("../") for each in kustomization["components"]] == ["images"]


PAGE = (FOLDER.parents[1] / "docs" / "kubernetes.md").read_text()


def test_the_page_names_what_is_there() -> None:
    said = {path.removeprefix("docker/kubernetes").strip("/") or "." for path in re.findall(r" -k ([\w/]+)", PAGE)}
    assert said == set(VARIANTS)
    jobs = {each["metadata"]["name"] for each in of_kind("Job", plain())}
    assert f"kubectl delete job {' '.join(sorted(jobs))}\n" in PAGE
    assert set(re.findall(r"job/([\w-]+)", PAGE)) <= jobs
    files = re.findall(r"`((?:load|common|images|once|operator)/[\w./-]+)`", PAGE)
    assert [name for name in files if not (FOLDER / name).is_file()] == []


def test_the_page_makes_a_secret_with_all_keys_that_are_asked_for() -> None:
    asked = {
        variable["valueFrom"]["secretKeyRef"]["key"]
        for pod in pods(plain())
        for variable in pod.container.get("env", [])
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    (line,) = re.findall(r"printf '%s=%s\\n' (.+) \|$", PAGE, re.MULTILINE)
    assert set(re.findall(r"[A-Z_]{4,}", line)) == asked
    assert "create secret generic upswarm " in PAGE


@pytest.mark.parametrize("version", VERSIONS)
def test_the_page_says_which_versions_were_looked_at(version: str) -> None:
    assert re.search(rf"schemas of Kubernetes .*\b{version}\b", " ".join(PAGE.split()))
