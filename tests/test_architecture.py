"""Imports go down the list of packages, no two modules import each other, and no folder or file outgrows its reader."""

from __future__ import annotations

import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from abacus.paths import PROJECT, STATIC

# A package may import those below it, never those above. CONTRIBUTING.md says what each is for.
LAYERS = {
    "chalicelib": (
        "api",
        "alerting",
        "reporting",
        "runtime",
        "analysis",
        "counting",
        "ingestion",
        "storage",
        "statistics",
        "targeting",
        "domain",
    ),
    "abacus": (
        "cli",
        "agents",
        "deploy",
        "export",
        "operations",
        "local",
        "installation",
        "simulation",
        "results",
        "rebalancing",
        "importing",
        "publishing",
        "page_check",
        "authoring",
        "site",
        "growthbook",
        "aws",
        "product_api",
        "options",
        "project_file",
        "shares",
        "paths",
    ),
}
SOURCES = {".py", ".js", ".mjs", ".cjs", ".css"}
MOST_FILES = 10  # in a folder
MOST_LINES = 250  # in a file

# File → why it is longer.
LONG_FILES = {
    "chalicelib/storage/dynamodb.py": "every expression of both tables, which must agree with each other",
    "app.py": "the contents page: every route and trigger",
    "abacus/cli.py": "the table of every command",
}


@cache
def modules() -> dict[str, Path]:
    """Dotted name → file, of everything that ships or runs on a person's machine."""
    files = [PROJECT / "app.py", *(f for name in LAYERS for f in (PROJECT / name).rglob("*.py"))]
    return {".".join(f.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


def imports(file: Path, *, at_start: bool = False) -> Iterator[str]:
    """The dotted names that `file` imports; `at_start`: only what runs when it is imported."""
    tree = ast.parse(file.read_text())
    for node in _nodes(tree, at_start=at_start):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nodes(node: ast.AST, *, at_start: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if at_start and (isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(child)):
            continue
        yield child
        yield from _nodes(child, at_start=at_start)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("root", LAYERS)
def test_every_package_is_in_the_list_of_layers(root: str) -> None:
    there = {name.split(".")[1] for name in modules() if name.startswith(f"{root}.")}
    assert there - {"__main__"} == set(LAYERS[root])


@pytest.mark.parametrize("root", LAYERS)
def test_imports_go_down_the_list_of_layers(root: str) -> None:
    order = LAYERS[root]
    upward = {
        f"{name} imports {imported}"
        for name, file in modules().items()
        if name.count(".") and name.split(".")[0] == root and name.split(".")[1] in order
        for imported in imports(file)
        if imported.count(".") and imported.split(".")[0] == root and imported.split(".")[1] in order
        if order.index(imported.split(".")[1]) < order.index(name.split(".")[1])
    }
    assert upward == set()


def test_the_lambda_knows_nothing_of_the_command_line_and_only_app_knows_chalice() -> None:
    wrong = {
        f"{name} imports {imported}"
        for name, file in modules().items()
        if name.startswith("chalicelib")
        for imported in imports(file)
        if imported.split(".")[0] == "abacus"
        or (imported.split(".")[0] == "chalice" and name != "chalicelib.api.responses")
    }
    assert wrong == set()  # responses.py makes Chalice's Response; nothing else outside app.py touches Chalice


def test_every_package_says_its_purpose_in_one_sentence() -> None:
    packages = {name: file for name, file in modules().items() if file.name == "__init__.py"}
    silent = {name for name, file in packages.items() if not (ast.get_docstring(ast.parse(file.read_text())) or "")}
    assert (silent, len(packages) > 30) == (set(), True)


def test_statistics_imports_only_itself() -> None:
    wrong = {
        f"{name} imports {imported}"
        for name, file in modules().items()
        if name.startswith("chalicelib.statistics")
        for imported in imports(file)
        if imported.startswith("chalicelib.") and not imported.startswith("chalicelib.statistics")
    }
    assert wrong == set()


def test_no_two_python_modules_import_each_other() -> None:
    graph = {
        name: {imported for imported in imports(file, at_start=True) if imported in modules() and imported != name}
        for name, file in modules().items()
    }
    assert circle(graph) == []


@pytest.mark.parametrize("folder", ["snippet", "results"])
def test_no_two_javascript_modules_import_each_other(folder: str) -> None:
    pattern = re.compile(r"""^(?:import|export)\b[^;]*?["'](\.[^"']+)["']""", re.M | re.S)
    graph: dict[str, set[str]] = {}
    for file in sorted((STATIC / folder).rglob("*.js")):
        targets = {Path(os.path.normpath(file.parent / path)) for path in pattern.findall(file.read_text())}
        graph[str(file.relative_to(STATIC))] = {str(target.relative_to(STATIC)) for target in targets}
    assert any(graph.values())
    assert circle(graph) == []


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The modules of one import circle; empty without one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_a_circle_is_found() -> None:
    assert sorted(set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}))) == ["a", "b", "c"]


def source_files() -> Iterator[Path]:
    for root in ("chalicelib", "abacus", "bench", "scripts", "static", "tests"):
        for file in (PROJECT / root).rglob("*"):
            if file.suffix in SOURCES and file.name != "__init__.py" and "fixtures" not in file.parts:
                yield file


def test_no_folder_has_more_than_ten_source_files() -> None:
    folders: dict[str, int] = defaultdict(int)
    for file in source_files():
        folders[str(file.parent.relative_to(PROJECT))] += 1
    assert {folder: count for folder, count in folders.items() if count > MOST_FILES} == {}


def test_no_file_is_longer_than_its_reader_likes_without_a_reason() -> None:
    shipped = [PROJECT / "app.py", *(f for f in source_files() if not f.is_relative_to(PROJECT / "tests"))]
    long = {str(f.relative_to(PROJECT)) for f in shipped if len(f.read_text().splitlines()) > MOST_LINES}
    assert long - LONG_FILES.keys() == set()


def test_no_two_public_classes_share_a_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for name, file in modules().items():
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
