"""Run the benches named on the command line, or all: `python -m bench [ingest fold ...]`.

A bench is a module in this folder with `main() -> None`; support/ holds what several share."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main(names: list[str]) -> None:
    modules = pkgutil.iter_modules(bench.__path__)
    benches = [module.name for module in modules if module.name not in ("__main__", "support")]
    unknown = [name for name in names if name not in benches]
    if unknown:
        sys.exit(f"There is no bench {unknown[0]!r}; there are {', '.join(benches)}.")
    for name in names or benches:
        print(f"── {name} " + "─" * (76 - len(name)), flush=True)
        importlib.import_module(f"bench.{name}").main()
        print(flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
