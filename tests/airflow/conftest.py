"""One Airflow for all tests of the provider: its home, its database, its settings."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))
DAGS = Path(__file__).parent / "dags"

# Airflow reads these when it is first imported; test modules import it after this file.
os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": "0" * 64,
    }
)
