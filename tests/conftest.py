"""What all suites share: how Hypothesis runs, and one local AWS for the whole run, empty for each test."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import hypothesis
import pytest

from abacus.local.emulated_stacks import LocalAws, data_stack, emulator
from tests.support.aws_rules import checker
from tests.support.browsers import missing
from tests.support.product import Product, start

checker.install()  # before any client exists

# A busy machine is no failure: how long an example takes is not what any property is about.
hypothesis.settings.register_profile("abacus", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
# `make mutants` runs thousands of tests that fail: a few examples show it, the shortest one is not needed.
hypothesis.settings.register_profile(
    "mutants",
    hypothesis.settings.get_profile("abacus"),
    max_examples=20,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    database=None,
)
hypothesis.settings.load_profile("abacus")


def pytest_configure(config: pytest.Config) -> None:
    missing.register(config)


@pytest.fixture(autouse=True)
def the_environment_is_left_as_it_was() -> Iterator[None]:
    """A command that runs in this process points its environment at an emulator; the next test must not follow it."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(autouse=True)
def every_request_keeps_to_the_rules_of_aws() -> Iterator[None]:
    """Fail a test that sends a request which AWS refuses, even if the code under test survives the exception."""
    checker.take_violations()
    yield
    assert checker.take_violations() == []


@pytest.fixture
def service_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """What the service logs, warnings and worse. Chalice, once app.py is imported, keeps its logger to itself."""
    monkeypatch.setattr(logging.getLogger("abacus"), "propagate", True)
    caplog.set_level(logging.WARNING, "abacus")
    return caplog


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of a ministack of our own, which keeps nothing and ends with the run."""
    with emulator(tmp_path_factory.mktemp("ministack"), persist=False) as (_, endpoint):
        yield endpoint


@pytest.fixture(scope="session")
def data(ministack: str) -> LocalAws:
    """The stack of infra/data.yaml in it, where nothing expires.

    Most tests live on a day of the past (`builders.NOON`), and the emulator deletes expired items once a minute."""
    aws = data_stack(ministack)
    for table in (aws.names["ParticipantsName"], aws.names["TalliesName"]):
        off = {"Enabled": False, "AttributeName": "expires_at"}
        aws.dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=off)  # type: ignore[arg-type]
    return aws


@pytest.fixture
def aws(data: LocalAws) -> LocalAws:
    """Clients (dynamodb, streams, s3, sqs) and names (the stack's outputs), with tables, queue and bucket empty."""
    for table, keys in (("ParticipantsName", "visitor, experiment"), ("TalliesName", "experiment, cell")):
        name = data.names[table]
        for page in data.dynamodb.get_paginator("scan").paginate(TableName=name, ProjectionExpression=keys):
            for key in page["Items"]:
                data.dynamodb.delete_item(TableName=name, Key=key)
    data.sqs.purge_queue(QueueUrl=data.names["SpillQueueUrl"])
    for page in data.s3.get_paginator("list_objects_v2").paginate(Bucket=data.names["BucketName"]):
        for item in page.get("Contents", []):
            data.s3.delete_object(Bucket=data.names["BucketName"], Key=item["Key"])
    return data


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole product, running, without simulated visitors; `product.base_url` is where."""
    running = start(tmp_path_factory.mktemp("product") / "state")
    assert running.base_url, running.said
    yield running
    running.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first deploy comes first: each of its tests goes on where the last one stopped, and pytest-xdist takes work
    over from the end of a process's list, so what comes first stays in one process."""
    items.sort(key=lambda item: "tests/deploy/test_deploy.py" not in item.nodeid)
