"""The command ``multicluster``: one file per command, found through the table in ``main``."""

from __future__ import annotations

from multicluster.cli.main import main

__all__ = ["main"]
