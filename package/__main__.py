"""`python -m ptfan` is the command `ptfan`."""

import sys

from ptfan.engine.cli import main

if __name__ == "__main__":
    sys.exit(main())
