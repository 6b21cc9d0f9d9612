"""Events a second through the whole Lambda handler, beside one boto3 put_item an event, on the same stub table.

An event of API Gateway goes in, a response comes out: Chalice's routing, parsing, judging, hashing and one write a
request are in it. Neither side waits for a real network or table, so this is what our own code costs.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3

import app
from abacus.operations.capacity import EVENT_ID, VISITOR
from bench.support.rounds import medians
from bench.support.stub import stub
from chalicelib.domain.manifest import Experiment, GoalValue, Manifest, Phase, Segment, Variant
from chalicelib.domain.segments import VALUES
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage.retry import client_config

EVENTS = 600  # of each kind in each round
ROUNDS = 9
VISITORS = 50
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


def an_experiment(key: str) -> Experiment:
    """Running, two variants, everybody."""
    return Experiment(
        key=key,
        status="running",
        variants=(Variant(key="blue"), Variant(key="green")),
        phases=(Phase(weights=(0.5, 0.5)),),
        seed=key,
        goals=("signup",),
    )


def a_shop(key: str) -> Experiment:
    """The same with a goal that has values, and three segments."""
    value = GoalValue(unit="EUR", decimals=2, cap=50_000)
    segments = tuple(Segment(name=name, values=VALUES[name]) for name in ("device", "country", "visitor"))
    more = {"goals": ("signup", "purchase"), "goal_values": {"purchase": value}, "segments": segments}
    return an_experiment(key).model_copy(update=more)


SHOP = "shop"
MANIFEST = Manifest(experiments=(an_experiment("cta-color"), an_experiment("hero"), a_shop(SHOP)))


def request(body: str) -> dict[str, Any]:
    """What an HTTP API sends in payload format 1.0 for POST /events."""
    return {
        "version": "1.0",
        "resource": "/events",
        "path": "/events",
        "httpMethod": "POST",
        "headers": {"content-type": "application/json", "user-agent": CHROME, "host": "example.com"}
        | {"cloudfront-viewer-country": "CH"},
        "multiValueHeaders": {"content-type": ["application/json"], "user-agent": [CHROME], "host": ["example.com"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"resourcePath": "/events", "httpMethod": "POST", "identity": {"sourceIp": "192.0.2.1"}},
        "body": body,
        "isBase64Encoded": False,
    }


def bodies(batch: int, keys: Sequence[str] = ("cta-color",)) -> list[str]:
    """EVENTS events as bodies of `batch` each, in turn by VISITORS visitors, spread over the experiments `keys`. In the
    shop each goal has a value, and each impression says whether the visitor is new."""
    now = time.time_ns() // 1_000_000
    experiments = [experiment for key in keys for experiment in MANIFEST.experiments if experiment.key == key]
    made = []
    for number in range(EVENTS // batch):
        visitor = f"{number % VISITORS:0{VISITOR}d}"
        events = []
        for n in range(batch):
            experiment = experiments[n % len(experiments)]
            kind = ("impression", "click", "goal")[n // len(experiments) % 3]
            event: dict[str, Any] = {"id": f"{number * batch + n:0{EVENT_ID}d}", "type": kind}
            event |= {"experiment": experiment.key, "variant": experiment.assign(visitor, 0), "phase": 0}
            event |= {"at": now - 1000} | ({"goal": "signup"} if kind == "goal" else {})
            if experiment.key == SHOP:
                event |= {"goal": "purchase", "value": 49.9} if kind == "goal" else {}
                event |= {"segments": {"visitor": "new"}} if kind == "impression" else {}
            events.append(event)
        made.append(json.dumps({"visitor": visitor, "events": events}))
    return made


def handler(batch: int, keys: Sequence[str] = ("cta-color",)) -> Callable[[], None]:
    """The work: EVENTS events through the handler."""
    requests = [request(body) for body in bodies(batch, keys)]

    def work() -> None:
        for one in requests:
            answer = app.app(one, None)
            assert answer["statusCode"] == 202, answer
            assert f'"accepted":{batch},' in answer["body"], answer

    return work


def puts(client: Any) -> Callable[[], None]:
    """The peer: what the simplest tracker does, one item an event, and nothing else."""
    parsed = [json.loads(body) for body in bodies(1)]
    items = [
        {
            "visitor": {"S": body["visitor"]},
            "id": {"S": event["id"]},
            "type": {"S": event["type"]},
            "experiment": {"S": event["experiment"]},
            "variant": {"S": event["variant"]},
            "at": {"N": str(event["at"])},
        }
        for body in parsed
        for event in body["events"]
    ]

    def work() -> None:
        for item in items:
            client.put_item(TableName="events", Item=item)

    return work


def main() -> None:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    with stub(MANIFEST.model_dump_json()) as endpoint:

        def client(name: str) -> Any:
            return boto3.client(name, endpoint_url=endpoint, config=client_config(), **keys)  # type: ignore[call-overload]

        app.service = Service(Settings(), client)
        works = {
            ("boto3 put_item, one an event", 1): puts(boto3.client("dynamodb", endpoint_url=endpoint, **keys)),  # type: ignore[call-overload]
            ("handler, 1 event a request", 1): handler(1),
            ("handler, 3 events", 3): handler(3),
            ("handler, 3 events, a value, three segments", 3): handler(3, (SHOP,)),
            ("handler, 10 events", 10): handler(10),
            ("handler, 10 events, three values, three segments", 10): handler(10, (SHOP,)),
            ("handler, 10 events, half each in two experiments", 10): handler(10, ("cta-color", "hero")),
            ("handler, 100 events", 100): handler(100),
        }
        with contextlib.redirect_stdout(Path(os.devnull).open("w")):  # the app's log
            taken = medians(works, ROUNDS)
    peer = next(iter(taken.values()))
    print(f"{'':50}{'events/s':>9}{'ratio':>7}   {'CPU: events/s':>13}{'ratio':>7}{'ms a request':>14}")
    for (name, batch), (wall, cpu) in taken.items():
        print(
            f"{name:50}{EVENTS / wall:9,.0f}{peer.wall / wall:7.2f}   "
            f"{EVENTS / cpu:13,.0f}{peer.cpu / cpu:7.2f}{cpu / EVENTS * batch * 1000:14.2f}"
        )
