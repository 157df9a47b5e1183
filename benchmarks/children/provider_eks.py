"""The anchor: what EksPodOperator does between its start and the first reply of the API server (amazon provider 9)."""

from __future__ import annotations

import gc
import json
import time

from airflow.providers.amazon.aws.hooks.eks import EksHook
from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
from kubernetes.client import VersionApi

gc.freeze()  # as LocalExecutor does before it forks a worker: the imports are not collected again and again
started = time.monotonic()
eks = EksHook(aws_conn_id=None, region_name="us-east-1")
with eks.generate_config_file_with_credentials(eks_cluster_name="gpu-use1", pod_namespace="default") as (config, _):
    client = KubernetesHook(conn_id=None, in_cluster=False, config_file=config).get_conn()
    VersionApi(client).get_code()
    finished = time.monotonic()
print(json.dumps({"reply": (finished - started) * 1000, "finished_at": finished}))
