"""The local AWS: made from the templates, kept in spite of a crash, gone when we are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from abacus.local.emulated_stacks import LocalAws, data_stack, emulator, environment

pytestmark = pytest.mark.ministack


def put(aws: LocalAws, name: str) -> None:
    aws.dynamodb.put_item(TableName=aws.names["TalliesName"], Item={"experiment": {"S": name}, "cell": {"S": "total"}})


def stored(aws: LocalAws) -> list[str]:
    items = aws.dynamodb.scan(TableName=aws.names["TalliesName"])["Items"]
    return sorted(item["experiment"]["S"] for item in items)


def test_the_tables_are_what_the_template_says(ministack: str) -> None:
    aws = data_stack(ministack, "abacus-described-data")
    table = aws.dynamodb.describe_table(TableName=aws.names["ParticipantsName"])["Table"]
    keys = [key["AttributeName"] for key in table["KeySchema"]]
    ttl = aws.dynamodb.describe_time_to_live(TableName=aws.names["TalliesName"])["TimeToLiveDescription"]
    assert keys == ["visitor", "experiment"]
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_rows_survive_a_stop(tmp_path: Path) -> None:
    with emulator(tmp_path, persist=True) as (_, endpoint):
        put(data_stack(endpoint), "kept")
    with emulator(tmp_path, persist=True) as (_, endpoint):
        assert stored(data_stack(endpoint)) == ["kept"]


def test_rows_survive_a_crash_once_a_snapshot_was_taken(tmp_path: Path) -> None:
    with emulator(tmp_path, persist=True) as (child, endpoint):
        put(data_stack(endpoint), "kept")
        wait_for(lambda: "kept" in read(tmp_path / "aws" / "dynamodb.json"))
        child.process.kill()
    with emulator(tmp_path, persist=True) as (_, endpoint):
        assert stored(data_stack(endpoint)) == ["kept"]


def test_objects_survive_a_crash_before_the_first_snapshot(tmp_path: Path) -> None:
    with emulator(tmp_path, persist=True) as (child, endpoint):
        aws = data_stack(endpoint)
        put_page = {"ContentType": "text/html", "CacheControl": "max-age=30"}
        aws.s3.put_object(Bucket=aws.names["BucketName"], Key="site/a.html", Body=b"page", **put_page)  # type: ignore[arg-type]
        child.process.kill()
    assert not (tmp_path / "aws" / "cloudformation.json").exists()
    with emulator(tmp_path, persist=True) as (_, endpoint):
        aws = data_stack(endpoint)
        page = aws.s3.get_object(Bucket=aws.names["BucketName"], Key="site/a.html")
        assert (page["Body"].read(), page["ContentType"], page["CacheControl"]) == (b"page", "text/html", "max-age=30")
        assert data_stack(endpoint).names == aws.names


def test_nothing_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from abacus.local.emulated_stacks import emulator\n"
        "with emulator(pathlib.Path(sys.argv[1]), persist=False) as (child, _):\n"
        "    print(child.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: not alive(child))


def test_a_proxy_or_a_profile_of_the_user_does_not_reach_the_children() -> None:
    variables = environment("http://127.0.0.1:1", {"AWS_PROFILE": "work", "https_proxy": "http://proxy", "HOME": "/h"})
    assert "AWS_PROFILE" not in variables
    assert "https_proxy" not in variables
    assert variables["HOME"] == "/h"
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def wait_for(condition: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
