"""The price of ABacus on AWS: measured use times list prices. All amounts are in dollars, before any free tier.

The price of a request leaves out: delivery of ab.js and the site, storage (`storage`), the firewall, and what is paid
each month without traffic (`at_rest`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from abacus.operations import prices
from abacus.operations.capacity import EVENT_ID, NOON, VISITOR, Workload, recorded
from abacus.operations.metering import READ, WRITE, Use, item_size
from abacus.paths import PROJECT
from chalicelib.runtime.meter import Meter

GB = 1e9  # bytes
MONTH = 30 * 86400  # seconds
FULL_CORE = 1769  # MB of memory at which a function has one whole core; Lambda developer guide, "memory"

# Measured by `python -m bench ingest fold` on a core of the developer's machine; a slower one changes little, for all
# of Lambda's time is a few cents a million.
CPU_REQUEST = 0.0018  # seconds, up to ten events
CPU_ROW = 0.0005  # seconds, to fold one
CPU_CHECK = 0.00005  # seconds, for reconcile to look at one (chalicelib/counting/reconcile.py)
ROWS_A_RUN = 5_000_000  # that reconcile reads in its 15 minutes; CPU_CHECK alone would allow ten million
TABLE_CALL = 0.005  # seconds that a function waits for a table; assumed
REQUEST_HEADERS, ANSWER = 1000, 1000  # bytes that browser and CloudFront send around a body; roughly
PLATFORM_LOG = 3 * 26 + 350  # what Lambda itself logs of a call: three lines, 26 bytes of each for CloudWatch
API_LOG = 26 + 220  # a line of the HTTP API's access log (infra/edge.yaml)
BATCH = 200  # records that the fold is called with at most
POLLS = 5 * MONTH / 20  # of a trigger at an idle queue: five at once, of 20 s; Lambda developer guide, "SQS scaling"
PARTITION = 1000  # write units a second that one partition of a table takes
METRICS = 12  # of an experiment that runs: accepted, repeated, Latency of three routes, Folded, Late and their kin
SHARDS = 4  # of a new table's stream: it starts with 4,000 write units a second
USUAL = 3  # events a request: an impression with a click or a goal, or the impressions of three experiments
BUSY, QUIET = 25, 1  # rows that one fold counts together, on a site with many visitors and on one with few


class FunctionSettings(NamedTuple):
    """What is deployed: megabytes of memory, and seconds that the fold waits for more records."""

    memory: int
    window: int

    @classmethod
    def shipped(cls) -> FunctionSettings:
        """What .chalice/ deploys by default."""
        config = json.loads((PROJECT / ".chalice" / "config.json").read_text())
        package = json.loads((PROJECT / ".chalice" / "package.json").read_text())
        functions = config["stages"]["prod"]["lambda_functions"]
        return cls(
            functions["api_handler"]["lambda_memory_size"], package["Parameters"]["FoldWindowSeconds"]["Default"]
        )


def request(use: Use, scenario: Workload, memory: int) -> dict[str, float]:
    """Dollars for a million requests, line by line, its share of folding included."""
    folds = 1 / scenario.together  # calls of the fold
    rows = scenario.experiments
    cpu = (CPU_REQUEST + CPU_ROW * rows) * max(1.0, FULL_CORE / memory)
    seconds = cpu + use.calls * TABLE_CALL
    sent = REQUEST_HEADERS + body_bytes(scenario.events)
    per_request = {
        "CloudFront, requests": prices.CDN_REQUEST.of(1),
        "CloudFront, bytes": prices.CDN_OUT.of(ANSWER / GB) + prices.CDN_TO_ORIGIN.of(sent / GB),
        "HTTP API": prices.HTTP_API_CALL.of(1),
        "Lambda, calls": prices.LAMBDA_CALL.of(1 + folds),
        "Lambda, time": prices.LAMBDA_TIME.of(memory / 1024 * seconds),
        "DynamoDB, writes": prices.WRITE_UNIT.of(use.written),
        "DynamoDB, reads": prices.READ_UNIT.of(use.read),
        "DynamoDB, stream": prices.STREAM_READ.of(folds),
        "CloudWatch, logs": prices.LOG.of(log_bytes(scenario.events, folds) / GB),
    }
    return {line: dollars * prices.MILLION for line, dollars in per_request.items()}


def events(use: Use, scenario: Workload, memory: int) -> dict[str, float]:
    """Dollars for a million events."""
    return {line: dollars / scenario.events for line, dollars in request(use, scenario, memory).items()}


def body_bytes(events: int) -> int:
    """Bytes of a request's body, as the snippet writes it."""
    event = {"id": "0" * EVENT_ID, "type": "impression", "experiment": "cta-color", "variant": "green", "phase": 0}
    body = {"visitor": "0" * VISITOR, "events": [event | {"at": NOON}] * events}
    return len(json.dumps(body, separators=(",", ":")))


def log_bytes(events: int, folds: float) -> float:
    """Bytes that one request puts into the logs, its share of the fold included."""
    lines: list[str] = []
    meter = Meter("abacus-prod", lines.append)
    for _ in range(2):  # the first says that it started cold
        meter.note({"accepted": events})
        meter.request("POST /events", 202, ms=10.5, now_ms=NOON)
    meter.batch("fold", {"Folded": events * 25, "Stale": 0}, now_ms=NOON)
    _, request, fold = (26 + len(line) for line in lines)
    return request + PLATFORM_LOG + API_LOG + folds * (fold + PLATFORM_LOG)


def together(requests: float, window: float) -> float:
    """How many rows a fold is called with at `requests` a second: what comes in `window` seconds, parted among the
    shards. A partition takes 1,000 write units a second and has one shard; a request takes three of the rows' table."""
    return max(1, min(BATCH, requests * max(window, 1) / max(SHARDS, requests * 3 / PARTITION)))


