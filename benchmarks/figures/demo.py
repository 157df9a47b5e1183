"""`make demo`, second time, whole command, beside dag.test() of two empty tasks on the same machine."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import astuple
from pathlib import Path

from fresh import CHILDREN, bare_environment
from row import Row, within
from whole_command import Watched, watch

ROOT = Path(__file__).resolve().parents[2]


def measure(repeat: int) -> list[Row]:
    """Run both once unmeasured, then in turns. The anchor's database is migrated before the clock starts."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        anchor_environment = _migrated(home)
        runs: dict[str, list[Watched]] = {"anchor": [], "demo": []}
        for _ in range(repeat + 1):
            runs["anchor"].append(_two_empty_tasks(home, anchor_environment))
            runs["demo"].append(watch(["make", "--no-print-directory", "-C", str(ROOT), "demo"], folder=home))
    demo, anchor = _medians(runs["demo"][1:]), _medians(runs["anchor"][1:])
    return [
        within("make demo, second time", "s", ours=demo.seconds, anchor=anchor.seconds, at_most=15),
        within("make demo, peak memory (PSS)", "MB", ours=demo.held, anchor=anchor.held, at_most=450),
        within(
            "make demo, shared pages counted twice (RSS)", "MB", ours=demo.resident, anchor=anchor.resident, at_most=450
        ),
    ]


def _migrated(home: Path) -> dict[str, str]:
    environment = {**bare_environment(str(home)), "AIRFLOW__CORE__DAGS_FOLDER": str(CHILDREN / "dag_test")}
    airflow = str(Path(sys.executable).parent / "airflow")
    subprocess.run([airflow, "db", "migrate"], env=environment, check=True, capture_output=True)
    return environment


def _two_empty_tasks(home: Path, environment: dict[str, str]) -> Watched:
    command = [sys.executable, str(CHILDREN / "dag_test" / "two_empty_tasks.py")]
    return watch(command, folder=home, environment=environment | {"LANG": os.environ.get("LANG", "C.UTF-8")})


def _medians(runs: list[Watched]) -> Watched:
    seconds, held, resident = (statistics.median(run) for run in zip(*map(astuple, runs), strict=True))
    return Watched(seconds=seconds, held=held, resident=resident)
