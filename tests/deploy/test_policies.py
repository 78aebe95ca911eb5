"""What every pod of the chart must be: hardened, bounded, probed, spread, cut off but for what it needs."""

import re
from typing import Any

import pytest

from tests.deploy.chart import MODES, VALUES, Object, containers, named, of_kind, pods, rendered

EVERY = [(name, mode) for name in VALUES for mode in MODES]


@pytest.mark.parametrize(("name", "mode"), EVERY)
def test_pods_are_hardened(name: str, mode: str) -> None:
    for _, pod in pods(rendered(name, mode)):
        _is_hardened(pod)


def _is_hardened(pod: Object) -> None:
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert not any("hostPath" in volume for volume in spec.get("volumes", []))
    for one in containers(pod):
        security = one["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(("name", "mode"), EVERY)
def test_containers_are_bounded_and_pinned(name: str, mode: str) -> None:
    for one in (one for _, pod in pods(rendered(name, mode)) for one in containers(pod)):
        assert {"cpu", "memory"} <= set(one["resources"]["requests"])
        assert "memory" in one["resources"]["limits"]
        assert re.fullmatch(r"\S+/\S+:[0-9]\S*", one["image"]), one["image"]


@pytest.mark.parametrize("name", VALUES)
def test_what_serves_is_probed_and_drains(name: str) -> None:
    for workload in of_kind(rendered(name), "Deployment", "StatefulSet"):
        _is_probed_and_drains(workload)


def _is_probed_and_drains(workload: Object) -> None:
    spec = workload["spec"]["template"]["spec"]
    (one,) = spec["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(one)
    assert one["livenessProbe"] != one["readinessProbe"]
    assert spec["terminationGracePeriodSeconds"] >= 60
    if workload["kind"] == "Deployment":
        assert {rule["topologyKey"] for rule in spec["topologySpreadConstraints"]} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }
        assert one["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert one["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert workload["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize("name", VALUES)
def test_every_deployment_has_a_budget(name: str) -> None:
    budgets = {one["metadata"]["name"] for one in of_kind(rendered(name), "PodDisruptionBudget")}
    assert budgets == {one["metadata"]["name"] for one in of_kind(rendered(name), "Deployment")}


def _chooses(selector: Object, labels: Object) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", [])
    )


def _may(objects: Any, source: Object, target: Object, port: int) -> bool:
    """Whether the policies let these pods' labels connect: the one out, and the other in."""
    policies = [one["spec"] for one in of_kind(objects, "NetworkPolicy")]

    def allows(way: str, pod: Object, other: Object) -> bool:
        peers = "to" if way == "egress" else "from"
        return any(
            port in [one["port"] for one in rule["ports"]]
            and any(
                peers not in rule or ("podSelector" in peer and _chooses(peer["podSelector"], other))
                for peer in rule.get(peers, [{}])
            )
            for policy in policies
            if _chooses(policy["podSelector"], pod)
            for rule in policy.get(way, [])
        )

    return allows("egress", source, target) and allows("ingress", target, source)


@pytest.mark.parametrize(("name", "mode"), EVERY)
def test_policies_choose_every_pod_and_deny_by_default(name: str, mode: str) -> None:
    objects = rendered(name, mode)
    policies = [one["spec"] for one in of_kind(objects, "NetworkPolicy")]
    for pod_name, pod in pods(objects):
        labels = pod["metadata"]["labels"]
        found = [one for one in policies if _chooses(one["podSelector"], labels)]
        assert len(found) >= 2, pod_name
        assert all(one["policyTypes"] == ["Ingress", "Egress"] for one in found)
        assert any(
            53 in [p["port"] for p in rule["ports"]] for one in found for rule in one.get("egress", [])
        )


def test_only_callers_reach_a_service() -> None:
    objects = rendered("dev")
    labels = {
        one["metadata"]["name"].removeprefix("hall-examhall-"): one["spec"]["template"]["metadata"]["labels"]
        for one in of_kind(objects, "Deployment", "StatefulSet", "Job")
    }
    allowed = {
        (source, target)
        for source in labels
        for target in ("auth-serve", "exam-serve", "grading-serve", "import-serve")
        if _may(objects, labels[source], labels[target], 50051)
    }
    servers = [(source.removesuffix("-serve"), to) for source, to in allowed if "-work" not in source]
    reached = {target: {source for source, to in servers if to == target} for _, target in servers}
    gateways = {"gateway-student", "gateway-staff", "gateway-trial"}
    assert reached == {
        "auth-serve": gateways | {"exam", "grading", "import"},
        "exam-serve": gateways | {"grading", "import"},
        "grading-serve": gateways | {"exam", "import"},
        "import-serve": gateways - {"gateway-student"},
    }
    for source, own in labels.items():
        works = source.endswith(("-serve", "-work")) or source == "migrations"
        assert _may(objects, own, labels["postgres"], 5432) is works, source
    assert _may(objects, labels["migrations"], labels["rabbitmq"], 15672)
    assert not _may(objects, labels["exam-serve"], labels["rabbitmq"], 15672)


def test_each_identity_sees_its_own_secrets_alone() -> None:
    objects = rendered("dev")
    for name in ("auth", "exam", "grading", "import"):
        spec = named(objects, "Deployment", f"hall-examhall-{name}-serve")["spec"]["template"]["spec"]
        secrets = {
            one["valueFrom"]["secretKeyRef"]["name"]
            for container in (*spec["containers"], *spec["initContainers"])
            for one in container["env"]
            if "valueFrom" in one
        }
        assert secrets == {f"hall-examhall-{name}"}
        mounted = {one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one}
        assert mounted == {f"hall-examhall-tls-{name}"}
