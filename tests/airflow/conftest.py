"""One Airflow and one simulated world for all tests of the provider."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOME = Path(os.environ["AIRFLOW_HOME"])  # as tests/conftest.py has set it
DAGS = HOME / "dags"
ROOT = Path(__file__).parents[2]
SOURCES = (Path(__file__).parent / "dags", ROOT / "dags")
CLUSTERS = ("gpu-use1", "gpu-use2")
INTERVALS = (
    "poke_interval",
    "poll_interval",
    "startup_check_interval_seconds",
    "base_container_status_polling_interval",
)
INTERVAL = 0.05


@pytest.fixture(scope="session", autouse=True)
def dag_folder() -> Iterator[Path]:
    """Fill Airflow's home with the DAG files of tests and examples, and take it away in the end."""
    DAGS.mkdir(exist_ok=True)
    for folder in SOURCES:
        for file in folder.glob("*.py"):
            if not (DAGS / file.name).is_symlink():  # another room of tests may take this fixture, too
                (DAGS / file.name).symlink_to(file)
    yield DAGS
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def database(dag_folder: Path) -> Path:
    """Make Airflow's database, once."""
    from airflow.utils.db import initdb

    file = dag_folder.parent / "airflow.db"
    if not file.exists():
        initdb()
    return file


@pytest.fixture(scope="session")
def session_world(recorder):
    """Start two EKS clusters, a GKE one, and one of no cloud, with no delays; the judge of the clouds may listen."""
    from multicluster.simulator import Delays, World

    with World(delays=Delays.none()) as world:
        for name in CLUSTERS:
            world.add_eks(name)
        world.add_gke("gpu-euw4")
        world.add_plain("here")
        yield world


@pytest.fixture
def world(session_world, monkeypatch):
    """Lend the world without faults, for this test only, and look that the test before left nothing behind."""
    from multicluster.testing.world import enter

    session_world.faults.clear()
    assert session_world.report().pools_left == ()
    enter(session_world, session_world.root / "clusters.json", monkeypatch)
    yield session_world
    session_world.faults.clear()


@pytest.fixture
def clean_up(world):
    """Delete what the test leaves on purpose."""
    yield
    from airflow_multicluster import airflow_registry

    world.faults.clear()
    for place in world.report().pools_left:
        cluster, pool = place.split("/")
        airflow_registry()[cluster].node_pools().delete(pool)
    world.settle()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a DAG run came to."""

    state: str
    tasks: dict[str, str]
    """State by task id; mapped ones as ``id[index]``."""
    reasons: dict[str, str]
    """Why a task failed, by its id."""
    results: dict[str, object]
    """What a task returned, by its id."""


@pytest.fixture
def run(database, world):
    """Run a DAG of the folder to its end with dag.test()."""

    def run(dag_id: str, **conf: object) -> Outcome:
        return read_outcome(find_dag(dag_id).test(run_conf=conf))

    return run


@pytest.fixture
def find():
    """Load a DAG by its id."""
    return find_dag


@pytest.fixture
def outcome():
    """Read what a DAG run came to."""
    return read_outcome


def read_outcome(dag_run) -> Outcome:
    """Read a run's outcome from the database."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.scalars(XComModel.get_many(key="return_value", run_id=dag_run.run_id, dag_ids=dag_run.dag_id))
        results = {one.task_id: XComModel.deserialize_value(one) for one in found}
        instances = dag_run.get_task_instances(session=session)
        tasks = {
            one.task_id + (f"[{one.map_index}]" if one.map_index >= 0 else ""): str(one.state) for one in instances
        }
    return Outcome(state=str(dag_run.state), tasks=tasks, reasons=dict(REASONS), results=results)


def find_dag(dag_id: str):
    """Load the DAG file that holds the DAG, and return it."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ModuleNotFoundError:  # Airflow 3.1
        from airflow.models.dagbag import DagBag

    file = next(file for file in sorted(DAGS.glob("*.py")) if re.search(rf'DAG\(\s*"{dag_id}"', file.read_text()))
    bag = DagBag(dag_folder=str(file))
    assert bag.import_errors == {}
    REASONS.clear()
    return quicken(bag.dags[dag_id])


REASONS: dict[str, str] = {}


def note_reason(context) -> None:
    """Keep why a task failed; called by Airflow."""
    REASONS[context["ti"].task_id] = str(context["exception"])


def quicken(dag):
    """Let everything be looked at twenty times a second, whatever the DAG says: the world has no delays."""
    from airflow_multicluster import ClusterPodOperator

    for task in dag.tasks:
        options = task.partial_kwargs if task.is_mapped else vars(task)
        known = vars(ClusterPodOperator(task_id="known", image="x")) if task.is_mapped else options
        options.update({name: INTERVAL for name in INTERVALS if name in known})
        options["on_failure_callback"] = [note_reason]
    return dag
