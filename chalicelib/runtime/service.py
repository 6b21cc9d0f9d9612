"""The wiring: one service per process. Each part is made at its first use, because a client takes half a second to make
and `chalice package` imports app.py without credentials. What no request needs is imported then as well."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from chalicelib.ingestion.network_limit import NetworkLimit
from chalicelib.ingestion.pipeline import Ingest
from chalicelib.ingestion.rows.spill import Spill, sqs_spill
from chalicelib.ingestion.sender import CachedSecrets
from chalicelib.runtime.meter import Meter
from chalicelib.runtime.settings import Settings, secrets_in
from chalicelib.storage.dynamodb import DynamoStore
from chalicelib.storage.manifest_cache import FRESH_LOCALLY_MS, FRESH_MS, ManifestCache
from chalicelib.storage.refusals import Refusals
from chalicelib.storage.retry import Patience, client_config

if TYPE_CHECKING:
    from chalicelib.counting.fold import Fold


def version() -> str:
    """An optimistic lock: a random token that no other write has."""
    return secrets.token_urlsafe(9)


CALL = 2.0  # seconds that a call may take, and then that it is tried again


def aws_client(name: str, *, read_timeout: float = CALL) -> Any:
    """An AWS client that reaches everything through the standard variables, AWS_ENDPOINT_URL among them."""
    return _session().create_client(name, config=client_config(read_timeout=read_timeout))


@cache
def _session() -> Any:
    # Not boto3, which makes the same clients but takes a tenth of the cold start to load; and not at the top:
    # `import app` must stay cheap for what needs no client.
    from botocore.session import Session

    return Session()


@dataclass(frozen=True)
class Service:
    """`client(name)` makes an AWS client; each is made when it is first needed. `journal`: see Ingest. `seconds`:
    how long a call of the tables is tried again."""

    settings: Settings
    client: Callable[[str], Any] = aws_client
    journal: Spill | None = None
    seconds: float = CALL

    @cached_property
    def store(self) -> DynamoStore:
        """The two tables."""
        tables = self.settings.participants, self.settings.tallies
        return DynamoStore(self.client("dynamodb"), *tables, patience=Patience(budget=self.seconds))

    @cached_property
    def catalog(self) -> ManifestCache:
        """The published manifest, cached; on a developer's machine for a second, who has just published it."""
        fresh_ms = FRESH_LOCALLY_MS if self.settings.stage == "local" else FRESH_MS
        return ManifestCache(self.client("s3"), self.settings.bucket, fresh_ms)

    @cached_property
    def sender_keys(self) -> CachedSecrets:
        """The secrets of signed senders: from an SSM parameter where one is named, else from the environment."""
        name = self.settings.sender_keys_parameter

        def read() -> Mapping[str, str]:
            if not name:
                return self.settings.sender_keys
            answer = self.client("ssm").get_parameter(Name=name, WithDecryption=True)
            return secrets_in(answer["Parameter"]["Value"], f"the SSM parameter {name}")

        return CachedSecrets(read)

    @cached_property
    def refusals(self) -> Refusals:
        """Counts refused events and writes the counts now and then."""
        return Refusals(self.store, self.settings.spread, random.randrange)

    @cached_property
    def meter(self) -> Meter:
        """Metrics in the log, where CloudWatch finds them; none on a developer's machine."""
        stage = self.settings.stage
        return Meter(f"abacus-{stage}", None if stage == "local" else print)

    @cached_property
    def ingest(self) -> Ingest:
        """Receives events."""
        queue = self.settings.spill_queue_url
        return Ingest(
            store=self.store,
            catalog=self.catalog,
            spill=sqs_spill(self.client("sqs"), queue) if queue else None,
            retention_days=self.settings.retention_days,
            version=version,
            count_refusals=self.refusals.count,
            count_outcomes=self.meter.note,
            limit=NetworkLimit(
                self.settings.visitors_per_minute, time.monotonic, loopback=self.settings.limit_loopback
            ),
            journal=self.journal,
        )

    @cached_property
    def fold(self) -> Fold:
        """Moves events from the rows into the tallies."""
        from chalicelib.counting.fold import Fold

        return Fold(
            store=self.store,
            spread=self.settings.spread,
            random_below=random.randrange,
            version=version,
            patience=Patience(budget=max(20.0, self.seconds)),
        )


def from_environment(*, seconds: float = CALL) -> Service:
    """The service of this process. `seconds`: how long a call of the tables may take, and is tried again. Raises
    ValueError for a wrong setting."""
    return Service(Settings.of(os.environ), partial(aws_client, read_timeout=seconds), seconds=seconds)
