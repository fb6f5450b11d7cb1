"""`python -m service.cli` is `tag-history`: how `up` starts its roles, whatever is on the PATH."""

from __future__ import annotations

import sys

from service.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
