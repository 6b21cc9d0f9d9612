"""Chalice's command line for another Python than the one that runs it: `python -m abacus.deploy.chalice_cli package`.

Chalice packages for the Python that it runs on, and has no setting for another one. The functions get the version that
CHALICE_RUNTIME names, such as python3.14. pip downloads wheels for the same version by its own variables, which
`abacus.deploy.package.chalice_environment` sets.
"""

from __future__ import annotations

import os

from chalice.cli import main
from chalice.config import Config

if __name__ == "__main__":
    runtime = os.environ["CHALICE_RUNTIME"]
    Config.lambda_python_version = property(lambda self: runtime)  # type: ignore[method-assign,assignment]
    raise SystemExit(main())
