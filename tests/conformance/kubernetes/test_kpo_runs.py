"""KubernetesPodOperator and ClusterPodOperator: what runs well."""

from __future__ import annotations

import re

import pytest
from airflow.providers.cncf.kubernetes.secret import Secret
from kubernetes.client import models as k8s

from .pods import STAYS, container
from .tasks import XCOM, Background, context

HOST = "kubernetes.io/hostname"


def test_the_output_is_logged_and_the_pod_is_deleted(tasks, pods, said):
    tasks.run("echo hello from the pod")

    assert "hello from the pod" in said()
    assert pods.gone()


def test_the_result_is_returned(tasks, pods):
    assert tasks.run(XCOM, do_xcom_push=True) == {"a": [1, 2]}
    assert pods.gone()


def test_a_pod_without_a_result_returns_none(tasks, pods):
    assert tasks.run("true", do_xcom_push=True) is None
    assert pods.gone()


def test_a_pod_that_is_kept_is_marked_as_checked(tasks, pods, record):
    tasks.run("true", on_finish_action="keep_pod")

    kept = pods.get()
    assert kept["status"]["phase"] == "Succeeded"
    assert kept["metadata"]["labels"]["already_checked"] == "True"
    record("labels", kept["metadata"]["labels"])


def test_a_pod_that_succeeded_may_be_deleted_and_others_kept(tasks, pods):
    tasks.run("true", on_finish_action="delete_succeeded_pod")

    assert pods.gone()


def test_a_pod_may_be_waited_for_without_its_log(tasks, pods, said):
    tasks.run("echo quiet", get_logs=False)

    assert "quiet\n" not in said()
    assert pods.gone()


def test_the_second_try_finds_the_pod_of_the_first(tasks, pods, said):
    first = tasks.make("sleep 2; echo once")
    given = context()
    first.pod_request_obj = first.build_pod_request_obj(given)
    first.get_or_create_pod(first.pod_request_obj, given)

    tasks.run("echo never")

    text = said()
    assert "once" in text
    assert "[base] never" not in text


def test_init_containers_run_first_and_their_log_is_read(tasks, said):
    first = k8s.V1Container(name="first", image="busybox:1.36", command=["sh", "-c", "echo prepared"])

    tasks.run("echo ran", init_containers=[first], init_container_logs=True)

    text = said()
    assert "[first] prepared" in text
    assert "[base] ran" in text


def test_the_logs_of_several_containers_are_read(tasks, pods, said):
    both = [_typed(container("base", "")), _typed(container("beside", "echo from beside"))]
    full = k8s.V1Pod(spec=k8s.V1PodSpec(containers=both, restart_policy="Never"))

    tasks.run("echo from base", full_pod_spec=full, container_logs=["base", "beside"])

    text = said()
    assert "[base] from base" in text
    assert "[beside] from beside" in text
    assert pods.gone()


def test_a_sidecar_does_not_hold_the_task(tasks, pods, said):
    side = k8s.V1Container(name="side", image="busybox:1.36", command=["sh", "-c", STAYS], restart_policy="Always")

    tasks.run("echo ran", init_containers=[side])

    assert "[base] ran" in said()
    assert pods.gone()


def test_a_result_is_returned_beside_a_sidecar(tasks):
    side = k8s.V1Container(name="side", image="busybox:1.36", command=["sh", "-c", STAYS], restart_policy="Always")

    assert tasks.run(XCOM, do_xcom_push=True, init_containers=[side]) == {"a": [1, 2]}


def test_variables_come_from_where_they_are_asked_from(tasks, pods, said):
    pods.make("configmaps", "given", data={"A": "one"})
    pods.make("secrets", "given", stringData={"key": "hush"})
    source = k8s.V1EnvFromSource(config_map_ref=k8s.V1ConfigMapEnvSource(name="given"))

    tasks.run(
        "echo $A $B $C $(cat /etc/given/key)",
        env_from=[source],
        env_vars={"B": "two"},
        secrets=[Secret("env", "C", "given", "key"), Secret("volume", "/etc/given", "given")],
    )

    assert "one two hush hush" in said()


def test_a_gpu_behind_a_taint_is_reached(tasks, pods, gpu_node):
    resources = k8s.V1ResourceRequirements(limits={"nvidia.com/gpu": "1"})

    there = {"tolerations": [k8s.V1Toleration(operator="Exists")], "node_selector": {HOST: gpu_node}}

    result = tasks.run(XCOM, do_xcom_push=True, container_resources=resources, on_finish_action="keep_pod", **there)

    assert result == {"a": [1, 2]}
    assert pods.get()["spec"]["nodeName"] == gpu_node


def test_a_killed_task_deletes_its_pod(tasks, pods, eventually):
    running = Background(tasks.make(f"echo up; {STAYS}"))
    eventually(lambda: pods.ground.raw("GET", f"{pods.path}/p")[0] == 200)
    pods.until(lambda found: found["status"]["phase"] == "Running")

    running.task.on_kill()

    running.ended()
    assert pods.gone()


def test_a_long_output_is_logged_whole_and_in_order(tasks, said):
    tasks.run("i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done")

    numbers = [int(number) for number in re.findall(r"\[base\] line (\d+)", said())]
    assert list(dict.fromkeys(numbers)) == list(range(2000))


@pytest.mark.parametrize("script", ["echo deferred", "sleep 2; echo deferred"], ids=["short", "long"])
def test_a_deferred_task_logs_and_ends(tasks, pods, said, script):
    tasks.deferred(script)

    assert "deferred" in said()
    assert pods.gone()


def test_a_deferred_task_returns_its_result(tasks, pods):
    assert tasks.deferred(f"sleep 1; {XCOM}", do_xcom_push=True) == {"a": [1, 2]}
    assert pods.gone()


def test_a_deferred_pod_may_be_kept(tasks, pods):
    tasks.deferred("true", on_finish_action="keep_pod")

    assert pods.get()["status"]["phase"] == "Succeeded"


def _typed(document):
    return k8s.V1Container(name=document["name"], image=document["image"], command=document["command"])
