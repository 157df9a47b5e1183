"""Run measurements in fresh processes, interleaved, so that noise of the machine falls on both sides alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHILDREN = Path(__file__).parent / "children"
Sample = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Child:
    """A script of ``children/`` with its arguments and what it needs in the environment."""

    script: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> Sample:
        """Run once; give what it measured, plus ``process``: ms from its start to its last line."""
        with tempfile.TemporaryDirectory(prefix="multicluster-bench-") as home:
            command = [sys.executable, str(CHILDREN / self.script), *self.arguments]
            environment = {**bare_environment(home), **self.environment}
            started = time.monotonic()
            result = subprocess.run(
                command, env=environment, cwd=home, capture_output=True, text=True, timeout=300, check=False
            )
        if result.returncode:
            raise RuntimeError(f"{self.script} failed:\n{result.stdout[-2000:]}\n{result.stderr[-2000:]}")
        sample: Sample = json.loads(result.stdout.splitlines()[-1])
        sample["process"] = (sample.pop("finished_at") - started) * 1000
        return sample


def interleaved(children: Mapping[str, Child], repeat: int) -> dict[str, Sample]:
    """Run every child once unmeasured (bytecode, file cache), then *repeat* rounds; give the medians of each."""
    for child in children.values():
        child.run()
    samples: dict[str, list[Sample]] = {name: [] for name in children}
    for _ in range(repeat):
        for name, child in children.items():
            samples[name].append(child.run())
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in samples.items()
    }


def bare_environment(home: str) -> dict[str, str]:
    """Give an environment without the caller's settings: no credentials, no Airflow, no ban on bytecode."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {
        "PATH": path,
        "HOME": home,
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
