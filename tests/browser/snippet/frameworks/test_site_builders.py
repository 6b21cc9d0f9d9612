"""Next (app router) and Astro (with its router): frameworks with a build tool of their own, in `sites/`.

They weigh 341 and 158 MB, too much for every run. `make frameworks` installs them into build/ and runs these tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from abacus.paths import PROJECT, search_path
from tests.browser.snippet.frameworks.test_frameworks import CLICK, VIEW, page, use  # noqa: F401  a fixture
from tests.browser.snippet.site import Site

SITES = Path(__file__).parent / "sites"
PACKAGES = {"next": ("next@16.4.6", "react@19.3.1", "react-dom@19.3.1"), "astro": ("astro@5.18.2",)}
OUTPUT = {"next": "out", "astro": "dist"}

pytestmark = pytest.mark.skipif(
    not os.environ.get("ABACUS_FRAMEWORKS"), reason="Next and Astro were not tried; `make frameworks` does"
)


def built(name: str) -> Path:
    """The folder of static files that the framework makes of its site."""
    folder = PROJECT / "build" / "frameworks" / name
    shutil.copytree(SITES / name, folder, dirs_exist_ok=True)
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    quiet = {"NEXT_TELEMETRY_DISABLED": "1", "ASTRO_TELEMETRY_DISABLED": "1", "CI": "1"}
    environment = os.environ | quiet | {"PATH": search_path()}
    for command in (["npm", "install", "--silent", "--save-exact", *PACKAGES[name]], ["npx", "--no", name, "build"]):
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=900)
    return folder / OUTPUT[name]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_site_with_a_router_of_its_own(site: Site, page: Page, name: str) -> None:  # noqa: F811  the fixture
    output = built(name)
    for file in filter(Path.is_file, output.rglob("*")):
        path = file.relative_to(output).as_posix()
        site.files[path] = file.read_bytes()
        if file.suffix == ".html":
            site.pages["/" + path.removesuffix(".html").removesuffix("index")] = file.read_text()
    page.goto(site.origin)
    assert use(page, site) == [VIEW, CLICK, VIEW]
    assert site.asked.count("/ab.js") == 1  # the router changed the page, not the browser
