"""Run a real ``airflow standalone`` on free ports of 127.0.0.1, and talk to its API."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multicluster.cli.demo.airflow_process import airflow_environment

HEALTHY = ("metadatabase", "scheduler", "triggerer", "dag_processor")
SHIM = """#!/bin/sh
# `airflow standalone` starts its parts by this name. Their log servers would listen on all interfaces, on fixed ports.
case "$1" in scheduler|triggerer) set -- "$@" --skip-serve-logs;; esac
exec "{python}" -P -m airflow "$@"
"""


class Standalone:
    """The processes of one standalone Airflow. ``stop`` ends them all; so does the end of this process."""

    def __init__(self, home: Path, log: Path, env: Mapping[str, str]) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._token = ""
        shim = home / "bin" / "airflow"
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(SHIM.format(python=sys.executable))
        shim.chmod(0o700)
        whole = {**airflow_environment(home), **env, **self._settings()}
        whole["PATH"] = f"{shim.parent}:{whole.get('PATH', '')}"
        with log.open("wb") as sink:
            self._guard = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "multicluster.cli.demo.guard",
                    f"AIRFLOW_HOME={home}",
                    str(shim),
                    "standalone",
                ],
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=whole,
                start_new_session=True,
            )

    def _settings(self) -> dict[str, str]:
        return {
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__BASE_URL": self.address,
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.address}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        }

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._guard.poll() is None

    def healthy(self) -> bool:
        """Whether all four parts say that they are well. Raises OSError while nobody answers."""
        health = self._call("GET", "/api/v2/monitor/health", token="")
        return all((health.get(part) or {}).get("status") == "healthy" for part in HEALTHY)

    def trigger(self, dag_id: str, conf: Mapping[str, object]) -> str | None:
        """Start a run of a DAG and return its id; None as long as Airflow has not read the DAG."""
        body = {"logical_date": None, "conf": dict(conf)}
        try:
            return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])
        except urllib.error.HTTPError as error:
            if error.code == 404:  # noqa: PLR2004 - not found
                return None
            raise

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def stop(self) -> None:
        """Close the lifeline and wait until the guard has ended everything."""
        if self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
        self._guard.wait()

    def _call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> dict[str, Any]:
        if token is None:
            self._token = token = self._token or str(self._call("GET", "/auth/token", token="")["access_token"])
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, headers=headers, method=method)  # noqa: S310
        with OPENER.open(request, timeout=10) as response:
            found: dict[str, Any] = json.load(response)
        return found


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks 127.0.0.1 itself, whatever proxy the environment names."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
