"""The reaper's DAG in a real Airflow: it runs by itself, and a run that times out nudges it."""

from __future__ import annotations

import pytest
from airflow_stage.waiting import until
from endings_stage import deeds
from endings_stage.script import Script, ending_of

pytestmark = pytest.mark.endings


def runs_of(stage):
    found = stage.api._call("GET", "/api/v2/dags/multicluster_reaper/dagRuns?limit=500")["dag_runs"]
    return {one["dag_run_id"]: str(one["state"]) for one in found}


@ending_of(Script(name="timed-out", deed=deeds.outlive, options={"dagrun_timeout": 60}), modes=["deferrable"])
def test_a_run_that_times_out_has_the_reaper_run_at_once(stage, ended):
    assert (ended.run, ended.working) == ("failed", ())

    nudged = until(
        lambda: [run for run, state in runs_of(stage).items() if run.startswith("timed_out__") and state == "success"],
        "a run of the reaper that was asked for",
    )

    assert nudged
