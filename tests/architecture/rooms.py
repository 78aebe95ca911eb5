"""Where things are: the rooms of the repository, found rather than listed."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = {
    package.name: package
    for folder in sorted((ROOT / "services").iterdir())
    for package in (folder / "src").glob("*_service")
}
EXAMKIT = ROOT / "libs/examkit/src/examkit"
GATEWAY = ROOT / "gateway/src/exam_gateway"
ROOMS = SERVICES | {"exam_gateway": GATEWAY, "examkit": EXAMKIT}


def modules(room: Path) -> Iterator[Path]:
    return (path for path in sorted(room.rglob("*.py")))


def imports(path: Path) -> set[str]:
    """Every module that a file imports, absolute."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found
