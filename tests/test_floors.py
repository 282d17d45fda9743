"""The architecture: a file imports from lower floors, or from its own room."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "codex_nb"
FLOORS = [
    {"durations", "errors", "notices", "_version"},
    {"columns", "databases", "extras", "markdown_parts", "moments", "privacy", "safe_tex"},
    {"safe_markdown"},
    {"settings", "sphinx"},
    {"wire", "types"},
    {"auth", "audio"},
    {"client"},
    {"tools"},
    {"chat"},
    {"frames"},
    {"serve", "local"},
    {"notebook"},
    {"demo"},
    {"cli"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def room_of(path):
    """Return the room that a file lives in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path):
    """Return the rooms that a file imports from, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "codex_nb" else [node.module]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("codex_nb."))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_down_the_floors(path):
    """Never up, never around; the embedded backend imports the ground floor only."""
    own = room_of(path)
    highest = FLOOR["wire"] if own == "local" else FLOOR[own]
    for room in imported_rooms(path):
        assert room == own or FLOOR[room] < highest, f"{own} must not import {room}"
