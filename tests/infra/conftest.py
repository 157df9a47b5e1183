"""Whether a testbed can run here, asked once for all rooms."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from multicluster.cli.demo.grounds import cannot_run

LAUNCHER = Path(__file__).resolve().parents[2] / "infra" / "testbed" / "run"


@pytest.fixture(scope="session")
def built() -> None:
    """Skip, and say why, where no testbed can run at once."""
    if reason := cannot_run(LAUNCHER, platform=sys.platform, root=os.geteuid() == 0):
        pytest.skip(reason)
