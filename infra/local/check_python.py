"""Rejects a Python that is too old, in words, before pip fails in its own."""

import sys

if sys.version_info < (3, 11):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"Python {found} found, 3.11 or newer expected: run `make PYTHON=python3.11 …`")
