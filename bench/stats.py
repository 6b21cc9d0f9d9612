"""GET /stats through the whole handler at a thousand to a million events, on the emulator: units read and milliseconds.

The tallies are made by the fold's own functions, from invented rows that are never written: a million events through
the emulator would take an hour, and the answer never looks at a row. Beside it, what a tracker that keeps a table of
events has to do: read them all. CPU is ours alone; the rest of the time is the emulator's, which walks through all
items of an experiment for every query.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

import app
from abacus.local.emulated_stacks import REGION, LocalAws, data_stack, emulator
from abacus.operations.metering import metered
from bench.ingest import a_shop, an_experiment
from bench.support.rounds import medians
from chalicelib.counting.contribution import contribution
from chalicelib.counting.fold import bookings
from chalicelib.domain.clock import now_ms
from chalicelib.domain.manifest import Manifest
from chalicelib.runtime.service import Service
from chalicelib.runtime.settings import Settings
from chalicelib.storage.manifest_cache import LIVE
from chalicelib.storage.retry import client_config
from chalicelib.storage.store import Booking
from chalicelib.storage.tally import Tallies, Tally

SIZES = (1_000, 10_000, 100_000, 1_000_000)  # events
PEER_SIZES = (1_000, 10_000)
DAYS = 7
ROWS = 25  # a transaction: each draws a spread
ROUNDS = 9
SPREAD = 2
SHOP, SHOP_EVENTS = "shop", 10_000
SEGMENTS = ("device=mobile", "country=CH", "visitor=new"), ("device=desktop", "country=US", "visitor=returning")


def tallied(experiment: str, events: int, rng: random.Random, now: int) -> list[Booking]:
    """The items that folding so many events would leave: each visitor one impression, a third of them a click."""
    items: dict[str, Counter[str]] = defaultdict(Counter)
    made = number = 0
    while made < events:
        deltas: Tallies = {}
        for _ in range(ROWS):
            variant = ("blue", "green")[number % 2]
            at = now - rng.randrange(DAYS * 86_400_000)
            row = [f"i|{variant}|0|{at}|{number}"] + [f"c|{variant}|0|{at + 1}|c{number}"] * (number % 3 == 0)
            if experiment == SHOP:
                row[0] += f"|||{','.join(SEGMENTS[number // 2 % 2])}"
                row += [f"g:purchase|{variant}|0|{at + 2}|g{number}||4990^50000"] * (number % 9 == 0)
            for cell, tally in contribution(row, len(row)).items():
                deltas.setdefault(cell, Tally()).add(tally)
            made += len(row)
            number += 1
        for booking in bookings({(experiment, 0): deltas}, now, rng.randrange(SPREAD)):
            items[booking.cell].update(booking.numbers)
    return [Booking(experiment, cell, numbers) for cell, numbers in items.items()]


def get(path: str, query: dict[str, str], **parameters: str) -> Callable[[], None]:
    """The work: one GET through the handler."""
    request = {
        "resource": path,
        "path": path,
        "httpMethod": "GET",
        "headers": {},
        "multiValueHeaders": {},
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {"resourcePath": path, "httpMethod": "GET", "identity": {}},
        "body": None,
        "isBase64Encoded": False,
    }

    def work() -> None:
        answer = app.app(request, None)
        assert answer["statusCode"] == 200, answer

    return work


def scan(aws: LocalAws, events: int) -> Callable[[], None]:
    """The peer: a table of one item an event, read whole to count impressions and clicks by variant."""
    table, client = f"events-{events}", aws.dynamodb
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    for start in range(0, events, 25):
        items: list[Any] = [
            {"id": {"S": f"{n:020d}"}, "visitor": {"S": f"{n:022d}"}, "type": {"S": "impression"}}
            | {"variant": {"S": ("blue", "green")[n % 2]}, "at": {"N": str(n)}, "experiment": {"S": "cta-color"}}
            for n in range(start, start + 25)
        ]
        client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]})

    def work() -> None:
        counts: Counter[tuple[str, str]] = Counter()
        for page in client.get_paginator("scan").paginate(TableName=table):
            counts.update((item["variant"]["S"], item["type"]["S"]) for item in page["Items"])
        assert sum(counts.values()) == events

    return work


def main() -> None:
    now, rng = now_ms(), random.Random(1)
    experiments = {size: an_experiment(f"events-{size}") for size in SIZES}
    manifest = Manifest(experiments=(*experiments.values(), a_shop(SHOP)))
    with tempfile.TemporaryDirectory() as home, emulator(Path(home), persist=False) as (_, endpoint):
        aws = data_stack(endpoint)
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": REGION}
        clients: dict[str, Any] = {
            name: boto3.client(name, endpoint_url=endpoint, config=client_config(read_timeout=30), **keys)  # type: ignore[call-overload]
            for name in ("dynamodb", "s3")
        }
        settings = Settings(aws.names["ParticipantsName"], aws.names["TalliesName"], aws.names["BucketName"])
        app.service = Service(settings, clients.__getitem__)
        aws.s3.put_object(Bucket=settings.bucket, Key=LIVE, Body=manifest.model_dump_json().encode())
        items = {}
        for size, experiment in experiments.items():
            left = tallied(experiment.key, size, rng, now)
            app.service.store.book(left)
            items[size] = len(left)
        app.service.store.book(tallied(SHOP, SHOP_EVENTS, rng, now))

        path = "/stats/{experiment}"
        works = {
            f"{size:>9,} events, {items[size]:,} items, series={series}": get(
                path, {"series": series}, experiment=experiments[size].key
            )
            for series in ("none", "day")
            for size in SIZES
        }
        shop = f"{SHOP_EVENTS:>9,} events, values and segments"
        works[f"{shop}, series=none"] = get(path, {"series": "none"}, experiment=SHOP)
        works[f"{shop}, by=device"] = get(path, {"by": "device"}, experiment=SHOP)
        works[f"GET /stats, all {len(SIZES) + 1} experiments"] = get("/stats", {})
        works |= {f"{size:>9,} events, scanned (peer)": scan(aws, size) for size in PEER_SIZES}
        with contextlib.redirect_stdout(Path(os.devnull).open("w")):  # the app's log
            units = {}
            for name, work in works.items():
                with metered(aws.dynamodb if "peer" in name else clients["dynamodb"]) as use:
                    work()
                units[name] = use.read
            taken = medians(works, ROUNDS)
    print(f"{'':54}{'RRU':>8}{'ms':>9}{'CPU ms':>9}")
    for name, (wall, cpu) in taken.items():
        print(f"{name:54}{units[name]:8.1f}{wall * 1000:9.1f}{cpu * 1000:9.1f}")
