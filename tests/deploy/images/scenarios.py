"""`make test-images`: the scenarios of an exam, against containers; and what the images are."""

import json

import httpx
import pytest

from tests.deploy.images.containers import REPOSITORY, SERVICES, VERSION, Images, podman
from tests.e2e.test_scenarios import *  # noqa: F403 - the same tests, against another system

IMAGES = (*SERVICES, "gateway")


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_lean_and_labelled(name: str) -> None:
    (image,) = json.loads(podman("image", "inspect", f"{REPOSITORY}/{name}:{VERSION}"))
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.version"] == VERSION
    assert {"title", "revision", "licenses"} <= {one.rpartition(".")[2] for one in config["Labels"]}
    assert "Healthcheck" in config or "Healthcheck" in image


@pytest.mark.parametrize("name", IMAGES)
def test_images_hold_no_tools_and_a_bill_of_materials(name: str) -> None:
    image = f"{REPOSITORY}/{name}:{VERSION}"
    look = "for tool in pip gcc cc make apt-get npm node git; do command -v $tool; done; true"
    alone = ("run", "--rm", "--network=none", "--entrypoint=sh", image, "-c")
    assert podman(*alone, look) == ""
    bill = json.loads(podman(*alone, "cat /opt/examhall/sbom.cdx.json"))
    assert {"grpcio", "psycopg"} <= {one["name"] for one in bill["components"]}


def test_the_gateway_has_the_pages(system: Images) -> None:
    assert "<html" in httpx.get(f"{system.url}/").text
    assert "<html" in httpx.get(f"{system.url}/admin/").text
