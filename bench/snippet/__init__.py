"""What the snippet costs a page: the part that blocks it, and the whole."""

from __future__ import annotations

from bench.snippet import blocking, page


def main() -> None:
    blocking.main()
    print()
    page.main()
