"""What the operator's guide and the services' pages name exists: metrics, make targets, chapters."""

import re
from pathlib import Path

import pytest

from tests.architecture.rooms import ROOT

_GUIDE = ROOT / "docs" / "operations.md"
_PAGES = [_GUIDE, *sorted(ROOT.glob("services/*/README.md"))]
_DEFINED = re.compile(r'\b(Counter|Gauge|Histogram)\(\s*"(examhall_[a-z_]+)"')
_SUFFIXES = {"Gauge": ("",), "Counter": ("",), "Histogram": ("", "_bucket", "_count", "_sum")}


def _metrics() -> set[str]:
    """As Prometheus shows them."""
    found = set()
    for source in ("libs", "services", "gateway"):
        for path in (ROOT / source).rglob("src/**/*.py"):
            for kind, name in _DEFINED.findall(path.read_text()):
                shown = f"{name.removesuffix('_total')}_total" if kind == "Counter" else name
                found |= {shown + suffix for suffix in _SUFFIXES[kind]}
    return found


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_metrics_exist(page: Path) -> None:
    named = set(re.findall(r"\bexamhall_[a-z]+(?:_[a-z]+)+\b", page.read_text()))
    roles = {"examhall_admin", "examhall_local"}
    assert named - roles - _metrics() == set()


def test_metrics_that_are_asked_for_by_a_pattern_exist() -> None:
    """`m exam 'exam_saves|db_pool'` greps for what begins with examhall_exam_saves or examhall_db_pool."""
    asked = re.findall(r"\bm (?:auth|exam|grading|import|gateway) '?([a-z_()\\|]+)'?", _GUIDE.read_text())
    assert asked
    for pattern in asked:
        for part in re.split(r"\|(?![^(]*\))", pattern.replace("\\|", "|")):
            assert any(re.match(f"examhall_({part})", name) for name in _metrics()), part


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    code = "\n".join(map("".join, re.findall(r"```bash\n(.*?)```|`([^`\n]+)`", _GUIDE.read_text(), re.S)))
    named = set(re.findall(r"\bmake (?:-s )?([a-z-]+)\b", code))
    assert named
    assert named - targets == set()


def test_chapters_exist() -> None:
    chapters = re.findall(r"^#+ (.*)$", _GUIDE.read_text(), re.M)
    anchors = {re.sub(r"[^a-z0-9 -]", "", chapter.lower()).replace(" ", "-") for chapter in chapters}
    linked = set(re.findall(r"\]\(#([^)]+)\)", _GUIDE.read_text()))
    for page in ("docs/architecture.md", "deploy/local/README.md"):
        linked |= set(re.findall(r"operations\.md#([^)]+)\)", (ROOT / page).read_text()))
    assert linked
    assert linked - anchors == set()
