"""The manifests of docker/kubernetes, as they lie there and as kustomize makes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "docker" / "kubernetes"
VARIANTS = ("once", ".", "outside", "ui", "reader", "operator")
"""What `kubectl apply -k` takes."""
NO_KUBECTL = "no kubectl of 1.24 or later: what kustomize makes of the manifests is not tested"
NO_MANIFESTS = ("kustomization.yaml", "scenario.yaml", "ui/master.yaml", "ui/worker.yaml")

Document = dict[str, Any]


def _kubectl() -> str | None:
    """The client, if it is here and has a kustomize that says its version: older ones know no components."""
    found = shutil.which("kubectl")
    asked = [found, "version", "--client", "--output=json"]
    return (
        found
        if found and b"kustomizeVersion" in subprocess.run(asked, capture_output=True, check=False).stdout
        else None
    )


KUBECTL = _kubectl()


@cache
def plain() -> tuple[Document, ...]:
    """Every manifest of the folder."""
    files = [path for path in sorted(FOLDER.rglob("*.yaml")) if not str(path).endswith(NO_MANIFESTS)]
    return tuple(document for path in files for document in yaml.safe_load_all(path.read_text()))


@cache
def built(variant: str) -> tuple[Document, ...]:
    """What kustomize makes of a variant; for tests that are skipped without `KUBECTL`."""
    done = subprocess.run([KUBECTL, "kustomize", FOLDER / variant], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as one of the manifests would have it."""

    owner: Document
    labels: dict[str, str]
    spec: Document

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def container(self) -> Document:
        (container,) = self.spec["containers"]
        return container

    def args(self, variables: dict[str, str]) -> list[str]:
        """Its arguments, with `$(NAME)` replaced as the kubelet does."""
        return [re.sub(r"\$\((\w+)\)", lambda name: variables[name[1]], each) for each in self.container["args"]]


def pods(documents: tuple[Document, ...]) -> Iterator[Pod]:
    for document in documents:
        if document["kind"] == "Pod":
            yield Pod(document, document["metadata"]["labels"], document["spec"])
        elif "template" in document.get("spec", {}):
            template = document["spec"]["template"]
            yield Pod(document, template["metadata"]["labels"], template["spec"])


def of_kind(kind: str, documents: tuple[Document, ...]) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def selects(selector: Document, labels: dict[str, str]) -> bool:
    """As Kubernetes matches labels; of the operators, the one that is used here."""
    within = [labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", [])]
    return selector.get("matchLabels", {}).items() <= labels.items() and all(within)
