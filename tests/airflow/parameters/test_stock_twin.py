"""Without ``cluster=`` and ``node_pool=`` the operator is the stock one, to the byte of the pod it makes."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace

import pytest
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import ApiClient, Configuration
from pod_drive.in_pod import IN_POD

from airflow_multicluster import ClusterPodOperator

BASIC = {"task_id": "fit", "image": "busybox:1.37", "kubernetes_conn_id": None, "random_name_suffix": False}
SIDECAR = SimpleNamespace(
    is_in_cluster=False,
    get_namespace=lambda: None,
    get_xcom_sidecar_container_image=lambda: None,
    get_xcom_sidecar_container_resources=lambda: None,
    get_xcom_sidecar_container_security_context=lambda: None,
)
CONTEXT = {
    "ti": SimpleNamespace(dag_id="d", task_id="fit", run_id="r", map_index=2, try_number=1),
    "run_id": "r",
    "dag": SimpleNamespace(dag_id="d"),
}


def parameter_set(seed, folder):
    """Return some of the parameters that show in a pod; twice the same for a seed, as both operators change them."""
    chance = random.Random(seed)
    given = dict(BASIC, name="fit")
    for name in chance.sample(sorted(IN_POD), chance.randint(0, len(IN_POD))):
        case = dict(IN_POD[name].given)
        if "pod_template_file" in case:
            file = folder / "template.yaml"
            file.write_text(case["pod_template_file"])
            case["pod_template_file"] = str(file)
        given |= case
    if "pod_template_file" in given:
        given.pop("pod_template_dict", None)
    return given


def made(operator_class, given):
    operator = operator_class(**given)
    vars(operator)["hook"] = SIDECAR
    pod = operator.build_pod_request_obj(CONTEXT)
    return json.dumps(ApiClient(Configuration()).sanitize_for_serialization(pod)).encode()


@pytest.mark.parametrize("seed", range(60))
def test_the_pod_is_the_stock_operators_to_the_byte(seed, tmp_path):
    stock = made(KubernetesPodOperator, parameter_set(seed, tmp_path))
    ours = made(ClusterPodOperator, parameter_set(seed, tmp_path))

    assert ours == stock


def test_the_trigger_is_the_stock_operators(drive):
    from airflow.sdk.exceptions import TaskDeferred
    from pod_drive.drive import execute

    def trigger(operator_class):
        operator = operator_class(**BASIC, name="fit", deferrable=True, namespace="default")
        vars(operator)["hook"] = SimpleNamespace(
            **vars(SIDECAR), core_v1_client=drive_client(), get_pod=drive_client().read_namespaced_pod
        )
        context = drive.context()
        with pytest.raises(TaskDeferred) as caught:
            execute(operator, context)
        drive.sweep()
        path, arguments = caught.value.trigger.serialize()
        arguments.pop("trigger_start_time")
        return path, arguments

    def drive_client():
        from kubernetes.client import CoreV1Api

        from airflow_multicluster import airflow_registry

        return CoreV1Api(airflow_registry()[drive.cluster].client())

    assert trigger(ClusterPodOperator) == trigger(KubernetesPodOperator)
