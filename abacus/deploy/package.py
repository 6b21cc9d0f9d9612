"""`abacus package`: the Lambda's zip, and the template that deploys it.

Chalice zips the whole of chalicelib/, compiled files and notes included. So it is given a copy that holds only what
is meant to ship.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abacus.aws.names import StageName
from abacus.paths import PROJECT
from chalicelib.domain.errors import AbacusError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


CHALICE = Path(sys.executable).with_name("chalice")
SHIPS = ("app.py", "requirements.txt", "chalicelib/**/*.py", "chalicelib/**/*.json")
CONFIGURES = (".chalice/config.json", ".chalice/package.json", ".chalice/policies/**/*.json")


class NotPackaged(AbacusError):
    """What Chalice said instead of packaging."""


def package(stage: str, out: Path, *, architecture: str = "arm64") -> Path:
    """Writes `out`/deployment.zip and `out`/sam.json for a stage; the latter's path.

    A stage that .chalice/config.json does not have is `prod` under another name. sam.json: a CloudFormation template
    with the parameters of .chalice/package.json; its CodeUri is the zip."""
    source = out.parent / "source"
    prepare(source, stage, architecture)
    done = subprocess.run(
        [str(CHALICE), "package", "--stage", stage, "--merge-template", ".chalice/package.json", str(out.absolute())],
        cwd=source,
        # The region appears nowhere in the template, but Chalice will not start without one.
        env={"AWS_DEFAULT_REGION": "us-east-1", **os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not (out / "sam.json").exists():
        raise NotPackaged(f"chalice package --stage {stage}:\n{(done.stdout + done.stderr).strip()}")
    return out / "sam.json"


def prepare(source: Path, stage: str, architecture: str = "arm64") -> None:
    """A copy of what ships, in which Chalice finds `stage` configured."""
    _copy(source)
    file = source / ".chalice" / "config.json"
    config = json.loads(file.read_text())
    if stage not in config["stages"]:
        for policy in (source / ".chalice" / "policies" / "prod").iterdir():
            renamed = source / ".chalice" / "policies" / stage / policy.name
            renamed.parent.mkdir(exist_ok=True)
            renamed.write_text(policy.read_text().replace("abacus-prod", f"abacus-{stage}"))
        prod = json.dumps(config["stages"]["prod"])
        named = re.sub(r'"prod"|abacus-prod|policies/prod', lambda found: found[0].replace("prod", stage), prod)
        config["stages"][stage] = json.loads(named)
    config["lambda_architecture"] = architecture
    file.write_text(json.dumps(config))


def _copy(source: Path) -> None:
    wanted = {file.relative_to(PROJECT) for pattern in (*SHIPS, *CONFIGURES) for file in PROJECT.glob(pattern)}
    if source.exists():  # .chalice/deployments in it holds downloaded wheels, which are worth keeping
        for file in source.rglob("*"):
            if file.is_file() and "deployments" not in file.parts:
                file.unlink()
    for file in wanted:
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / file, source / file)


@click.command()
@click.option("--stage", type=StageName(), default="prod", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/package"), show_default=True)
def command(stage: str, out: Path) -> None:
    """Build the Lambda's zip and its template."""
    try:
        template = package(stage, out)
    except AbacusError as error:
        raise click.ClickException(str(error)) from None
    size = (out / "deployment.zip").stat().st_size
    click.echo(f"{out / 'deployment.zip'} ({size / 1e6:.1f} MB) and {template}")


def key_of(code: bytes) -> str:
    return f"code/{hashlib.sha256(code).hexdigest()}.zip"


def upload(s3: S3Client, bucket: str, file: Path) -> str:
    """Put `file` into `bucket`, unless it is there; its key."""
    code = file.read_bytes()
    key = key_of(code)
    if not s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"]:
        s3.put_object(Bucket=bucket, Key=key, Body=code)
    return key


def placed(template: str, bucket: str, key: str) -> str:
    """A packaged template whose functions find their code in `bucket` under `key`.

    >>> placed('{"Resources": {"Fold": {"Type": "AWS::Serverless::Function", "Properties": {}}}}', "b", "code/1.zip")
    '{"Resources":{"Fold":{"Type":"AWS::Serverless::Function","Properties":{"CodeUri":{"Bucket":"b","Key":"code/1.zip"}}}}}'
    """
    parsed = json.loads(template)
    for resource in parsed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
    return json.dumps(parsed, separators=(",", ":"))
