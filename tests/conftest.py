"""What must stand before any test is imported: where Airflow keeps its things, and that Ctrl-C is heard."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

PLUGINS_HOME = "multicluster-airflow-"
"""How the folder begins that the project's own pytest plugin gives Airflow; then it is the only one."""
GIVEN = os.environ.get("AIRFLOW_HOME", "")
pytest_plugins = ["cloud_judge.plugin"]
HOME = Path(GIVEN if PLUGINS_HOME in GIVEN else tempfile.mkdtemp(prefix="airflow-home-"))

os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
        "AIRFLOW__MULTICLUSTER__DEPLOYMENT": "tests",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__API_AUTH__JWT_SECRET": "0" * 64,
    }
)

# A script that starts the tests in its background makes them, and the commands they start, deaf to SIGINT.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
