"""The variables that the chart sets are those that the settings read, and none that they need is missing."""

import importlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from exam_gateway.settings import GatewaySettings, read
from examhall_local.rabbitmq import RIGHTS
from examkit.provisioning import ProvisionSettings
from examkit.settings import MigrationSettings, SchemaSettings, load

from tests.deploy.chart import VALUES, Object, of_kind, rendered

SERVICES = ("auth", "exam", "grading", "import")
TLS = {"TLS_CA", "TLS_CERT", "TLS_KEY"}
SECRETS = {
    "DATABASE_URL": "postgresql://x_serve:y@h/d",
    "MIGRATE_DATABASE_URL": "postgresql://x_migrate:y@h/d",
    "RABBITMQ_URL": "amqp://x:y@h/v",
    "KEY_ENCRYPTION_KEY": "A" * 43 + "=",
}
SHAPES = [(name, mode) for name in VALUES for mode in ("serve", "work")]


def _names(settings: Any) -> set[str]:
    names = {one.name.upper() for one in fields(settings)}
    return (names - {"TLS"}) | (TLS if "TLS" in names else set())


def _env(container: Object) -> dict[str, str]:
    """As the process sees it; what a Secret holds stands for itself."""
    return {one["name"]: one.get("value", SECRETS.get(one["name"], "secret")) for one in container["env"]}


def _container(values: str, name: str) -> tuple[Object, Object]:
    (found,) = (
        one["spec"]["template"]["spec"]
        for one in of_kind(rendered(values), "Deployment")
        if one["metadata"]["name"] == f"hall-examhall-{name}"
    )
    (first,) = found.get("initContainers", [{}])
    return found["containers"][0], first


@pytest.mark.parametrize(("values", "mode"), SHAPES)
@pytest.mark.parametrize("service", SERVICES)
def test_services(values: str, mode: str, service: str) -> None:
    settings = importlib.import_module(f"{service}_service.settings").Settings
    container, waiting = _container(values, f"{service}-{mode}")
    env = _env(container)
    assert set(env) <= _names(settings)
    loaded = load(settings, env)
    assert (loaded.service_name, loaded.workers) == (service, "off")
    assert loaded.grpc_max_connection_age_seconds > 0
    assert container["args"] == [mode]
    assert set(_env(waiting)) == _names(SchemaSettings)
    load(SchemaSettings, _env(waiting))


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("surface", ["student", "staff"])
def test_gateway(values: str, surface: str) -> None:
    container, _ = _container(values, f"gateway-{surface}")
    env = _env(container)
    identity = {"TLS_CA", f"{surface.upper()}_TLS_CERT", f"{surface.upper()}_TLS_KEY"}
    assert identity <= set(env) <= _names(GatewaySettings) | identity
    settings = read(env)
    assert settings.surfaces == (surface,)
    assert set(settings.identities) == {surface}
    assert settings.cookie_secure is (values != "dev")


@pytest.mark.parametrize("values", VALUES)
def test_migrations(values: str) -> None:
    (job,) = of_kind(rendered(values), "Job")
    for container in job["spec"]["template"]["spec"]["containers"]:
        assert set(_env(container)) == _names(MigrationSettings)
        load(MigrationSettings, _env(container))
    (provision,) = job["spec"]["template"]["spec"]["initContainers"]
    env = _env(provision)
    of_services = {
        f"{one.upper()}_{name}" for one in SERVICES for name in ("DATABASE_URL", "MIGRATE_DATABASE_URL")
    }
    of_users = {f"{one.upper()}_RABBITMQ_URL" for one in (*SERVICES, "gateway")}
    referred = {name for name in env if any(f"$({name})" in value for value in env.values())}
    assert of_services | of_users <= set(env)
    assert set(env) <= of_services | of_users | referred | _names(ProvisionSettings)
    assert tuple(env["SERVICES"].split(",")) == SERVICES


def test_the_broker_gives_the_same_rights_as_on_one_machine() -> None:
    (job,) = of_kind(rendered("dev"), "Job")
    users = _env(job["spec"]["template"]["spec"]["initContainers"][0])["BROKER_USERS"]
    rights: Mapping[str, tuple[str, tuple[str, ...]]] = {
        name: (topic, tuple(filter(None, hears.split("+"))))
        for name, topic, hears in ((*one.split(":"), "", "")[:3] for one in users.split(","))
    }
    assert rights == {"auth": ("auth", ()), **RIGHTS}
