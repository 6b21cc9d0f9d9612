"""What the requirements files hold beside what the code imports."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from abacus.paths import PROJECT

OWN = {"app", "abacus", "chalicelib"}
EXTRAS = {"mcp": "requirements-mcp.in"}  # a module that one command alone needs → the requirements of its extra


def locked(name: str) -> dict[str, str]:
    """The distributions of a lock file, by normalised name, with the rest of their line."""
    lines = [line for line in (PROJECT / name).read_text().splitlines() if line and not line.startswith("#")]
    return {normalised(line.partition("==")[0]): line.partition("==")[2] for line in lines}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imports(tree: ast.AST) -> Iterator[str]:
    """The top-level modules that run-time code imports; those under `if TYPE_CHECKING:` are left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
        yield from imports(node)


def shipped_files() -> list[Path]:
    return [PROJECT / "app.py", *(PROJECT / "abacus").rglob("*.py"), *(PROJECT / "chalicelib").rglob("*.py")]


def test_everything_that_the_product_imports_is_in_the_run_lock() -> None:
    modules = {name for file in shipped_files() for name in imports(ast.parse(file.read_text()))}
    distributions = packages_distributions()
    missing = {
        module
        for module in modules - OWN - EXTRAS.keys() - set(sys.stdlib_module_names)
        if not {normalised(name) for name in distributions.get(module, [module])}
        & locked("requirements-run.lock").keys()
    }
    assert missing == set()


@pytest.mark.parametrize(("module", "file"), EXTRAS.items())
def test_what_an_extra_needs_is_in_its_file_and_not_in_the_run_lock(module: str, file: str) -> None:
    assert any(line.startswith(f"{module}==") for line in (PROJECT / file).read_text().splitlines())
    assert module not in locked("requirements-run.lock")
    assert f'"{file}"' in (PROJECT / "pyproject.toml").read_text()


@pytest.mark.parametrize("package", ["moto", "schemathesis", "cfn-lint", "playwright", "mypy", "pytest", "boto3-stubs"])
def test_what_only_the_checks_need_is_not_in_the_run_lock(package: str) -> None:
    assert package not in locked("requirements-run.lock")
    assert package in locked("requirements-test.lock")


def test_both_locks_agree_on_every_version() -> None:
    run, test = locked("requirements-run.lock"), locked("requirements-test.lock")
    assert run.items() <= test.items()
