"""Our own packages in an image: plain Python, which is copied and described rather than built.

own.py needs FOLDER…          what these projects depend on, but for what lies beside them
own.py install SITE FOLDER…   puts their packages there, with their names and versions
"""

import re
import shutil
import sys
import tomllib
from pathlib import Path


def needs(folder: Path) -> list[str]:
    """The requirements that come from an index."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    beside = project.get("tool", {}).get("uv", {}).get("sources", {})
    needed = project["project"].get("dependencies", [])
    return [one for one in needed if re.split(r"[^A-Za-z0-9._-]", one)[0] not in beside]


def install(folder: Path, site: Path) -> None:
    """Copies the packages that the project's wheel has, and writes what importlib.metadata reads."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(folder / package, site / Path(package).name)
    name, version = project["project"]["name"], project["project"]["version"]
    described = site / f"{name.replace('-', '_')}-{version}.dist-info"
    described.mkdir()
    licence = project["project"].get("license", "")
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        f"License-Expression: {licence}",
    ]
    (described / "METADATA").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "needs":
        print("\n".join(one for folder in sys.argv[2:] for one in needs(Path(folder))))
    else:
        for folder in sys.argv[3:]:
            install(Path(folder), Path(sys.argv[2]))
