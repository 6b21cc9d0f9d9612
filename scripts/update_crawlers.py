"""`make crawlers`: reduce the crawler-user-agents package to the patterns that chalicelib/ingestion/bots.py needs."""

from __future__ import annotations

import json

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from abacus.paths import PROJECT

LIST = PROJECT / "chalicelib" / "ingestion" / "crawlers.json"


def patterns() -> list[str]:
    """The expressions of every crawler and headless browser; not those of HTTP libraries."""
    return sorted(entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA if "http-library" not in entry["tags"])


def text() -> str:
    """The content of crawlers.json."""
    return json.dumps(patterns(), indent=0, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    LIST.write_text(text())
