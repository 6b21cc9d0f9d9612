"""The steps of a set-up. Each returns a few words about what it installed, and raises SetUpFailed."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import sys
import zipfile
from pathlib import Path

from scripts.commands import BIN, PROJECT, PYTHON, VENV, SetUpFailed, output, run, say, search_path

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
NODE_WHEEL = (PROJECT / "requirements-node.in").read_text().splitlines()[-1]
SHOW_A_PAGE = """
import sys
from playwright.sync_api import sync_playwright
with sync_playwright() as driver:
    page = driver.chromium.launch(executable_path=sys.argv[1], args=["--no-sandbox"]).new_page()
    page.set_content("<p>a page")
    print(page.inner_text("p"))
"""
NODE_FILES = ("bin/node", "lib/node_modules/npm/")  # the C headers are half of the wheel, and nothing is compiled
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def python_environment(*, keep: bool) -> str:
    """A .venv with pip. `keep`: use the one that exists, if its Python still works."""
    if sys.version_info < OLDEST_PYTHON:
        current, oldest = (".".join(map(str, version)) for version in (sys.version_info[:2], OLDEST_PYTHON))
        raise SetUpFailed(
            f"ABacus needs Python {oldest} or newer; {sys.executable} is {current}. "
            "Name a newer one: make PYTHON=python3.12 setup"
        )
    if keep and output([PYTHON, "-m", "pip", "--version"]):
        return "unchanged"
    if importlib.util.find_spec("ensurepip") is None:  # Debian splits it off
        raise SetUpFailed(
            f"{sys.executable} cannot make virtual environments. On Debian and Ubuntu install the package python3-venv "
            "(as root: apt-get install python3-venv), then run make again."
        )
    try:
        if VENV.exists():
            shutil.rmtree(VENV)
        VENV.mkdir()
    except OSError as error:
        raise SetUpFailed(
            f"{VENV} cannot be made: {error.strerror}. Run make as the user who owns {PROJECT}."
        ) from None
    run([sys.executable, "-m", "venv", str(VENV)])
    return f"Python {'.'.join(map(str, sys.version_info[:3]))}"


def python_packages(lock: Path) -> str:
    """What `lock` pins, and this folder as the package `abacus`."""
    lines = [line for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    collected = 0

    def show(line: str) -> None:
        nonlocal collected
        if match := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
            collected += 1
            say(f"  Python packages {collected}/{len(lines)} {match[1]}", passing=True)

    # The lock is complete, so pip resolves nothing; and Python compiles a module when it first imports it.
    install = [PYTHON, "-m", "pip", "install", "--no-deps", "--no-compile", "--progress-bar=off"]
    run([*install, "-r", str(lock)], show)
    run([*install, "--no-build-isolation", "--editable", str(PROJECT)])
    return f"{len(lines)} of {lock.name}"


def node() -> str:
    """Node and npm: those of the machine, or those of a wheel from PyPI in .venv/node."""
    version = output(["node", "--version"])
    if version and int(version.lstrip("v").partition(".")[0]) >= OLDEST_NODE and output(["npm", "--version"]):
        return version.strip()
    target, downloads = VENV / "node", VENV / "download"
    _clear(target)
    _clear(downloads)
    download = [PYTHON, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", f"--dest={downloads}"]
    run([*download, NODE_WHEEL])
    (wheel,) = downloads.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            _, _, path = name.partition("/")
            if path.startswith(NODE_FILES) and not path.endswith("/") and "/npm/docs/" not in path:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).write_bytes(archive.read(name))
    shutil.rmtree(downloads)
    _link("node", target / "bin" / "node")
    _link("npm", target / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return f"{NODE_WHEEL.rpartition('=')[2]} from PyPI"


def npm_packages(*, development: bool) -> str:
    """What package-lock.json pins, with or without what only the checks need."""
    run(["npm", "ci", "--no-audit", "--no-fund", *([] if development else ["--omit=dev"])])
    return "with devDependencies" if development else "without devDependencies"


def chromium() -> str:
    """A Chromium that runs: the machine's, or the headless shell that npm ships, in .venv/chromium.

    Where neither runs the set-up goes on: the tests say so, and run all that need no browser."""
    for name in BROWSERS:
        if _shows_pages(name):
            return f"{name} of this machine"
    target = VENV / "chromium"
    _clear(target)
    for file in ("package.json", "package-lock.json"):
        shutil.copy(PROJECT / "scripts" / "chromium" / file, target)
    run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", f"--prefix={target}"])
    packed = target / "node_modules" / "@sparticuz" / "chromium" / "bin"
    run(["node", str(PROJECT / "scripts" / "chromium" / "unpack.mjs"), str(packed), str(target)])
    for archive in target.glob("*.tar"):
        run(["tar", "-xf", str(archive), "-C", str(target)])
        archive.unlink()
    shutil.rmtree(target / "node_modules")
    fonts = target / "fonts.conf"
    fonts.write_text(f"<fontconfig><dir>{target}/fonts</dir><cachedir>{target}/cache</cachedir></fontconfig>\n")
    start = target / "start"
    libraries, program = shlex.quote(f"{target}/lib"), shlex.quote(f"{target}/chromium")
    start.write_text(
        f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} FONTCONFIG_FILE={shlex.quote(str(fonts))} exec {program} "$@"\n'
    )
    (target / "chromium").chmod(0o755)
    _link("chromium", start)
    if _shows_pages("chromium"):
        return "headless shell from npm"
    (BIN / "chromium").unlink()
    return "none runs here"


def _shows_pages(browser: str) -> bool:
    """Whether Playwright can show a page in `browser`. (--dump-dom tells nothing: the headless shell lacks it.)"""
    path, node_path = (shutil.which(name, path=search_path()) for name in (browser, "node"))
    if path is None or node_path is None:
        return False
    return output([PYTHON, "-c", SHOW_A_PAGE, path], PLAYWRIGHT_NODEJS_PATH=node_path) == "a page\n"


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _link(name: str, program: Path) -> None:
    """Make `program` executable, and `name` in .venv/bin a link to it."""
    program.chmod(0o755)
    link = BIN / name
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(program, BIN))
