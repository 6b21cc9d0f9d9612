"""The one tool that static/ is built with: a native binary, so that building needs no node."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from abacus.paths import PROJECT
from chalicelib.domain.errors import AbacusError


class BuildError(AbacusError):
    """What keeps the site from being built, and what to do about it."""


def esbuild(
    source: str, folder: Path, flags: list[str] | None = None, form: str = "iife", *, minify: bool = True
) -> bytes:
    """`source`, as a file in `folder`, bundled. No wrappers, no shims: ES2021 throughout."""
    return _run([f"--format={form}", *(["--minify"] if minify else []), *(flags or [])], folder, source).rstrip(b"\n")


class Bundle(NamedTuple):
    """A module in several files. `files`: name → content; each name has a digest. `main`: the file to load; the others
    load when they are needed, and import what they share with it from there."""

    files: dict[str, bytes]
    main: str


def split(module: str, folder: Path, replaced: dict[str, str]) -> Bundle:
    """`module` in `folder`, where each import() is a file of its own. Every file is told to import `module`, which runs
    before it anyway: so esbuild leaves in the main file what both use, and makes no third one. `replaced`: name of a
    package → the source that is taken instead."""
    aliases = [f"--alias:{package}={_cached(package, source)}" for package, source in replaced.items()]
    with tempfile.TemporaryDirectory() as output_folder:
        facts = Path(output_folder, "facts.json")
        names = ["--entry-names=[name]-[hash]", "--chunk-names=[name]-[hash]"]
        where = [f"--outdir={output_folder}", f"--metafile={facts}"]
        flags = ["--format=esm", "--minify", "--splitting", f"--inject:./{module}", *where, *names, *aliases]
        _run([module, *flags], folder)
        outputs = {Path(path).name: output for path, output in json.loads(facts.read_bytes())["outputs"].items()}
        (entry,) = [name for name, output in outputs.items() if output.get("entryPoint") == module]
        imports = [Path(each["path"]).name for each in outputs[entry]["imports"]]
        if len(imports) != 1:
            raise BuildError(f"{module}: esbuild made {imports} instead of one main file.")
        # The entry only imports the file that has everything.
        files = {name: Path(output_folder, name).read_bytes().rstrip(b"\n") for name in outputs if name != entry}
    return Bundle(files, imports[0])


def _cached(package: str, source: str) -> Path:
    """A file with `source`. Always in the same place, because esbuild's digests depend on paths too."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    file = PROJECT / "node_modules" / ".cache" / "abacus" / f"{package}-{digest}.js"
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as written:
        written.write(source)
    Path(written.name).replace(file)  # several builds may run at once
    return file


def _run(flags: list[str], folder: Path, source: str = "") -> bytes:
    command = [_binary(), "--bundle", "--target=es2021", "--charset=utf8", "--log-level=warning", *flags]
    process = subprocess.run(command, input=source.encode(), cwd=folder, capture_output=True, check=False, timeout=60)
    if process.returncode or process.stderr:
        raise BuildError(f"esbuild says of {folder.name}/:\n{process.stderr.decode()}")
    return process.stdout


def _binary() -> str:
    # Not the one in node_modules/.bin: that is a script, which needs a node on the PATH.
    packages = PROJECT / "node_modules" / "@esbuild"
    binaries = [*sorted(packages.glob("*/bin/esbuild")), *packages.glob("*/esbuild.exe")]
    if not binaries:
        raise BuildError("esbuild is not installed. Run: make setup")
    return str(binaries[0])
