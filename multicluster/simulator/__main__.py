"""Serve a world: ``python -m multicluster.simulator``."""

from __future__ import annotations

import sys

from multicluster.simulator.serve import serve

if __name__ == "__main__":
    sys.exit(serve())
