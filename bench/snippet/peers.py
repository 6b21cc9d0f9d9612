"""What other tools load in a page to show the same variant, each as its documentation says for the browser. Their npm
packages are installed on first use, into build/bench-snippet."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

from abacus.paths import PROJECT, search_path
from abacus.site.esbuild import esbuild

FOLDER = PROJECT / "build" / "bench-snippet"
PACKAGES = {"unleash-proxy-client": "3.8.2", "posthog-js": "1.449.2"}
GROWTHBOOK = PROJECT / "node_modules/@growthbook/growthbook/dist/bundles/auto.min.js"

UNLEASH = """
import { UnleashClient } from "unleash-proxy-client";
const client = new UnleashClient({ url: location.origin + "/unleash", clientKey: "key", appName: "bench" });
client.on("ready", () => document.documentElement.setAttribute("data-ab-hero", client.getVariant("hero").name));
client.start();
"""
POSTHOG = """
import posthog from "posthog-js/dist/module.no-external.js";
posthog.init("key", { api_host: location.origin, capture_pageview: true });
posthog.onFeatureFlags(() => document.documentElement.setAttribute("data-ab-hero", posthog.getFeatureFlag("hero")));
"""


@cache
def scripts() -> dict[str, bytes]:
    """File name → the script."""
    if any(_installed(name) != version for name, version in PACKAGES.items()):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "package.json").write_text('{"private": true}')
        wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
        subprocess.run(["npm", "install", "--silent", *wanted], cwd=FOLDER, check=True, env={"PATH": search_path()})
    return {
        "auto.min.js": GROWTHBOOK.read_bytes(),
        "unleash.js": esbuild(UNLEASH, FOLDER),
        "posthog.js": esbuild(POSTHOG, FOLDER),
    }


def _installed(name: str) -> str:
    file = FOLDER / "node_modules" / name / "package.json"
    return str(json.loads(file.read_text())["version"]) if file.exists() else ""


def answers(growthbook_experiments: list[dict[str, Any]]) -> dict[str, bytes]:
    """Path → what the peers' servers answer: every visitor gets the variant `bold`."""
    bold = {"name": "bold", "enabled": True, "feature_enabled": True}
    flags = {"featureFlags": {"hero": "bold"}, "featureFlagPayloads": {}, "errorsWhileComputingFlags": False}
    return {
        "api/features/abacus": _json({"status": 200, "features": {}, "experiments": growthbook_experiments}),
        "unleash": _json({"toggles": [{"name": "hero", "enabled": True, "impressionData": True, "variant": bold}]}),
        "flags/": _json(flags | {"flags": {"hero": {"key": "hero", "enabled": True, "variant": "bold"}}}),
    }


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
