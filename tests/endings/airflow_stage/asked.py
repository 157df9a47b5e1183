"""Whether a real Airflow was asked for."""

from __future__ import annotations

import os
import re

import pytest

ASKED = "MULTICLUSTER_ENDINGS"


def wanted(config: pytest.Config) -> bool:
    """Whether it was: by ``-m endings``, or by the variable, 1 or sqlite."""
    named = re.sub(r"not\s+endings", "", str(config.option.markexpr))
    return "endings" in named or os.environ.get(ASKED) in ("1", "sqlite")
