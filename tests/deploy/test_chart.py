"""The chart: it renders, lints, and every object is what Kubernetes takes; upgrades keep what was made."""

import base64
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from helm_python.chart import lint
from helm_python.errors import HelmError

from tests.deploy.chart import (
    CHART,
    MODES,
    VALUES,
    Object,
    in_a_cluster_with,
    named,
    of_kind,
    render,
    rendered,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
EVERY = [(name, mode) for name in VALUES for mode in MODES]
OWN_KINDS = {"v1", "apps/v1", "batch/v1", "autoscaling/v2", "policy/v1", "networking.k8s.io/v1"}


@pytest.mark.parametrize("name", VALUES)
def test_it_lints(name: str) -> None:
    report = lint(CHART, VALUES[name], strict=True)
    assert [one for one in report["messages"] if one["severity"] > 1] == []
    assert report["errors"] == []


@pytest.mark.parametrize(("name", "mode"), EVERY)
def test_kubernetes_takes_every_object(name: str, mode: str) -> None:
    for one in rendered(name, mode):
        if one["apiVersion"] in OWN_KINDS:
            kubernetes_validate.validate(one, "1.30", strict=True)


@pytest.mark.parametrize(("name", "mode"), EVERY)
def test_no_object_comes_twice(name: str, mode: str) -> None:
    known = [(one["kind"], one["metadata"]["name"]) for one in rendered(name, mode)]
    assert sorted(known) == sorted(set(known))


@pytest.mark.parametrize(
    "wrong",
    [
        {"dev": {"enabled": True}, "serivces": {}},
        {"dev": {"enabled": True}, "image": {"tag": "latest"}},
        {"dev": {"enabled": True}, "services": {"exam": {"replicas": 3}}},
        {"dev": {"enabled": True}, "gateway": {"origins": ["https://example.com/"]}},
        {"database": {"host": "x"}, "rabbitmq": {"host": "x"}},
        {"files": {"url": "s3://b"}, "rabbitmq": {"host": "x"}},
        {"files": {"url": "s3://b"}, "database": {"host": "x"}},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(HelmError):
        render(wrong)


def test_a_fifth_service_is_one_entry() -> None:
    values = {"dev": {"enabled": True}, "services": {"analytics": {"callers": ["gateway-staff"]}}}
    objects = render(values)
    serve = named(objects, "Deployment", "hall-examhall-analytics-serve")
    env = {one["name"]: one for one in serve["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["DB_SCHEMA"]["value"] == "analytics"
    for kind in ("Deployment", "PodDisruptionBudget"):
        named(objects, kind, "hall-examhall-analytics-work")
    for kind, name in (("Service", ""), ("NetworkPolicy", ""), ("Secret", ""), ("Secret", "tls-")):
        named(objects, kind, f"hall-examhall-{name}analytics")
    job = named(objects, "Job", "hall-examhall-migrations")["spec"]["template"]["spec"]
    assert "analytics" in [one["name"] for one in job["containers"]]


@pytest.mark.parametrize("name", VALUES)
def test_migrations_come_first_and_last(name: str) -> None:
    (job,) = of_kind(rendered(name), "Job")
    assert "annotations" not in job["metadata"], "hooks of an install run before PostgreSQL is there"
    steps = {
        one["metadata"]["annotations"]["helm.sh/hook"]: one["spec"]["template"]["spec"]["containers"][0][
            "args"
        ]
        for one in of_kind(rendered(name, "upgrade"), "Job")
    }
    assert steps == {
        "pre-upgrade": ["migrate", "--steps", "pre"],
        "post-upgrade": ["migrate", "--steps", "pre", "post"],
    }


def _data(secret: Object) -> dict[str, bytes]:
    plain = {key: value.encode() for key, value in secret.get("stringData", {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in secret.get("data", {}).items()}


def _as_kept(secrets: list[Object]) -> dict[str, Object]:
    return {
        one["metadata"]["name"]: {
            **one,
            "data": {key: base64.b64encode(value).decode() for key, value in _data(one).items()},
        }
        for one in secrets
    }


def test_an_upgrade_keeps_what_was_made(tmp_path: Path) -> None:
    before = of_kind(render(VALUES["dev"]), "Secret")
    chart = in_a_cluster_with(_as_kept(before), tmp_path)
    objects = render(VALUES["dev"], "upgrade", chart=chart)
    after = {one["metadata"]["name"]: _data(one) for one in of_kind(objects, "Secret")}
    migrations = _data(named(before, "Secret", "hall-examhall-migrations"))
    assert after.pop("hall-examhall-migrations-upgrade") == migrations
    kept = {one["metadata"]["name"]: _data(one) for one in before}
    del kept["hall-examhall-migrations"]
    assert after == kept
    other = named(render(VALUES["dev"]), "Secret", "hall-examhall-seed")
    assert _data(other) != kept["hall-examhall-seed"], "what nobody kept is made by chance"


def test_a_certificate_past_its_day_is_made_anew(tmp_path: Path) -> None:
    kept = _as_kept(of_kind(render(VALUES["dev"]), "Secret"))
    kept["hall-examhall-tls-exam"]["metadata"]["annotations"] = {
        "examhall.internal/renew-after": "2020-01-01"
    }
    objects = render(VALUES["dev"], "upgrade", chart=in_a_cluster_with(kept, tmp_path))
    for identity, same in (("exam", False), ("auth", True)):
        name = f"hall-examhall-tls-{identity}"
        assert (named(objects, "Secret", name)["data"]["tls.crt"] == kept[name]["data"]["tls.crt"]) is same
        authority = x509.load_pem_x509_certificate(
            _data(named(objects, "Secret", "hall-examhall-ca"))["tls.crt"]
        )
        x509.load_pem_x509_certificate(
            _data(named(objects, "Secret", name))["tls.crt"]
        ).verify_directly_issued_by(authority)


def test_certificates_name_their_identity_alone() -> None:
    for secret in of_kind(rendered("dev"), "Secret"):
        identity = secret["metadata"]["name"].partition("-tls-")[2]
        if identity:
            certificate = x509.load_pem_x509_certificate(_data(secret)["tls.crt"])
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert names.get_values_for_type(x509.DNSName) == [f"{identity}.examhall.internal"]
            key = load_pem_private_key(_data(secret)["tls.key"], None)
            assert key.public_key() == certificate.public_key()


def test_the_hosts_are_those_of_each_environment() -> None:
    hosts = {"staging": {"staging.examapp.com", "api-staging.examapp.com"}}
    hosts["production"] = {"examapp.com", "api.examapp.com"}
    for name, expected in hosts.items():
        (ingress,) = of_kind(rendered(name), "Ingress")
        assert {one["host"] for one in ingress["spec"]["rules"]} == expected
        for rule in ingress["spec"]["rules"]:
            routes = {one["path"]: one["backend"]["service"]["name"] for one in rule["http"]["paths"]}
            assert routes == {
                "/": "hall-examhall-gateway-student",
                "/api/v1/admin": "hall-examhall-gateway-staff",
            }


def test_production_scales_and_waits_for_a_standby() -> None:
    objects = rendered("production")
    scalers = of_kind(objects, "HorizontalPodAutoscaler")
    assert len(scalers) == 6
    assert {(one["spec"]["minReplicas"], one["spec"]["maxReplicas"]) for one in scalers} == {(5, 20)}
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in scalers + of_kind(objects, "ScaledObject")}
    for one in of_kind(objects, "Deployment"):
        if one["metadata"]["name"] in scaled:
            assert "replicas" not in one["spec"], "an upgrade would undo the autoscaler's number"
        else:
            assert one["spec"]["replicas"] >= 3
    (cluster,) = of_kind(objects, "Cluster")
    assert cluster["spec"]["postgresql"]["synchronous"]["dataDurability"] == "required"
    assert cluster["spec"]["instances"] >= 3


def test_rules_and_dashboards_come_along() -> None:
    rules = {path.stem.replace("_", "-") for path in (CHART / "files/rules").glob("*.yml")}
    boards = {path.stem.replace("_", "-") for path in (CHART / "files/dashboards").glob("*.json")}
    objects = rendered("production")
    assert {one["metadata"]["name"] for one in of_kind(objects, "PrometheusRule")} == {
        f"hall-examhall-{name}" for name in rules
    }
    assert {
        one["metadata"]["name"]
        for one in of_kind(objects, "ConfigMap")
        if "dashboard" in str(one["metadata"])
    } == {f"hall-examhall-dashboard-{name}" for name in boards}


def test_chart_and_code_have_the_same_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (CHART.parents[2] / "pyproject.toml").read_text()
    assert f'\nversion = "{chart["appVersion"]}"\n' in project