def at_traffic(measured: Mapping[Workload, list[Use]], requests: float, settings: FunctionSettings) -> float:
    """Dollars for a million events at `requests` a second of three events each, by the nearest scenario below."""
    rows_together = together(requests, settings.window)
    plain = [s for s in measured if (s.events, s.experiments, s.days, s.segments) == (3, 1, 1, 0)]
    nearest = max((s for s in plain if s.together <= rows_together), key=lambda s: s.together)
    return sum(events(measured[nearest][0], nearest, settings.memory).values())


class StoredRows(NamedTuple):
    """The rows of a site.

    Attributes:
        gb: as DynamoDB stores them.
        parts: days until reconcile has read as many rows as there are.
        dollars: a month, line by line."""

    rows: float
    gb: float
    parts: int
    dollars: Mapping[str, float]


def row_size(events: int) -> int:
    """Bytes of a row with so many events, all of them counted."""
    element = f"i|green|0|{NOON}|{'0' * EVENT_ID}"
    return item_size(
        {
            "visitor": {"S": "0" * VISITOR},
            "experiment": {"S": "cta-color"},
            "counted": {"SS": [element] * events},
            "version": {"S": "0" * 12},
            **{name: {"N": "10"} for name in ("received", "folded", "gen")},
            "expires_at": {"N": str(NOON // 1000)},
        }
    )


def refused_write(events: int) -> float:
    """Write units of a request that a row refuses because it is full: DynamoDB bills the row as it is."""
    return max(1, ceil(row_size(events) / WRITE))


def storage(events_a_month: float, events_a_row: int, kept_days: int) -> StoredRows:
    """The rows that stay, where `events_a_month` come every month.

    Reconcile reads them once a day, strongly consistent, and at most ROWS_A_RUN of them a run."""
    size, overhead = row_size(events_a_row), 100  # bytes; and those that DynamoDB adds to an item that is stored
    rows = events_a_month / events_a_row * kept_days * 86400 / MONTH
    gb = rows * (size + overhead) / GB
    parts = max(1, -(-round(rows) // ROWS_A_RUN))
    read = rows / parts * MONTH / 86400  # a month
    return StoredRows(
        rows,
        gb,
        parts,
        {
            "stored": prices.TABLE_STORAGE.of(gb),
            "backed up": prices.TABLE_BACKUP.of(gb),
            "reconcile, reads": prices.READ_UNIT.of(read * size / READ),
            "reconcile, time": prices.LAMBDA_TIME.of(read * CPU_CHECK * FULL_CORE / 1024),
        },
    )


def at_rest() -> dict[str, float]:
    """Dollars a month without a visitor, before the free tier."""
    return {
        "spill queue, asked by its trigger": prices.QUEUE_CALL.of(POLLS),
        "daily reconcile": prices.LAMBDA_CALL.of(30) + prices.LAMBDA_TIME.of(30 * 3),
    }


def custom_metrics() -> float:
    """Dollars a month with visitors: each deployed stage sends its metrics, and no option turns them off.

    AWS bills a metric by the hours in which it is sent; this is the price of traffic in every hour."""
    return prices.METRIC.of(METRICS)


# Read units of a look at an experiment of two variants: eleven full days of hours, three weeks of cohorts.
ALERT_READS = 14.5
ALERT_SECONDS = 0.5  # of a look; assumed


def alerts(experiments: int) -> float:
    """Dollars a month for looking at so many running experiments every hour (chalicelib/alerting)."""
    rounds = MONTH / 3600
    reads = prices.READ_UNIT.of(rounds * experiments * ALERT_READS) + prices.S3_READ.of(rounds)
    return reads + prices.LAMBDA_CALL.of(rounds) + prices.LAMBDA_TIME.of(rounds * experiments * ALERT_SECONDS)


MONTHLY = {
    "AWS::CloudWatch::Alarm": prices.ALARM,
    "AWS::CloudWatch::CompositeAlarm": prices.COMPOSITE_ALARM,
    "AWS::CloudWatch::Dashboard": prices.DASHBOARD,
    "AWS::WAFv2::WebACL": prices.FIREWALL,
    "RateBasedStatement": prices.FIREWALL_RULE,
}


def stack_at_rest(template: str) -> float:
    """Dollars a month for having what a CloudFormation template (YAML) makes."""
    resources = Counter(re.findall(r"^\s+Type: (AWS::\S+)|^\s+(RateBasedStatement):", template, re.MULTILINE))
    return sum(MONTHLY[kind or rule].of(n) for (kind, rule), n in resources.items() if (kind or rule) in MONTHLY)


class PriceRange(NamedTuple):
    """Dollars, without any free tier: on a busy site, whose rows are counted together, and on a quiet one."""

    busy: float
    quiet: float


def million_events(events_per_request: int = USUAL) -> PriceRange:
    """What a million events cost. `events_per_request`: 1, 3 or 10, which are measured."""
    memory, measured = FunctionSettings.shipped().memory, recorded()

    def dollars(together: int) -> float:
        workload = Workload(events_per_request, together)
        return sum(events(measured[workload][0], workload, memory).values())

    return PriceRange(dollars(BUSY), dollars(QUIET))


def price_line(events_per_request: int = USUAL) -> str:
    """The price with its condition, in a line.

    >>> price_line()
    '$1.76 (busy site) to $3.19 (quiet site) per million events, at 3 events a request'
    """
    price = million_events(events_per_request)
    events = "1 event" if events_per_request == 1 else f"{events_per_request} events"
    return f"${price.busy:.2f} (busy site) to ${price.quiet:.2f} (quiet site) per million events, at {events} a request"
