"""How long a fresh process takes until it can serve, beside the floor: pydantic and one boto3 client, and nothing else.

Each run is a process of its own, with compiled files on the disk; they take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from abacus.local.emulated_stacks import environment
from bench.ingest import MANIFEST, bodies, request
from bench.support.rounds import Taken
from bench.support.stub import stub

RUNS = 10
CLOCK = "import time; wall, cpu = time.perf_counter(), time.process_time()\n"
SAY = "\nprint(time.perf_counter() - wall, time.process_time() - cpu)"
PROGRAMS = {
    "floor: pydantic, boto3, a client": "from pydantic import BaseModel\nimport boto3\nboto3.client('dynamodb')",
    "import app (what Chalice does)": "import app",
    "app and its table client": "import app\napp.service.store",
    "floor: … and a put_item answered": (
        "from pydantic import BaseModel\nimport boto3\n"
        "boto3.client('dynamodb').put_item(TableName='events', Item={'id': {'S': '1'}})"
    ),
    "app and a POST /events answered": "import app\nassert app.app({request!r}, None)['statusCode'] == 202",
}


def run(program: str, endpoint: str) -> Taken:
    """One process: from its first line to its last."""
    done = subprocess.run(
        [sys.executable, "-c", CLOCK + program + SAY],
        env=environment(endpoint, os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path[:1])},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    return Taken(*map(float, done.stdout.splitlines()[-1].split()))  # before it: what the app logs


def main() -> None:
    with stub(MANIFEST.model_dump_json()) as endpoint:
        event = request(bodies(1)[0])
        programs = {name: program.replace("{request!r}", repr(event)) for name, program in PROGRAMS.items()}
        runs: dict[str, list[Taken]] = {name: [] for name in programs}
        for number in range(RUNS + 1):  # the first one compiles
            for name, program in programs.items():
                taken = run(program, endpoint)
                if number:
                    runs[name].append(taken)
    print(f"{'median of ' + str(RUNS):38}{'ms':>8}{'ratio':>8}   {'CPU: ms':>8}{'ratio':>8}")
    for name, all_ in runs.items():
        mine = Taken(median(t.wall for t in all_), median(t.cpu for t in all_))
        if name.startswith("floor"):
            floor = mine
        ratios = f"{mine.wall / floor.wall:8.2f}   {mine.cpu * 1000:8.0f}{mine.cpu / floor.cpu:8.2f}"
        print(f"{name:38}{mine.wall * 1000:8.0f}{ratios}")
