"""Who may speak to whom in docker/kubernetes: as much as is needed, on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.docker.manifests import of_kind, plain, pods, selects

PODS = [pod for pod in pods(plain()) if pod.component != "reader"]
POLICIES = of_kind("NetworkPolicy", plain())
NAME = "app.kubernetes.io/component"


def ways(side: str) -> Iterator[tuple[str, str, int]]:
    """Who is allowed to reach whom at which port, by the policies of one side. Who is no pod of ours is a place."""
    rules, peers = ("egress", "to") if side == "Egress" else ("ingress", "from")
    for policy in POLICIES:
        ours = [pod.component for pod in PODS if selects(policy["spec"]["podSelector"], pod.labels)]
        for rule in policy["spec"].get(rules, []):
            for peer in rule[peers]:
                for port in rule["ports"]:
                    for one in ours:
                        for other in others(peer):
                            yield (one, other, port["port"]) if side == "Egress" else (other, one, port["port"])


def others(peer: dict[str, Any]) -> list[str]:
    if "podSelector" in peer:
        return [pod.component for pod in PODS if selects(peer["podSelector"], pod.labels)]
    if "namespaceSelector" in peer:
        return [peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]]
    return [peer["ipBlock"]["cidr"]]


COMPONENTS = {"master", "worker", "server"}
WITHIN = {("worker", "master", 5557), ("worker", "server", 8000), ("master", "server", 8000)}


def test_what_is_not_allowed_is_forbidden() -> None:
    (deny,) = (each["spec"] for each in POLICIES if each["metadata"]["name"] == "upswarm-default-deny")
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_who_may_ask_is_who_is_listened_to() -> None:
    assert {way for way in ways("Egress") if way[1] in COMPONENTS} == WITHIN
    assert {way for way in ways("Ingress") if way[0] in COMPONENTS} == WITHIN


def test_from_outside_only_prometheus_comes_in() -> None:
    assert {way for way in ways("Ingress") if way[0] not in COMPONENTS} == {
        ("monitoring", "master", 9646),
        ("monitoring", "server", 8000),
    }


def test_the_server_asks_for_nothing_but_names() -> None:
    assert {(to, port) for one, to, port in ways("Egress") if one == "server"} == {
        ("kube-system", 53),
        ("169.254.20.10/32", 53),
    }


def test_the_load_gets_out_at_one_port_and_not_to_the_cloud_s_metadata() -> None:
    (policy,) = (each["spec"] for each in POLICIES if each["metadata"]["name"] == "upswarm-to-target")
    (rule,) = policy["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]
    assert "169.254.0.0/16" in rule["to"][0]["ipBlock"]["except"]
    assert {pod.component for pod in PODS if selects(policy["podSelector"], pod.labels)} == {"master", "worker"}


def test_ports_of_services_are_ports_of_their_pods_and_policies_let_them_in() -> None:
    allowed = {(to, port) for _, to, port in ways("Ingress")}
    services = of_kind("Service", plain())
    assert len(services) == 2
    for service in services:
        (pod,) = (pod for pod in PODS if service["spec"]["selector"].items() <= pod.labels.items())
        ports = {each["name"]: each["containerPort"] for each in pod.container["ports"]}
        assert {each["targetPort"]: each["port"] for each in service["spec"]["ports"]} == ports
        assert {(pod.component, port) for port in ports.values()} <= allowed


def test_labels_are_the_recommended_ones_and_selectors_find_their_pods() -> None:
    for pod in PODS:
        assert pod.labels == pod.owner["metadata"]["labels"]
        assert set(pod.labels) == {"app.kubernetes.io/name", NAME, "app.kubernetes.io/part-of"}
        if "selector" in pod.owner["spec"]:
            assert selects(pod.owner["spec"]["selector"], pod.labels)
