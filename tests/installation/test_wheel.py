"""The wheel: complete, the same bytes each time, and enough on a machine without a checkout and without Node."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

from abacus.paths import PROJECT, search_path
from tests.support.builders import a_visitor
from tests.support.product import until

BUILD = "import sys, wheel_backend as w; print(w.build_wheel(sys.argv[1]))"
LARGEST = 8e6  # bytes of the wheel; esbuild is four of them


def build(folder: Path, umask: int = 0o022) -> Path:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "scripts")},
        umask=umask,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel") / "one")


class Tool(NamedTuple):
    """ABacus installed into an environment of its own, and a folder of a site."""

    python: Path
    site: Path

    def environment(self) -> dict[str, str]:
        # Nothing of the checkout is on this path: no Node, no esbuild, no npm.
        return {"PATH": f"{self.python.parent}:/usr/bin:/bin", "HOME": str(self.site), "LANG": "C.UTF-8"}

    def abacus(self, *arguments: str, expect: int = 0, **more: str) -> str:
        command = [str(self.python.with_name("abacus")), *arguments]
        environment = {**self.environment(), **more}
        done = subprocess.run(command, cwd=self.site, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tool(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Tool:
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    python = folder / "env" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True)
    # The dependencies are those of this environment. Its own link to the checkout has no effect there: Python reads
    # such links only in the folders it starts with.
    packages = next((folder / "env" / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "site").mkdir()
    return Tool(python, folder / "site")


def test_the_same_commit_gives_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path / "two", umask=0o077).read_bytes() == wheel.read_bytes()


def test_the_wheel_holds_what_the_commands_read_and_nothing_of_the_tests(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    tracked = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    parts = ("app.py", "chalicelib/", "static/", "infra/", "docs/", ".chalice/", "requirements.txt")
    expected = {f"abacus/product/{name}" for name in tracked.splitlines() if name.startswith(parts)}
    expected |= {name for name in tracked.splitlines() if name.startswith("abacus/")}
    ours = {n for n in names if n.startswith("abacus/") and "/node_modules/" not in n}
    assert ours == expected | {"abacus/product/manifest/schema.json"}
    assert {n.partition("/")[0] for n in names} == {"abacus", f"abacus-{version()}.dist-info"}
    assert wheel.stat().st_size < LARGEST


def version() -> str:
    found = re.search(r'^version = "(.+)"$', (PROJECT / "pyproject.toml").read_text(), re.M)
    assert found
    return found[1]


def test_its_record_names_every_file(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        record = archive.read(f"abacus-{version()}.dist-info/RECORD").decode().splitlines()
        assert sorted(line.partition(",")[0] for line in record) == sorted(archive.namelist())


def test_it_declares_what_the_lock_files_hold(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        metadata = archive.read(f"abacus-{version()}.dist-info/METADATA").decode()
    needed = re.findall(r"^Requires-Dist: (.+)", metadata, re.M)
    locked = (PROJECT / "requirements-run.lock").read_text().lower().replace("_", "-")
    always = [line.split()[0].rstrip(";") for line in needed if "extra ==" not in line]
    assert [n for n in always if re.split(r"[=<>;\[]", n.lower())[0] not in locked] == []
    assert re.findall(r"^Provides-Extra: (\S+)", metadata, re.M)[0]


def test_a_site_is_prepared_validated_packaged_and_planned(tool: Tool) -> None:
    tool.abacus("init", "--no-ask", "--region", "eu-central-1")
    assert "first-test (draft)" in tool.abacus("validate")
    planned = tool.abacus("deploy", "--stage", "prod", "--dry-run")
    assert "site/ab.js" in planned
    assert "nothing was created" in planned
    assert (tool.site / "build" / "deploy" / "package" / "sam.json").exists()


def test_modules_with_names_that_sites_use_are_not_installed_at_the_top(tool: Tool) -> None:
    for name in ("app", "chalicelib"):
        command = [str(tool.python), "-c", f"import {name}"]
        done = subprocess.run(command, cwd=tool.site, env=tool.environment(), capture_output=True, check=False)
        assert b"ModuleNotFoundError" in done.stderr


@pytest.fixture
def running(tool: Tool) -> Iterator[str]:
    file = tool.site / "manifest" / "cta-color.yaml"
    file.write_text("key: cta-color\nstatus: running\nvariants: [{key: blue}, {key: green}]\n")
    log = tool.site / "run.log"
    command = [str(tool.python.with_name("abacus")), "run", "--port", "0", "--empty"]
    environment = {**tool.environment(), "PATH": f"{tool.python.parent}:{search_path()}"}  # which has Node
    with log.open("w") as out, subprocess.Popen(command, cwd=tool.site, env=environment, stdout=out, stderr=out) as run:
        try:
            until(lambda: "ready http" in log.read_text() or run.poll() is not None, seconds=300)
            ready = re.search(r"ready (http\S+)", log.read_text())
            assert ready, log.read_text()
            yield ready[1]
        finally:
            run.terminate()
            run.wait(60)


@pytest.mark.ministack
def test_the_whole_product_runs_and_counts(tool: Tool, running: str) -> None:
    with urllib.request.urlopen(f"{running}/ab.js") as answer:
        assert b"cta-color" in answer.read()
    at = round(time.time() * 1000)
    event = {"id": "e-1", "type": "impression", "experiment": "cta-color", "variant": "green", "at": at}
    body = json.dumps({"visitor": a_visitor("green"), "events": [event]}).encode()
    request = urllib.request.Request(f"{running}/events", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 202
    until(
        lambda: json.loads(tool.abacus("results", "cta-color", "--json"))["variants"][1]["visitors"] == 1, seconds=120
    )
