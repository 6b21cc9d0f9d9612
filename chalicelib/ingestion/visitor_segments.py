"""The segments of an impression: what the request shows of its sender, and what the page says of its visitor.

Of a User-Agent two words are kept: the kind of device and the family of browser. Browsers on iPads say that they are
Macs, so they count as desktop. Pages that an app on an iPhone shows name no browser: they are `other`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from chalicelib.domain.manifest import Experiment
from chalicelib.domain.segments import marker
from chalicelib.ingestion.sender import Sender

# The first that matches decides: most browsers name older ones too, and a tablet may say `Mobile`.
_DEVICES = (
    ("tablet", re.compile(r"iPad|Tablet|Kindle|Silk/|PlayBook|Android(?!.*Mobile)")),
    ("mobile", re.compile(r"Mobi|iPhone|iPod|Windows Phone|Opera Mini")),
    ("desktop", re.compile(r"Windows NT|Macintosh|X11|CrOS")),
)
_BROWSERS = (
    ("edge", re.compile(r"\b(Edg|EdgA|EdgiOS|Edge)/")),
    ("opera", re.compile(r"\b(OPR|OPT|OPiOS|Opera Mini|Opera)/")),
    ("samsung", re.compile(r"\bSamsungBrowser/")),
    ("firefox", re.compile(r"\b(Firefox|FxiOS)/")),
    ("chrome", re.compile(r"\b(Chrome|CriOS|Chromium)/")),
    ("safari", re.compile(r"\bVersion/.*\bSafari/")),
)


@lru_cache(maxsize=1024)  # all events of a request have one
def device(user_agent: str) -> str | None:
    """mobile, tablet or desktop; None: it does not say.

    >>> device("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) ... Mobile/15E148 Safari/604.1")
    'mobile'
    """
    return next((name for name, pattern in _DEVICES if pattern.search(user_agent)), None)


@lru_cache(maxsize=1024)
def browser(user_agent: str) -> str | None:
    """chrome, safari, firefox, edge, samsung or opera; None: none of them.

    >>> browser("Mozilla/5.0 (X11; Linux x86_64) ... Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0")
    'edge'
    """
    return next((name for name, pattern in _BROWSERS if pattern.search(user_agent)), None)


def segments_of(experiment: Experiment, sent: Mapping[str, str], sender: Sender) -> tuple[str, ...]:
    """A marker for each segment of the experiment, in the manifest's order.

    sent: what the event says, by segment. Device, browser and country come from the request itself, unless a back end
    signed it: then the request shows the back end, and only the event can say. A value that the manifest does not list
    is `other`, and so is one that is not known."""
    if not experiment.segments:
        return ()
    seen: Mapping[str, str | None] = sent if sender.signed else {**sent, **_seen(sender)}
    return tuple(marker(segment.name, segment.value_of(seen.get(segment.name))) for segment in experiment.segments)


def _seen(sender: Sender) -> dict[str, str | None]:
    return {
        "device": device(sender.user_agent),
        "browser": browser(sender.user_agent),
        "country": sender.country,
    }
