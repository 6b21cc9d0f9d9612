"""The official OpenFeature providers against POST /ofrep. The expected values come from GrowthBook's JavaScript SDK:
other code, another protocol, the same visitors."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

from abacus.authoring.load import load
from abacus.growthbook.payload import payload
from abacus.local.emulated_stacks import LocalAws
from abacus.paths import PROJECT, node
from tests.api.served import served
from tests.api.test_app import Api
from tests.support.growthbook_sdks import (
    NOW,
    PLACES,
    assigned_by_javascript,
    told,
    visitors,
)

pytestmark = pytest.mark.ministack

EVERYTHING = load(PROJECT / "tests/fixtures/manifest")
# Redirects are no features in GrowthBook's payload, so its SDK says nothing of them as a flag.
# Payloads of several types are left out: OpenFeature asks for a flag by one type.
FLAGS = [e for e in EVERYTHING.experiments if e.status != "draft" and e.redirect is None and e.key != "three"]
TYPES = dict.fromkeys((e.key for e in FLAGS), "string")
COUNT = 2_000
SHOP = "the shop, as a Swiss pro"


@pytest.fixture
def base_url(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The app on a port of its own, as `chalice local` serves it, with the manifest that has every kind in it."""
    service = Api(aws, monkeypatch)
    service.configure(stage="local")  # prints no metrics
    service.publish(EVERYTHING)
    with served(monkeypatch) as url:
        yield url


def asked(provider: str, base_url: str, contexts: list[dict[str, Any]], types: dict[str, str]) -> list[dict[str, Any]]:
    question = json.dumps({"provider": provider, "baseUrl": base_url, "contexts": contexts, "types": types})
    done = subprocess.run(
        [node(), str(PROJECT / "tests/openfeature/providers.mjs")],
        input=question,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expected_variants(place: str, ids: list[str]) -> list[dict[str, tuple[Any, bool]]]:
    """Visitor by visitor: experiment → (value, enrolled), as GrowthBook's SDK decides."""
    url, attributes = PLACES[place]
    answers = assigned_by_javascript(payload(EVERYTHING, NOW), url, told(url, attributes), ids)
    flags = {e.key for e in FLAGS}
    return [{k: (value, chosen is not None) for k, (chosen, value) in row.items() if k in flags} for row in answers]


def test_the_web_provider_agrees_with_growthbooks_sdk_for_two_thousand_visitors(base_url: str) -> None:
    url, attributes = PLACES[SHOP]
    ids = visitors(COUNT)
    contexts = [{"attributes": {**attributes, "url": url, "targetingKey": visitor}} for visitor in ids]
    answers = asked("web", base_url, contexts, TYPES)
    actual = [{key: (value, enrolled) for key, (_, value, _, enrolled) in row.items()} for row in answers]
    assert actual == expected_variants(SHOP, ids)
    reasons = {reason for row in answers for _, _, reason, _ in row.values()}
    assert reasons == {"SPLIT", "DEFAULT", "DISABLED", "STATIC"}


def test_the_server_provider_agrees_with_growthbooks_sdk_for_two_thousand_visitors(base_url: str) -> None:
    url, attributes = PLACES[SHOP]
    ids = visitors(COUNT)
    only = [list(TYPES)[index % len(TYPES)] for index in range(COUNT)]
    contexts = [
        {"only": [key], "attributes": {**attributes, "url": url, "targetingKey": visitor}}
        for visitor, key in zip(ids, only, strict=True)
    ]
    answers = asked("server", base_url, contexts, TYPES)
    actual = [(row[key][1], row[key][3]) for row, key in zip(answers, only, strict=True)]
    assert actual == [row[key] for row, key in zip(expected_variants(SHOP, ids), only, strict=True)]


def test_the_server_provider_gives_its_default_for_a_flag_that_is_not_published(base_url: str) -> None:
    context = {"attributes": {"targetingKey": "v1"}}
    assert asked("server", base_url, [context], {"secret": "string"}) == [{"secret": [None, "", "ERROR", None]}]


def test_the_python_provider_agrees_with_growthbooks_sdk_for_two_thousand_visitors(base_url: str) -> None:
    url, attributes = PLACES[SHOP]
    ids = visitors(COUNT)
    only = [list(TYPES)[index % len(TYPES)] for index in range(COUNT)]
    api.set_provider(OFREPProvider(base_url))
    client = api.get_client()
    actual = []
    for visitor, key in zip(ids, only, strict=True):
        details = client.get_string_details(key, "?", EvaluationContext(visitor, {**attributes, "url": url}))
        actual.append((details.value, details.flag_metadata["enrolled"]))
    api.shutdown()
    assert actual == [row[key] for row, key in zip(expected_variants(SHOP, ids), only, strict=True)]
