"""Starts the web app: `python app.py`, the same as `mmgan app`."""

import sys

from mmgan.cli import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
