"""The snippet's modules: which may import which."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

from abacus.site.snippet import SNIPPET


def imports() -> dict[Path, set[Path]]:
    """Module → the modules that it imports."""
    modules = {path.resolve() for path in SNIPPET.rglob("*.js")}
    graph = {
        path: {
            (path.parent / name).resolve() for name in re.findall(r'(?:from|import\(?) ?"(\.[^"]+)"', path.read_text())
        }
        for path in modules
    }
    assert all(imported <= modules for imported in graph.values())
    return graph


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert len(list(TopologicalSorter(imports()).static_order())) == len(imports()) > 10  # a circle raises CycleError


def test_the_core_imports_nothing_outside_the_core() -> None:
    core = (SNIPPET / "core").resolve()
    outside = [
        name for path, names in imports().items() if path.parent == core for name in names if name.parent != core
    ]
    assert outside == []
