"""Random kills on a real Airflow; only where it is asked for: ``-m endings``."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for room in (str(HERE), str(HERE.with_name("endings"))):
    if room not in sys.path:
        sys.path.insert(0, room)

SEED = "MULTICLUSTER_KILLS_SEED"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests of this room alone unless they are asked for."""
    from airflow_stage.asked import wanted

    return True if collection_path.name.startswith("test_") and not wanted(config) else None


@pytest.fixture(scope="session")
def outcome(request):
    """Perform everything once; the seed is drawn, or given by the variable."""
    from airflow_stage import postgres
    from kills_stage.show import Show
    from kills_stage.stage import Stage

    if why := postgres.missing():
        pytest.skip(f"two schedulers need PostgreSQL: {why}")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(line, flush=True)  # noqa: T201 - it takes minutes, and is to be watched

    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(10**6))
    with Stage() as stage:
        yield Show(stage, seed, tell).perform()
