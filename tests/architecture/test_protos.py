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


def test_they_keep_to_the_style_guide() -> None:
    protolint = Path(sys.executable).with_name("protolint")
    arguments = ["lint", "-config_path", "protos/.protolint.yaml", "protos/examprotos"]
    done = subprocess.run([protolint, *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
