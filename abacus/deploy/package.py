"""`abacus package`: the zip of the functions, and the template that deploys it.

Chalice zips the whole of chalicelib/, compiled files and notes included. So it works on a copy that holds only what
ships.

`python -m abacus.deploy.package package ...` runs Chalice's command line. Its functions may get another Python than the
one that runs it. Chalice packages for the Python that it runs on, and has no setting for another one. The functions get
the version that CHALICE_RUNTIME names, such as python3.14. pip downloads wheels for the same version by its own
variables, which `chalice_environment` sets.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import click

from abacus.aws.errors import report_errors
from abacus.aws.names import StageName
from abacus.paths import PROJECT
from abacus.project_file import project_file
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SHIPS = ("app.py", "requirements.txt", "chalicelib/**/*.py", "chalicelib/**/*.json")
CONFIGURES = (".chalice/config.json", ".chalice/package.json", ".chalice/policies/**/*.json")
DATE = (2020, 1, 1, 0, 0, 0)  # of every file in the zip
LISTING = ".abacus-package"  # the files that a call wrote; Chalice's downloaded wheels are not among them and stay


class Target(NamedTuple):
    """What the functions run on."""

    architecture: str  # as Lambda calls it
    runtime: str


# The newest Python that Lambda and Chalice support and that pydantic has arm64 wheels for, whatever runs here.
LAMBDA = Target("arm64", "python3.14")


class PackageFailed(AbacusError):
    """Chalice could not package; the message has its output."""


def build_folder() -> Path:
    """Where a deploy builds what it was not given: build/deploy beside abacus.yaml, or in the current folder."""
    return project_file().path("build/deploy")


def this_machine() -> Target:
    """What an emulator runs the functions on: the processor and the Python of this machine."""
    architecture = "x86_64" if platform.machine() in ("x86_64", "AMD64") else "arm64"
    return Target(architecture, f"python{sys.version_info.major}.{sys.version_info.minor}")


def package(stage: str, folder: Path, *, target: Target = LAMBDA) -> Path:
    """Write deployment.zip and sam.json for a stage to `folder`; the path of sam.json.

    sam.json is a CloudFormation template with the parameters of .chalice/package.json; its CodeUri is the zip. A stage
    that .chalice/config.json does not have is `prod` under another name. Raises PackageFailed."""
    source = folder.parent / "source"
    prepare(source, stage, target)
    process = subprocess.run(
        chalice("package", "--stage", stage, "--merge-template", ".chalice/package.json", str(folder.absolute())),
        cwd=source,
        # The region appears nowhere in the template, but Chalice does not start without one.
        env={"AWS_DEFAULT_REGION": "us-east-1", **chalice_environment(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode or not (folder / "sam.json").exists():
        raise PackageFailed(f"chalice package --stage {stage}:\n{(process.stdout + process.stderr).strip()}")
    reproducible(folder / "deployment.zip")
    return folder / "sam.json"


def reproducible(file: Path) -> None:
    """Write a zip again so that the same content gives the same bytes: sorted, with one date and one mode."""
    with ZipFile(file) as archive:
        contents = {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name in sorted(contents):
            entry = ZipInfo(name, DATE)
            entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, 3, 0o100644 << 16
            archive.writestr(entry, contents[name])


def chalice(*arguments: str) -> list[str]:
    """Chalice's command with these arguments; it needs `chalice_environment`."""
    return [sys.executable, "-m", "abacus.deploy.package", *arguments]


def chalice_environment(target: Target) -> Mapping[str, str]:
    """The environment in which Chalice packages for `target`."""
    return {
        **os.environ,
        "CHALICE_RUNTIME": target.runtime,
        # Of pip, which Chalice starts: wheels for that Python, never built on this machine.
        "PIP_PYTHON_VERSION": target.runtime.removeprefix("python"),
        "PIP_ONLY_BINARY": ":all:",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "",  # app.py of the copy, which Chalice imports from the folder it runs in
    }


def prepare(source: Path, stage: str, target: Target = LAMBDA) -> None:
    """Make `source` a copy of what ships, in which Chalice finds `stage` configured."""
    _copy(source)
    file = source / ".chalice" / "config.json"
    config = json.loads(file.read_text())
    if stage not in config["stages"]:
        for policy in (source / ".chalice" / "policies" / "prod").iterdir():
            renamed = source / ".chalice" / "policies" / stage / policy.name
            renamed.parent.mkdir(exist_ok=True)
            renamed.write_text(policy.read_text().replace("abacus-prod", f"abacus-{stage}"))
        prod = json.dumps(config["stages"]["prod"])
        config_of_stage = re.sub(
            r'"prod"|abacus-prod|policies/prod', lambda match: match[0].replace("prod", stage), prod
        )
        config["stages"][stage] = json.loads(config_of_stage)
    config["lambda_architecture"] = target.architecture
    file.write_text(json.dumps(config))


def _copy(source: Path) -> None:
    """Make `source` a copy of what ships. Deletes only files that an earlier call wrote, by its own list of them."""
    files = {file.relative_to(PROJECT) for pattern in (*SHIPS, *CONFIGURES) for file in PROJECT.glob(pattern)}
    listing = source / LISTING
    try:
        if listing.exists():
            for name in listing.read_text().splitlines():
                (source / name).unlink(missing_ok=True)
        elif source.exists() and any(source.iterdir()):
            raise PackageFailed(f"{source} exists and `abacus package` did not make it. Choose another --out.")
        source.mkdir(parents=True, exist_ok=True)
        listing.write_text("".join(f"{file}\n" for file in sorted(files)))
        for file in files:
            (source / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / file, source / file)
    except OSError as error:
        raise PackageFailed(f"{source} cannot be written: {error.strerror}. Choose another --out.") from error


@click.command()
@click.option("--stage", type=StageName(), default="prod", show_default=True, help="The stage to package for.")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    default=lambda: project_file().path("build/package"),
    show_default="build/package",
    help="Folder for deployment.zip and sam.json.",
)
@report_errors
def command(stage: str, folder: Path) -> None:
    """Build the zip of the functions and the template that deploys it."""
    template = package(stage, folder)
    size = (folder / "deployment.zip").stat().st_size
    click.echo(f"{folder / 'deployment.zip'} ({size / 1e6:.1f} MB) and {template}")


def code_key(code: bytes) -> str:
    """The key of a zip in the bucket, made from its digest: another code has another key."""
    return f"code/{hashlib.sha256(code).hexdigest()}.zip"


def upload(s3: S3Client, bucket: str, file: Path) -> str:
    """Put `file` into `bucket`, unless it is there; its key."""
    code = file.read_bytes()
    key = code_key(code)
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        s3.put_object(Bucket=bucket, Key=key, Body=code)
    return key


def with_code(template: str, bucket: str, key: str) -> str:
    """A packaged template whose functions find their code in `bucket` under `key`.

    >>> with_code('{"Resources": {"Fold": {"Type": "AWS::Serverless::Function", "Properties": {}}}}', "b", "1.zip")
    '{"Resources":{"Fold":{"Type":"AWS::Serverless::Function","Properties":{"CodeUri":{"Bucket":"b","Key":"1.zip"}}}}}'
    """
    parsed = json.loads(template)
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    return json.dumps(parsed, separators=(",", ":"))


if __name__ == "__main__":
    from chalice.cli import main
    from chalice.config import Config

    runtime = os.environ["CHALICE_RUNTIME"]
    Config.lambda_python_version = property(lambda self: runtime)  # type: ignore[method-assign,assignment]
    raise SystemExit(main())
