"""Give Airflow a temporary home. What touches Airflow is in the provider, and loaded by name."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from multicluster.errors import MissingExtraError


def make() -> tuple[Path, Callable[[], None]]:
    """Make the home and point the environment at it; returns it, and how to undo both."""
    home = Path(tempfile.mkdtemp(prefix="multicluster-airflow-"))
    (home / "dags").mkdir()
    environment = pytest.MonkeyPatch()
    for name in ("AIRFLOW_CONFIG", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"):
        environment.delenv(name, raising=False)
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__MULTICLUSTER__DEPLOYMENT": "tests",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    for name, value in settings.items():
        environment.setenv(name, value)

    def undo() -> None:
        environment.undo()
        shutil.rmtree(home, ignore_errors=True)

    return home, undo


def ready(home: Path, *, hint: str) -> None:
    """Load Airflow with *home* and see to its database: made once per version, copied from then on. Blocks."""
    loaded = sys.modules.get("airflow.configuration")
    if loaded is not None and Path(loaded.AIRFLOW_HOME) != home:
        raise pytest.UsageError(
            f"Airflow was loaded with the home {loaded.AIRFLOW_HOME} before the fixture ran; {hint}"
        )
    database = load("database")
    if not database.ready_database(home):
        database.make_database(home)


def load(module: str) -> ModuleType:
    """Import a module of the provider's demo room. Raises MissingExtraError where Airflow is not installed."""
    try:
        return importlib.import_module(f"airflow_multicluster.demo.{module}")
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"needs {error.name}: pip install 'airflow-multicluster[airflow]'") from error
