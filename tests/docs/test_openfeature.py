"""The hook in docs/openfeature.md, byte for byte as it stands there, counts what a visitor was shown."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

import app
from abacus.local.emulated_stacks import LocalAws
from abacus.paths import PROJECT, node
from tests.api.served import served
from tests.api.test_app import Api
from tests.support.builders import a_manifest, a_visitor, an_experiment

pytestmark = pytest.mark.ministack

PAGE = (PROJECT / "docs/openfeature.md").read_text()
SHOW = """
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
const baseUrl = process.env.BASE_URL;
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl }));
const client = OpenFeature.getClient();
client.addHooks(new CountImpressions(baseUrl, "shop", "a long secret"));
for (const targetingKey of JSON.parse(process.env.VISITORS)) {
  await client.getStringValue("cta-color", "blue", { targetingKey });
  await client.getStringValue("over", "blue", { targetingKey });
}
process.exit(0);
"""


def test_the_hook_counts_an_impression_of_each_enrolled_visitor(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    (hook,) = re.findall(r"```js\n(import \{ createHmac.*?)```", PAGE, re.S)
    api = Api(aws, monkeypatch)
    api.configure(stage="local", sender_keys={"shop": "a long secret"})
    api.publish(a_manifest(an_experiment(), an_experiment("over", status="stopped", winner="green")))
    shown = [a_visitor("green", nth=n) for n in range(3)] + [a_visitor("blue")]
    with served(monkeypatch) as url:
        subprocess.run(
            [node(), "--input-type=module", "-"],
            input=hook + SHOW,
            env={"BASE_URL": url, "VISITORS": json.dumps(shown), "PATH": ""},
            cwd=PROJECT,
            text=True,
            check=True,
            timeout=120,
        )
    participants = sorted((row.key.experiment, row.key.visitor) for row in app.service.store.scan())
    assert participants == sorted(("cta-color", visitor) for visitor in shown)
    variants = {v["variant"]: v["impressions"] for v in api.stats()["variants"]}
    assert variants == {"green": 3, "blue": 1}
