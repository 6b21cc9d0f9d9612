"""`python -m abacus` is `abacus`."""

from __future__ import annotations

from abacus.cli import main

if __name__ == "__main__":
    main(prog_name="abacus")
