"""The chart as Helm renders it: with which values, and what comes out."""

import functools
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from helm_python.chart import Chart

from tests.architecture.rooms import ROOT

CHART = ROOT / "deploy/helm/examhall"
Object = dict[str, Any]
VALUES: dict[str, dict[str, Any]] = {
    "dev": {"dev": {"enabled": True}},
    "staging": yaml.safe_load((CHART / "values-staging.yaml").read_text()),
    "production": yaml.safe_load((CHART / "values-production.yaml").read_text()),
    "external": {
        "database": {"host": "postgres.example.com", "options": "sslmode=verify-full"},
        "rabbitmq": {"host": "rabbitmq.example.com", "port": 5671, "tls": True},
        "files": {"url": "s3://bucket/files", "existingSecret": "files"},
        "tls": {"mode": "existing"},
        "hosts": ["exams.example.com"],
        "gatewayApi": {"enabled": True, "parentRefs": [{"name": "public"}]},
        "provision": {"existingSecret": "administrators"},
        "gateway": {"existingSecret": "gateway"},
        "services": {"exam": {"existingSecret": "exam", "existingMigrateSecret": "exam-migrate"}},
    },
}
MODES = ("install", "upgrade")


def render(values: Mapping[str, Any], mode: str = "install", *, chart: Path = CHART) -> list[Object]:
    """Every object, as `mode` (install or upgrade) makes it."""
    install = mode == "install"
    with Chart.load(chart) as loaded:
        found = loaded.render(
            dict(values), name="hall", namespace="exams", is_install=install, is_upgrade=not install
        )
    texts = (text for path, text in sorted(found.items()) if not path.endswith(".txt"))
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


@functools.cache
def rendered(name: str, mode: str = "install") -> tuple[Object, ...]:
    return tuple(render(VALUES[name], mode))


def of_kind(objects: Any, *kinds: str) -> list[Object]:
    return [one for one in objects if one["kind"] in kinds]


def named(objects: Any, kind: str, name: str) -> Object:
    (found,) = (one for one in of_kind(objects, kind) if one["metadata"]["name"] == name)
    return dict(found)


def pods(objects: Any) -> Iterator[tuple[str, Object]]:
    """Name, and the pod's metadata and spec, of whatever runs."""
    for one in objects:
        if one["kind"] == "Pod":
            yield one["metadata"]["name"], one
        elif one["kind"] in {"Deployment", "StatefulSet", "Job"}:
            yield one["metadata"]["name"], one["spec"]["template"]


def containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def in_a_cluster_with(secrets: Mapping[str, Object], folder: Path) -> Path:
    """A copy of the chart that finds these Secrets when it looks for what is there."""
    copy = folder / "chart"
    shutil.copytree(CHART, copy, ignore=shutil.ignore_patterns("values.schema.json"))
    (copy / "files/secrets.json").write_text(json.dumps(secrets))
    names = copy / "templates/_names.tpl"
    text = names.read_text()
    looked_up = 'lookup "v1" "Secret" .root.Release.Namespace .name'
    assert looked_up in text
    found = 'get (.root.Files.Get "files/secrets.json" | fromJson) .name'
    names.write_text(text.replace(looked_up, found))
    return copy
