"""Prints what is installed beside it as a CycloneDX bill of materials."""

import json
from importlib.metadata import Distribution, distributions
from typing import Any


def component(package: Distribution) -> dict[str, Any]:
    """A package as CycloneDX has it."""
    name, version = package.metadata["Name"], package.version
    said = package.metadata.get("License-Expression") or package.metadata.get("License") or ""
    licences = [{"license": {"name": said.splitlines()[0][:200]}}] if said else []
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name.lower().replace('_', '-')}@{version}",
        "licenses": licences,
    }


if __name__ == "__main__":
    found = sorted((component(package) for package in distributions()), key=lambda one: one["purl"])
    print(
        json.dumps(
            {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": found}, indent=1
        )
    )
