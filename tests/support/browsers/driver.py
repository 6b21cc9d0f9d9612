"""What a test asks of a browser, whichever protocol drives it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any


class Driver(ABC):
    """One page of a visitor without a past."""

    @abstractmethod
    def visit(self, url: str) -> None:
        """Load `url` and wait until it has loaded."""

    @abstractmethod
    def back(self) -> None:
        """Go back one page, as the browser's button does."""

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, as JSON; a promise's once it is kept."""

    @abstractmethod
    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""

    @abstractmethod
    def close(self) -> None:
        """Forget the visitor."""

    def wait_for(self, expression: str, seconds: float = 15) -> None:
        """Wait until a JavaScript expression is true. Raises AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(f"!!({expression})"):
            assert time.monotonic() < deadline, f"not true within {seconds} s: {expression}"
            time.sleep(0.05)
