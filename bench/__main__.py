"""Run the benches named on the command line, or all: `python -m bench [ingest fold ...]`.

A bench is a module in this folder with `main() -> None`; a name that begins with `_` is something they share."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main(names: list[str]) -> None:
    benches = [found.name for found in pkgutil.iter_modules(bench.__path__) if not found.name.startswith("_")]
    unknown = [name for name in names if name not in benches]
    if unknown:
        sys.exit(f"There is no bench {unknown[0]!r}; there are {', '.join(benches)}.")
    for name in names or benches:
        print(f"── {name} " + "─" * (76 - len(name)), flush=True)
        importlib.import_module(f"bench.{name}").main()
        print(flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
