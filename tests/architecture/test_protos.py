"""The generated code is what the sources say, and the sources keep to the rules."""

import filecmp
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.rooms import ROOT

SOURCES = sorted((ROOT / "protos/examprotos").rglob("*.proto"))


def test_the_generated_code_is_current(tmp_path: Path) -> None:
    subprocess.run(
        [ROOT / "protos/generate.sh", tmp_path],
        check=True,
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
    )
    fresh = {p.relative_to(tmp_path / "examprotos"): p for p in (tmp_path / "examprotos").rglob("*_pb2*")}
    kept_home = ROOT / "protos/gen/examprotos"
    kept = {
        p.relative_to(kept_home): p for p in kept_home.rglob("*_pb2*.py*") if "__pycache__" not in p.parts
    }
    assert fresh.keys() == kept.keys()
    differing = [str(name) for name in fresh if not filecmp.cmp(fresh[name], kept[name], shallow=False)]
    assert not differing, "run `make protos`"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "protos")))
def test_the_package_is_the_path(source: Path) -> None:
    text = source.read_text()
    folder = source.parent.relative_to(ROOT / "protos/examprotos")
    assert f"package examhall.{'.'.join(folder.parts)};" in text
    assert re.fullmatch(r"v\d+", folder.parts[-1])


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "protos")))
def test_names_follow_the_style_guide(source: Path) -> None:
    text = re.sub(r"//.*", "", source.read_text())
    for name in re.findall(r"\b(?:message|service|enum|rpc)\s+(\w+)", text):
        assert re.fullmatch(r"(?:[A-Z][a-z0-9]*)+", name), name
    for name in re.findall(r"(?m)^\s+(?:repeated |optional )?[\w.]+ (\w+) = \d+;", text):
        assert re.fullmatch(r"[a-z][a-z0-9_]*|[A-Z][A-Z0-9_]*", name), name
    for enum, body in re.findall(r"enum\s+(\w+)\s*\{([^}]*)\}", text):
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum).upper()
        values = re.findall(r"(\w+)\s*=\s*(\d+)", body)
        assert values[0] == (f"{prefix}_UNSPECIFIED", "0"), enum
        assert all(value.startswith(prefix) for value, _ in values), enum
