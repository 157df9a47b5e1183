"""A world with two clouds, and an Airflow on it with two of each part that may be doubled."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from airflow_stage.deployment import Deployment, kind_of
from airflow_stage.waiting import until

from multicluster.simulator import Delays, World

DAGS, SHORT = Path(__file__).parents[1] / "dags", Path(__file__).with_name("short")
PARTS = ("api-server", "scheduler-0", "scheduler-1", "dag-processor", "triggerer-0", "triggerer-1")
WORKERS = 12
"""Worker processes of each scheduler."""
SETTINGS = {
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 15,
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 20,
    "SCHEDULER__TASK_QUEUED_TIMEOUT": 60,
    "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": 10,
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": 15,
}
"""Notice sooner than usual who is dead: minutes are short."""
ENDED = ("success", "failed")


class Stage:
    """Use it as a context manager."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="multicluster-kills-"))
        self.root.chmod(0o711)  # PostgreSQL's user passes through
        self.registry = self.root / "registry.json"
        with contextlib.ExitStack() as careful:
            careful.callback(shutil.rmtree, self.root, ignore_errors=True)
            self.world = careful.enter_context(World(delays=Delays(), root=self.root / "world"))
            self.world.add_eks("gpu-use1")
            self.world.add_gke("gpu-euw4")
            self.registry.write_text(json.dumps(self.world.registry()))
            self.env = {
                **self.world.env(),
                "MULTICLUSTER_REGISTRY": str(self.registry),
                "PYTHONPATH": os.pathsep.join([str(SHORT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            }
            self.deployment = self._deployment()
            self._last = careful.pop_all()

    def _deployment(self) -> Deployment:
        home = self.root / "airflow"
        (home / "dags").mkdir(parents=True)
        for file in DAGS.glob("*.py"):
            (home / "dags" / file.name).symlink_to(file)
        return Deployment(home, self.env, workers=WORKERS, parts=PARTS, settings=SETTINGS)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as careful:
            careful.callback(self._last.close)
            careful.callback(self.deployment.stop)
            self.deployment.start()
            until(self._read, "the DAGs")
            careful.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._last:
            self.deployment.stop()

    def _read(self) -> bool:
        api = self.deployment.api
        if errors := api.import_errors():
            raise RuntimeError(errors[0])
        return api.dags() > 0

    @property
    def dags(self) -> list[str]:
        """The ids of the DAGs."""
        return sorted(dag_id for (dag_id,) in self.ask("SELECT dag_id FROM dag"))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask Airflow's database, which nobody kills."""
        with contextlib.closing(self.deployment.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def runs(self) -> dict[tuple[str, str], str]:
        """Return the state of each run, by DAG and run id."""
        return {(dag, run): state for dag, run, state in self.ask("SELECT dag_id, run_id, state FROM dag_run")}

    def unended(self) -> list[tuple[str, str]]:
        """Return the runs that are not over."""
        return [run for run, state in self.runs().items() if state not in ENDED]

    def mend(self) -> list[str]:
        """Start each part again that is not there; returns their names."""
        gone = [name for name in PARTS if not self.deployment.running[name].running]
        for name in gone:
            self.deployment.launch(name)
        return gone

    def parts(self, kind: str) -> list[str]:
        """Name the parts of a kind that run."""
        return [name for name in PARTS if kind_of(name) == kind and self.deployment.running[name].running]

    def reap(self) -> list[str]:
        """Run the reaper once, as a cron does, and return what it did. Raises RuntimeError when it cannot be run."""
        program = Path(sys.executable).with_name("multicluster")
        command = [program, "reap", "--apply", "--output", "json", "--registry", self.registry]
        env = {"PATH": os.environ["PATH"], **self.env}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        if not done.stdout:
            raise RuntimeError(f"the reaper said: {done.stderr}")
        said = json.loads(done.stdout)
        steps = [
            f"{one['result']} {one['kind']} {one['name']}: {one['reason']}" for one in said["steps"] if one["result"]
        ]
        return steps + [f"cluster {one['cluster']}: {one['text']}" for one in said["troubles"]]

    def fired(self) -> list[str]:
        """Name the dead-man schedules that have fired, and what came of each."""
        return self.world.host.run(lambda: [f"{one.name}: {one.outcome}" for one in self.world.aws.schedules.fired])

    def schedules(self) -> list[str]:
        """Name the dead-man schedules that are there."""
        return self.world.host.run(lambda: [schedule.name for schedule in self.world.aws.schedules.all.values()])
