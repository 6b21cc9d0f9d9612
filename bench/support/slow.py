"""The browser in which pages are timed: its processor slowed four times, on slow 4G."""

from __future__ import annotations

from playwright.sync_api import CDPSession, Page

SLOWER = 4  # times
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}  # ms, bytes/s


def slowed(page: Page) -> CDPSession:
    """Slow `page` down; the session by which it was told so."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_4G)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    return devtools
