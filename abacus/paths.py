"""The folders of a checkout that the command line reads."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).parents[1]
INFRA = PROJECT / "infra"
STATIC = PROJECT / "static"
