"""Everything that runs on a person's machine: run, simulate, publish, audit, deploy.

May import chalicelib; never the reverse.
"""

import sys
from pathlib import Path

# An installed ABacus keeps app.py and chalicelib in a folder of its own: a site may well have modules of these names.
_PRODUCT = Path(__file__).parent / "product"
if _PRODUCT.is_dir():
    sys.path.insert(0, str(_PRODUCT))
