"""Does the user agent name a bot? Crawlers and headless browsers do. HTTP libraries such as curl are no bots: back ends
send events with them.

The list is crawler-user-agents (MIT, monthly), reduced by `make crawlers` to what is in crawlers.json.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def _patterns() -> list[re.Pattern[str]]:
    # In chunks: one expression of 1,400 alternatives costs more to compile than all requests it will ever see.
    patterns = json.loads(Path(__file__).with_name("crawlers.json").read_text())
    return [re.compile("|".join(patterns[i : i + 50])) for i in range(0, len(patterns), 50)]


@lru_cache(maxsize=1024)
def is_bot(user_agent: str) -> bool:
    """Whether `user_agent` is a self-declared crawler or headless browser."""
    return any(pattern.search(user_agent) for pattern in _patterns())
