"""Prints what the projects in these folders depend on, but for what lies beside them in the workspace."""

import re
import sys
import tomllib
from pathlib import Path

if __name__ == "__main__":
    for folder in sys.argv[1:]:
        project = tomllib.loads(Path(folder, "pyproject.toml").read_text())
        beside = project.get("tool", {}).get("uv", {}).get("sources", {})
        for needed in project["project"].get("dependencies", []):
            if re.split(r"[^A-Za-z0-9._-]", needed)[0] not in beside:
                print(needed)
