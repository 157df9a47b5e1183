"""What it costs to read a DAG file: no SDK of a cloud, no network, no registry, no connection."""

from __future__ import annotations

import subprocess
import sys

FILE = """
import os, socket, sys

for sdk in ("boto3", "botocore", "google.auth", "multicluster.registry", "multicluster.kinds", "multicluster.access"):
    sys.modules[sdk] = None  # whoever imports it fails

import airflow.sdk, airflow.providers.cncf.kubernetes.operators.pod  # what they do is not ours

def refuse(*_, **__):
    raise AssertionError("reading a DAG file reached out")

for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = refuse
from airflow.sdk import DAG, Connection, Variable
Connection.get = Variable.get = refuse
os.environ["MULTICLUSTER_REGISTRY"] = "/nowhere/registry.yaml"

from airflow_multicluster import ClusterJobOperator, ClusterPodOperator, NodePoolTaskGroup

with DAG("many", schedule=None) as dag:
    for number in range(200):
        with NodePoolTaskGroup(f"train_{number}", cluster="gpu-use1", profile="l4") as pool:
            ClusterPodOperator(task_id="fit", node_pool=pool, image="x", deferrable=True)
    ClusterJobOperator(task_id="job", cluster="nobody-knows", image="x")
    ClusterPodOperator.partial(task_id="mapped", image="x").expand(cluster=["a", "b"])

print("TASKS", len(dag.tasks))
"""


def test_pain_40_two_hundred_brackets_are_read_without_sdk_network_registry_or_connection(tmp_path):
    file = tmp_path / "many.py"
    file.write_text(FILE)
    result = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, timeout=100, check=False)

    assert "TASKS 1002" in result.stdout, result.stderr[-3000:]
