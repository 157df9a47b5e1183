"""The pytest plugin: a world for each test, and Airflow with a database of its own. Loads nothing until it is used.

Fixtures: ``multicluster_clusters`` (to be overridden), ``multicluster_world``, ``multicluster_registry``,
``airflow_home``, ``run_dag``. See docs/testing-your-dags.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from multicluster.registry.registry import Registry
    from multicluster.simulator.world import World

OPTION = "multicluster_airflow"
_HOME = pytest.StashKey["Path"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option that lets test modules import DAGs at their top."""
    text = "give Airflow a temporary home before any test module is imported"
    parser.addini(OPTION, text, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Set Airflow's home before collection, where the ini file asks for it."""
    if config.getini(OPTION):
        config.stash[_HOME] = _make_home(config)


@pytest.fixture
def multicluster_clusters() -> dict[str, tuple[str, ...]]:
    """Name the clusters of each test's world, by kind (``eks``, ``gke``, ``plain``). Override it to have others."""
    return {"eks": ("gpu-use1",), "gke": ("gpu-euw4",)}


@pytest.fixture
def multicluster_world(multicluster_clusters: dict[str, tuple[str, ...]]) -> Iterator[World]:
    """Give a fresh world, made in milliseconds, in which nothing takes time."""
    from multicluster.testing.world import open_world

    with open_world(multicluster_clusters) as world:
        yield world


@pytest.fixture
def multicluster_registry(multicluster_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Give the world's registry; during the test, the environment leads boto3, google-auth and Airflow to the world."""
    from multicluster.testing.world import enter

    return enter(multicluster_world, tmp_path / "multicluster-registry.json", monkeypatch)


@pytest.fixture(scope="session")
def airflow_home(request: pytest.FixtureRequest) -> Path:
    """Give Airflow a temporary home with a database, once a session. Fails when Airflow was loaded with another one."""
    from multicluster.testing.airflow_home import ready

    config = request.config
    if _HOME not in config.stash:
        config.stash[_HOME] = _make_home(config)
    home = config.stash[_HOME]
    ready(home, hint=f"set `{OPTION} = true` in the pytest configuration, or import the DAG inside the test")
    return home


@pytest.fixture
def run_dag(airflow_home: Path, multicluster_registry: Registry) -> Callable[..., Any]:  # noqa: ARG001 - for effect
    """Give ``run_dag(dag, conf=None)``: runs a DAG to its end in this process and returns its outcome.

    The outcome has ``state``, and ``tasks`` with the state of each task by its id.
    """
    from multicluster.testing.airflow_home import load

    runner: Callable[..., Any] = load("dag_test").run_dag
    return runner


def _make_home(config: pytest.Config) -> Path:
    from multicluster.testing.airflow_home import make

    home, undo = make()
    config.add_cleanup(undo)
    return home
