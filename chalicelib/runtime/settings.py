"""Everything the environment can say, read once. No other module looks at os.environ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Settings:
    """Names, limits and secrets of one deployment. The defaults serve `chalice package`, which imports app.py
    without an environment."""

    participants: str = "abacus-participants"
    tallies: str = "abacus-tallies"
    bucket: str = "abacus"
    spill_queue_url: str = ""
    # Chalice wants both ARNs when app.py is imported, and does not look at them until a deploy.
    participants_stream: str = "arn:aws:dynamodb:us-east-1:000000000000:table/abacus-participants/stream/unknown"
    spill_queue_arn: str = "arn:aws:sqs:us-east-1:000000000000:abacus-spill"
    stage: str = "dev"
    retention_days: int = 90
    spread: int = 2  # items each tally is spread over; more: more folds side by side, and a longer read
    read_key: str = ""  # empty: GET /stats is open
    origin_secrets: tuple[str, ...] = ()  # empty: requests need not come through the CDN
    sender_keys: Mapping[str, str] = field(default_factory=dict)  # client id → HMAC secret
    sender_keys_parameter: str = ""  # the SSM parameter that holds them instead, as the same JSON
    alert_topic: str = ""  # ARN of the SNS topic that alerts are sent to; empty: no e-mail
    alert_webhook: str = ""  # where alerts are posted: a URL, or {"url": ..., "secret": ...}; empty: nowhere
    alert_webhook_parameter: str = ""  # the SSM parameter that holds it instead
    results_url: str = ""  # the results page, for the links in alerts; empty: no links
    visitors_per_minute: int = 60  # new ones from one network and process; 0: no limit
    limit_loopback: bool = False  # whether that limit holds for this machine's own requests
    cookie_domain: str = ""  # e.g. example.com, where the tracker lives on a subdomain of the site

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Settings:
        """Settings from ABACUS_* variables. A wrong one raises ValueError that names variable and value."""

        def number(name: str, default: int, least: int) -> int:
            text = environ.get(name, "") or str(default)
            if not text.isdecimal() or int(text) < least:
                raise ValueError(f"{name}: {text!r} is not a whole number of at least {least}")
            return int(text)

        return cls(
            participants=environ.get("ABACUS_PARTICIPANTS") or cls.participants,
            tallies=environ.get("ABACUS_TALLIES") or cls.tallies,
            bucket=environ.get("ABACUS_BUCKET") or cls.bucket,
            spill_queue_url=environ.get("ABACUS_SPILL_QUEUE_URL", ""),
            participants_stream=environ.get("ABACUS_PARTICIPANTS_STREAM") or cls.participants_stream,
            spill_queue_arn=environ.get("ABACUS_SPILL_QUEUE_ARN") or cls.spill_queue_arn,
            stage=environ.get("ABACUS_STAGE") or cls.stage,
            # Rows must outlive the 7 days in which an event may still arrive, and the 14 that one may wait in the queue
            # or among its dead letters, or a visitor would count twice.
            retention_days=number("ABACUS_RETENTION_DAYS", cls.retention_days, 15),
            spread=number("ABACUS_SPREAD", cls.spread, 1),
            read_key=environ.get("ABACUS_READ_KEY", ""),
            origin_secrets=tuple(s for s in environ.get("ABACUS_ORIGIN_SECRETS", "").split(",") if s),
            sender_keys=secrets_in(environ.get("ABACUS_SENDER_KEYS") or "{}", "ABACUS_SENDER_KEYS"),
            sender_keys_parameter=environ.get("ABACUS_SENDER_KEYS_PARAMETER", ""),
            alert_topic=environ.get("ABACUS_ALERT_TOPIC", ""),
            alert_webhook=environ.get("ABACUS_ALERT_WEBHOOK", ""),
            alert_webhook_parameter=environ.get("ABACUS_ALERT_WEBHOOK_PARAMETER", ""),
            results_url=environ.get("ABACUS_RESULTS_URL", ""),
            visitors_per_minute=number("ABACUS_VISITORS_PER_MINUTE", cls.visitors_per_minute, 0),
            limit_loopback=environ.get("ABACUS_LIMIT_LOOPBACK", "") not in ("", "0"),
            cookie_domain=environ.get("ABACUS_COOKIE_DOMAIN", ""),
        )


def secrets_in(text: str, name: str) -> dict[str, str]:
    """Secrets by client id from JSON. Raises ValueError that names where it stood, and does not repeat it."""
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or not all(isinstance(v, str) and v for v in parsed.values()):
        raise ValueError(f'{name} must be a JSON object such as {{"shop": "a long secret"}}')
    return parsed
