"""Run Airflow in a process of its own, which ends when this one does."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from multicluster.errors import MissingExtraError

RUNNER = "airflow_multicluster.demo.run"
"""Started by name: the core does not import the provider."""
UNSET = ("AIRFLOW_CONFIG", "ALL_PROXY", "all_proxy", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_PROFILE",
         "AWS_SESSION_TOKEN", "KUBECONFIG")  # fmt: skip
"""What the user's own environment must not bring into the simulated world."""
NOWHERE = "http://127.0.0.1:9"
"""A proxy that refuses: nothing leaves this machine. google-auth sends every token to iamcredentials.googleapis.com to
ask for its allowed locations, whatever endpoint was configured."""
PROXIES = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)


def require_airflow() -> None:
    """Raise MissingExtraError where Airflow or its Kubernetes provider is not installed."""
    if find_spec("airflow") is None or find_spec("airflow_multicluster") is None:
        raise MissingExtraError("the demo runs Apache Airflow; install it: pip install 'airflow-multicluster[all]'")


def dags_folder() -> Path:
    """Return where the demo's DAG stands, without importing it."""
    spec = find_spec("airflow_multicluster")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError("airflow_multicluster is not installed: pip install 'airflow-multicluster[all]'")
    return Path(spec.submodule_search_locations[0]) / "demo" / "dags"


def airflow_environment(home: Path) -> dict[str, str]:
    """Return the environment of an Airflow that knows nothing of the user's own one."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {
        **{name: value for name, value in kept.items() if not name.startswith("AIRFLOW__")},
        **PROXIES,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder()),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__MULTICLUSTER__DEPLOYMENT": "demo",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONWARNINGS": "ignore",
    }


class AirflowProcess:
    """The process; ``enter`` lets it into a world, ``stop`` ends it. Its log goes to *log*, and to *echo* too."""

    def __init__(self, home: Path, log: Path, *, hear: Callable[[Mapping[str, Any]], None], echo: bool = False) -> None:
        reading, writing = os.pipe()
        with log.open("wb") as sink:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", RUNNER, str(writing)],
                pass_fds=[writing],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if echo else sink,
                stderr=subprocess.STDOUT,
                env=airflow_environment(home),
                start_new_session=True,
            )
        os.close(writing)
        self._threads = [threading.Thread(target=_read_events, args=(os.fdopen(reading), hear), daemon=True)]
        if echo:
            self._threads.append(threading.Thread(target=_copy, args=(self._process.stdout, log), daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def enter(self, env: Mapping[str, str], conf: Mapping[str, object]) -> None:
        """Give the process the world's environment and the configuration of its DAG run. Raises BrokenPipeError."""
        if self._process.stdin is None:
            raise BrokenPipeError
        self._process.stdin.write(json.dumps({"env": dict(env), "conf": dict(conf)}).encode() + b"\n")
        self._process.stdin.flush()

    def stop(self, *, patience: float = 5) -> int:
        """Close the lifeline, wait, kill what does not go; returns the exit code."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(patience)
        return self._process.returncode


def _read_events(stream: IO[str], hear: Callable[[Mapping[str, Any]], None]) -> None:
    with stream:
        for line in stream:
            hear(json.loads(line))
    hear({"kind": "end"})


def _copy(source: IO[bytes], log: Path) -> None:
    with log.open("wb") as sink:
        for line in source:
            sink.write(line)
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
