"""``python -m mmgan.cli``."""

import sys

from . import main

if __name__ == "__main__":  # a process that torch starts imports this module too
    sys.exit(main())
