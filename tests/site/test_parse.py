"""Browsers of the last four years can read every file that the snippet is built into.

Chrome 107, Firefox 106 and Safari 16.1 know ES2021. ES2020 would cost /ab.js 17 bytes more."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from abacus.paths import PROJECT, node
from abacus.site.public_manifest import public
from abacus.site.snippet import Options, scripts
from chalicelib.domain.manifest import Manifest
from tests.site.test_snippet import EVERYTHING, PLAIN

ES_CHECK = PROJECT / "node_modules/es-check/lib/cli/index.js"


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    module = ["--module"] if file.suffix == ".mjs" or "count" in file.name else []
    command = [str(node()), str(ES_CHECK), "es2021", file.name, "--checkFeatures", *module]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("manifest", [PLAIN, EVERYTHING], ids=["plain", "everything"])
def test_every_file_is_es2021(manifest: Manifest, tmp_path: Path) -> None:
    built = scripts(public(manifest), Options(consent=True, global_privacy_control=True))
    files = [tmp_path / name for name in built if name.endswith(("js", ".mjs"))]
    assert len(files) == 5
    for file in files:
        file.write_bytes(built[file.name])
        done = checked(file)
        assert done.returncode == 0, f"{file.name}: {done.stdout}{done.stderr}"


def test_the_check_refuses_what_is_newer(tmp_path: Path) -> None:
    file = tmp_path / "newer.js"
    file.write_text("class A { static { Object.hasOwn({}, 1) } }")
    assert checked(file).returncode != 0
