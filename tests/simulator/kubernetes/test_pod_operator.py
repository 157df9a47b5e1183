"""The stock KubernetesPodOperator on a server with faults; the rest is in the conformance suite."""

from __future__ import annotations

import os
import tempfile
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

from multicluster.simulator.faults import Fault, HttpError

pytestmark = pytest.mark.filterwarnings("ignore")
operators = pytest.importorskip("airflow.providers.cncf.kubernetes.operators.pod", reason="Airflow is not installed")


def context():
    ti = SimpleNamespace(
        dag_id="d",
        task_id="t",
        run_id="r",
        map_index=-1,
        try_number=1,
        start_date=None,
        xcom_push=lambda **_: None,
    )
    return {"ti": ti, "task_instance": ti, "run_id": "r", "dag": SimpleNamespace(dag_id="d")}


@pytest.fixture
def operator(kubeconfig):
    def make(script, **options):
        values = {
            "task_id": "t",
            "name": "p",
            "namespace": "default",
            "image": "python:3.12",
            "config_file": str(kubeconfig),
            "cmds": ["python", "-c"],
            "arguments": [script],
            "startup_check_interval_seconds": 0.05,
            "base_container_status_polling_interval": 0.05,
            **options,
        }
        return operators.KubernetesPodOperator(**values)

    return make


def test_errors_of_the_server_are_retried(cluster, operator):
    cluster.faults.add(
        Fault(name="500", effect=HttpError(code=500), service="kubernetes", operation="get pods", times=2)
    )

    operator("pass").execute(context())

    assert cluster.faults.struck("500") == 2
