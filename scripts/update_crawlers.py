"""`make crawlers`: reduce the crawler-user-agents package to the patterns that chalicelib/ingestion/sender.py needs."""

from __future__ import annotations

import json
import re

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from abacus.paths import PROJECT

# Patterns of the package that flag people, and what is used in their place; None: nothing. Found by the user agents of
# people in the fixtures of device-detector, which the test reads: a phone's build id, in-app browsers, names of phones.
REPLACED: dict[str, str | None] = {
    r"AP3A\.240617\.008": None,  # the build id of Android 15 on every OPPO, realme and Infinix
    "Viber": None,  # its in-app browser
    "Fluid": None,
    r"Code\/1\.": None,
    "Podimo": None,
    "Sogou": "Sogou (web|inst|head|Pic|News|Orion|Test)|Sogou-Test",  # not its browser
    "Sonic": r"\bSonic/",  # not ViewSonic, nor the phones of that name
    "Butterfly": "^Butterfly",  # not HTC_Butterfly
    "Fever": "^Fever/",
    "Expanse": "^Expanse",
    r"008\/": r"(^|[ ;(])008\/",  # not a model that ends so
    "Chirp|gotosocial": "gotosocial",
}
MISSING = ("CloudflareObservatory", "GomezAgent")

LIST = PROJECT / "chalicelib" / "ingestion" / "crawlers.json"


def patterns() -> list[str]:
    """The expressions of every crawler and headless browser; not those of HTTP libraries."""
    listed = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA if "http-library" not in entry["tags"]]
    patterns = [REPLACED.get(pattern, pattern) for pattern in listed]
    return sorted({pattern for pattern in (*patterns, *MISSING) if pattern is not None})


def plain(pattern: str) -> str | None:
    r"""The one text that `pattern` finds; None: it finds several.

    >>> plain(r"Criticalcss\.com"), plain("Livelap[bB]ot")
    ('Criticalcss.com', None)
    """
    if re.search(r"[\\.^$*+?()\[\]{}|]", re.sub(r"\\[^A-Za-z0-9]", "", pattern)):
        return None
    return re.sub(r"\\([^A-Za-z0-9])", r"\1", pattern)


def text() -> str:
    """The content of crawlers.json. Plain texts are apart: compiling them all would delay a function's first event."""
    texts = {pattern: plain(pattern) for pattern in patterns()}
    content = {
        "texts": [text for text in texts.values() if text is not None],
        "patterns": [pattern for pattern, text in texts.items() if text is None],
    }
    return json.dumps(content, indent=0, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    LIST.write_text(text())
