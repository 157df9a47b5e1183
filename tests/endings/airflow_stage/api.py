"""Speak to Airflow as people do: by its REST API, where every user of the stage is an administrator."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from datetime import datetime
from typing import Any

from multicluster.cli.demo.standalone import OPENER

TASK = "fit"
RUN = "run"
SERVER_ERROR, LOCKED = 500, 6


class LockedError(OSError):
    """The server's database was busy; each such answer has cost it the seconds for which SQLite waits."""


class Api:
    """The API server at an address. Raises urllib's errors, with what the server said."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._token = ""

    def health(self) -> dict[str, Any]:
        """Return what each part says of itself; empty as long as nobody answers."""
        try:
            return self._call("GET", "/api/v2/monitor/health", token="")
        except OSError:
            return {}

    def dags(self) -> int:
        """Return how many DAGs Airflow has read."""
        return int(self._call("GET", "/api/v2/dags?limit=1")["total_entries"])

    def import_errors(self) -> list[str]:
        """Return why DAG files could not be read."""
        return [one["stack_trace"] for one in self._call("GET", "/api/v2/importErrors")["import_errors"]]

    def triggerers(self) -> list[int]:
        """Return the ids of the triggerers that ever were, in the order of their start."""
        jobs = self._call("GET", "/api/v2/jobs?job_type=TriggererJob&limit=100")["jobs"]
        return sorted(int(job["id"]) for job in jobs)

    def heartbeat(self, job: int) -> datetime:
        """Return when a triggerer was heard of last."""
        jobs = self._call("GET", "/api/v2/jobs?job_type=TriggererJob&limit=100")["jobs"]
        return next(datetime.fromisoformat(one["latest_heartbeat"]) for one in jobs if one["id"] == job)

    def run(self, dag_id: str, run_id: str = RUN) -> None:
        """Start a run of a DAG."""
        self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "dag_run_id": run_id})

    def runs(self) -> dict[str, str]:
        """Return the state of each DAG's run."""
        found = self._call("GET", "/api/v2/dags/~/dagRuns?limit=500")["dag_runs"]
        return {one["dag_id"]: str(one["state"]) for one in found}

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Return each DAG's task."""
        found = self._call("GET", "/api/v2/dags/~/dagRuns/~/taskInstances?limit=500")["task_instances"]
        return {one["dag_id"]: one for one in found if one["task_id"] == TASK}

    def result(self, dag_id: str) -> str:
        """Return what a task has returned, as JSON."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{RUN}/taskInstances/{TASK}/xcomEntries/return_value"
        return json.dumps(self._call("GET", path)["value"])

    def mark(self, dag_id: str, state: str) -> None:
        """Mark a task failed or success, as a person does in the UI."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{RUN}/taskInstances/{TASK}", {"new_state": state})

    def mark_run(self, dag_id: str, state: str) -> None:
        """Mark a run failed or success."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{RUN}", {"state": state})

    def clear(self, dag_id: str) -> None:
        """Clear a task, so that it runs again."""
        body = {"dry_run": False, "dag_run_id": RUN, "task_ids": [TASK], "only_failed": False, "reset_dag_runs": True}
        self._call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)

    def _call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> dict[str, Any]:
        """Send a request; again as long as SQLite, which has one writer, keeps the server from doing it."""
        for _ in range(LOCKED):
            with contextlib.suppress(LockedError):
                return self._send(method, path, body, token=token)
        raise LockedError(path)

    def _send(self, method: str, path: str, body: object, *, token: str | None) -> dict[str, Any]:
        if token is None:
            self._token = token = self._token or str(self._call("GET", "/auth/token", token="")["access_token"])
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)
        try:
            with OPENER.open(request, timeout=60) as response:
                found: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            error.add_note(said := error.read().decode(errors="replace"))
            if error.code == SERVER_ERROR and "Database error" in said:
                raise LockedError(said) from error
            raise
        return found
