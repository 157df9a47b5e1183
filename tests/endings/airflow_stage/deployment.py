"""An Airflow as people deploy it: every part a process of its own, and a database that they share."""

from __future__ import annotations

import contextlib
import secrets
import signal
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airflow_stage import postgres
from airflow_stage.api import Api
from airflow_stage.parts import Part, Parts
from airflow_stage.waiting import until
from multicluster.cli.demo.airflow_process import airflow_environment
from multicluster.cli.demo.standalone import free_port

PARTS = ("api-server", "scheduler", "dag-processor", "triggerer-0", "triggerer-1")
HEALTHY = ("metadatabase", "scheduler", "triggerer", "dag_processor")
QUIET = ("--skip-serve-logs",)
"""Log servers would listen on fixed ports of all interfaces, two triggerers on the same one."""
MISSED_SECONDS = 20
"""How long a triggerer may be silent until another takes its triggers."""
IMPORTS = "import kubernetes.client, kubernetes_asyncio.client  # here once, rather than in every forked task\n"


def kind_of(name: str) -> str:
    """Return which command of Airflow a part is: ``scheduler`` for ``scheduler-1``."""
    return name.rpartition("-")[0] if name[-1].isdigit() else name


class Deployment:
    """The parts of one Airflow in a folder. ``stop`` ends them all; so does the end of this process."""

    def __init__(
        self,
        home: Path,
        env: Mapping[str, str],
        *,
        workers: int,
        parts: Sequence[str] = PARTS,
        settings: Mapping[str, object] = MappingProxyType({}),
        imports: str = IMPORTS,
    ) -> None:
        self.home = home
        self._names = parts
        self.logs = home / "stdout"
        self.logs.mkdir()
        (home / "config").mkdir()
        (home / "config" / "airflow_local_settings.py").write_text(imports)
        self.parts = Parts(folder=home.parent)
        self.running: dict[str, Part] = {}
        self.no_postgres = postgres.missing()
        self.database = f"sqlite:///{home}/airflow.db"
        self.api = Api(f"http://127.0.0.1:{free_port()}")
        self.triggerers: dict[int, str] = {}
        """Which process stands behind the id of a triggerer; those that have ended have none."""
        self._env = {**airflow_environment(home), **env, **self._settings(workers, settings)}
        self._env["PATH"] = f"{Path(sys.executable).parent}:{self._env['PATH']}"  # the stock EKS operator starts python

    @property
    def names(self) -> tuple[str, ...]:
        """The parts; SQLite allows one triggerer only."""
        return tuple(name for name in self._names if name != "triggerer-1" or not self.no_postgres)

    def _settings(self, workers: int, more: Mapping[str, object]) -> dict[str, str]:
        port = self.api.address.rpartition(":")[2]
        plain = {
            "API__HOST": "127.0.0.1", "API__PORT": port, "API__WORKERS": 1, "API__BASE_URL": self.api.address,
            "API__SECRET_KEY": secrets.token_urlsafe(32), "API__MAXIMUM_PAGE_LIMIT": 500,
            "API_AUTH__JWT_SECRET": secrets.token_urlsafe(64), "API_AUTH__JWT_EXPIRATION_TIME": 86400,
            "CORE__EXECUTION_API_SERVER_URL": f"{self.api.address}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True, "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
            "CORE__DAGS_FOLDER": self.home / "dags", "CORE__EXECUTOR": "LocalExecutor", "CORE__PARALLELISM": workers,
            "CORE__FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": 3600, "CORE__KILLED_TASK_CLEANUP_TIME": 20,
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 3600, "DAG_PROCESSOR__STALE_DAG_THRESHOLD": 7200,
            "DAG_PROCESSOR__PARSING_PROCESSES": 1, "DAG_PROCESSOR__REFRESH_INTERVAL": 3600,
            "DATABASE__SQL_ALCHEMY_POOL_SIZE": 10, "DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": 20,
            "EXECUTION_API__JWT_EXPIRATION_TIME": 3600,
            "SCHEDULER__JOB_HEARTBEAT_SEC": 1, "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": 1,
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5, "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 30,
            "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 5, "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 45,
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 3,
            "SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": 2, "SCHEDULER__MAX_TIS_PER_QUERY": 64,
            "SCHEDULER__MAX_DAGRUNS_TO_CREATE_PER_LOOP": 100, "SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": 100,
            "TRIGGERER__JOB_HEARTBEAT_SEC": 1, "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": MISSED_SECONDS,
            "WORKERS__MIN_HEARTBEAT_INTERVAL": 2, "WORKERS__EXECUTION_API_TIMEOUT": 60,
        }  # fmt: skip
        return {f"AIRFLOW__{name}": str(value) for name, value in {**plain, **more}.items()}

    def start(self) -> None:
        """Start everything and block until all parts say that they are well and the DAGs are read."""
        if not self.no_postgres:
            folder = self.home.parent / "postgres"
            folder.mkdir()
            self.database, self.running["postgres"] = postgres.start(self.parts, folder, self.logs / "postgres.log")
        self._env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = self.database
        made = self._airflow("migrate", "db", "migrate")
        if not made.await_end(300) or made.process.returncode:
            raise RuntimeError(f"airflow db migrate failed:\n{made.tail()}")
        if not self.no_postgres:
            with contextlib.closing(self.connect()) as connection:
                postgres.keep_deleted_rows(connection)
        for name in self.names:
            if not name.startswith("triggerer"):
                self.start_part(name)
        until(self.api.health, f"the API server; its log: {self.logs}")
        for name in self.names:
            if name.startswith("triggerer"):
                self.start_part(name)
        until(self._healthy, f"a healthy Airflow: {self.api.health()}; logs: {self.logs}")

    def start_part(self, name: str) -> None:
        """Start a part, or start it again. A triggerer is awaited, so that its id is known."""
        known = set(self.api.triggerers()) if name.startswith("triggerer") else set()
        self.launch(name)
        if name.startswith("triggerer"):
            (new,) = until(lambda: set(self.api.triggerers()) - known, f"{name}; its log: {self.logs}")
            self.triggerers = {id_: other for id_, other in self.triggerers.items() if other != name} | {new: name}

    def launch(self, name: str) -> None:
        """Start a part, or start it again, and await nothing."""
        kind = kind_of(name)
        self.running[name] = self._airflow(name, kind, *(QUIET if kind in ("scheduler", "triggerer") else ()))

    def _airflow(self, name: str, *arguments: str) -> Part:
        command = [sys.executable, "-P", "-m", "airflow", *arguments]
        return self.parts.start(command, self.logs / f"{name}.log", self._env)

    def _healthy(self) -> bool:
        for name in self.names:
            if not self.running[name].running:
                raise RuntimeError(f"{name} has ended:\n{self.running[name].tail()}")
        health = self.api.health()
        return all((health.get(part) or {}).get("status") == "healthy" for part in HEALTHY)

    def trigger_row(self, dag_id: str) -> str:
        """Return the arguments of a deferred task's trigger, as the database has them."""
        query = "SELECT kwargs FROM trigger JOIN task_instance ON trigger.id = trigger_id WHERE dag_id = "
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute(query + ("?" if self.no_postgres else "%s"), (dag_id,))
            return str(cursor.fetchone()[0])

    def connect(self) -> Any:
        """Open a connection to the database."""
        if self.no_postgres:
            return sqlite3.connect(self.home / "airflow.db")
        import psycopg2

        return psycopg2.connect(self.database.replace("+psycopg2", ""))

    def stop(self) -> int:
        """End everything; returns how many processes could not be ended."""
        for name, part in self.running.items():
            if kind_of(name) in ("scheduler", "api-server"):  # no mercy: it would wait for tasks that wait for the test
                part.signal_all(signal.SIGKILL)
        return self.parts.stop()
