"""Why a pod does not start stands in the task's log, and at the end of its error (pain 24)."""

from __future__ import annotations

import threading

import pytest
from kubernetes.client import models as k8s
from pod_drive.drive import Drive
from pod_drive.in_behaviour import NOWHERE

from airflow_multicluster.start_facts import Enquiry, pool_of
from multicluster.node_pools.pool import NodePool, NodePoolState, Problem

SOON = {"schedule_timeout_seconds": 2, "startup_timeout_seconds": 2}
ABSENT = {"cluster": "gpu-use1", "name": "mc-absent", "profile": "l4"}
GPU = k8s.V1ResourceRequirements(limits={"nvidia.com/gpu": "1"})
VOLUME = k8s.V1Volume(name="settings", config_map=k8s.V1ConfigMapVolumeSource(name="absent"))
MOUNT = k8s.V1VolumeMount(name="settings", mount_path="/settings")
VARIABLE = k8s.V1EnvVar(
    name="WORD", value_from=k8s.V1EnvVarSource(secret_key_ref=k8s.V1SecretKeySelector(name="keys", key="absent"))
)
CASES = {
    "image": (
        {"image": "localhost:1/does-not-exist:1"},
        "image 'localhost:1/does-not-exist:1' cannot be pulled: the registry has no such image or tag [container ",
    ),
    "selector": (
        {"node_selector": NOWHERE},
        "nodes has the label no=where (node selector) [event FailedScheduling: 0/",
    ),
    "config": (
        {"env_vars": [VARIABLE]},
        (
            "container 'base' cannot be configured: couldn't find key absent in Secret default/keys [container 'base': "
            "CreateContainerConfigError]"
        ),
    ),
    "volume": (
        {"volumes": [VOLUME], "volume_mounts": [MOUNT]},
        "volume 'settings' cannot be mounted: configmap \"absent\" not found [event FailedMount: ",
    ),
    "cpu": (
        {"container_resources": k8s.V1ResourceRequirements(requests={"cpu": "1000"})},
        "no node has room for what the pod asks for (cpu 1000); of ",
    ),
    "pool": (
        {"node_pool": ABSENT},
        "the cloud has no machine for the pod's node pool: ",
    ),
}


def told(ran):
    return [line for line in ran.log if " has not started: " in line]


@pytest.mark.parametrize("case", CASES)
def test_pain_24_why_a_pod_does_not_start_is_said_once_and_ends_the_error(drive, fit, case):
    given, words = CASES[case]
    ran = drive.run(fit(**SOON, **given))

    (line,) = told(ran)
    assert words in line
    last = str(ran.error).splitlines()[-1]
    assert line.endswith(last), (line, last)
    assert words in last


@pytest.mark.parametrize("deferrable", [False, True], ids=["sync", "deferrable"], indirect=True)
def test_pain_04_a_gpu_that_nobody_advertises_is_said(world, fit):
    here = Drive(world, "here")
    ran = here.run(fit(cluster="here", container_resources=GPU, **SOON))
    here.sweep()

    (line,) = told(ran)
    assert "no node advertises nvidia.com/gpu: 0 allocatable on the 1 of 1 nodes" in line
    assert str(ran.error).endswith("]")


def test_pain_24_what_only_an_event_tells_is_said_in_the_end_where_events_are_not_logged(drive, fit):
    ran = drive.run(fit(**SOON, volumes=[VOLUME], volume_mounts=[MOUNT], log_events_on_startup=False))

    assert "volume 'settings' cannot be mounted" in str(ran.error).splitlines()[-1]


def test_pain_24_what_only_an_event_tells_is_said_while_there_is_time_to_mend_it(drive, fit):
    asked = drive.kubernetes.requests["list", "events"]
    over = threading.Event()

    def mend():
        while drive.kubernetes.requests["list", "events"] == asked and not over.wait(0.05):
            pass
        drive.kubernetes.create("configmaps", {"metadata": {"name": "absent"}, "data": {"a": "b"}})

    mending = threading.Thread(target=mend)
    mending.start()
    patient = {"startup_timeout_seconds": 40, "log_events_on_startup": False}
    ran = drive.run(fit(volumes=[VOLUME], volume_mounts=[MOUNT], **patient))
    over.set()
    mending.join()
    drive.kubernetes.delete("configmaps", "absent")

    assert ran.error is None, ran.text
    (line,) = told(ran)
    assert "volume 'settings' cannot be mounted" in line


def test_pain_24_a_pod_that_starts_says_nothing_of_the_kind(drive, fit):
    ran = drive.run(fit())

    assert (ran.error, told(ran)) == (None, [])


def test_pain_24_a_failure_of_the_program_is_not_explained_by_its_start(drive, fit):
    ran = drive.run(fit("sleep 1; exit 3"))

    assert "has not started" not in str(ran.error) + ran.text
    assert "never ran" not in str(ran.error)


def test_pain_24_an_exhausted_quota_is_said_in_one_line(drive, fit):
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    drive.kubernetes.create("resourcequotas", quota, "other")
    ran = drive.run(fit(namespace="other"))
    drive.kubernetes.delete("resourcequotas", "none", "other")

    said = str(ran.error)
    assert "quota 'none' of namespace 'other' is used up: asked for pods=1, in use pods=0, limit pods=0" in said
    assert said.endswith("[create pod: 403 Forbidden]")
    assert "\n" not in said


@pytest.mark.parametrize("more", [{}, {"get_logs": False}, {"logging_interval": 1}, {"do_xcom_push": True}], ids=str)
def test_an_init_container_that_failed_is_named_with_its_exit_code(drive, fit, more):
    fetch = k8s.V1Container(name="fetch", image="busybox:1.37", command=["sh", "-c", "echo no bucket; exit 7"])
    ran = drive.run(fit(init_containers=[fetch], init_container_logs=True, **more))

    assert str(ran.error).endswith(
        "container 'base' never ran: init container 'fetch' failed with exit code 7 (Error)"
    ), str(ran.error)
    assert "no bucket" in ran.text or not more.get("get_logs", True)


class Pools:
    """Stands for the node pools of a cloud that lacks machines."""

    def get(self, name):
        problems = (Problem(code="InsufficientInstanceCapacity", message="no g6.xlarge in us-east-1a"),)
        selector = ("pool", name)
        return NodePool(
            name=name, state=NodePoolState.PENDING, status="CREATING", node_selector=selector, problems=problems
        )


class Cluster:
    """Stands for a cluster whose clients do not get through."""

    name = "gpu"

    def __init__(self):
        self.asked = 0

    def node_selector(self, pool):
        return "pool", pool

    def node_pools(self):
        return Pools()

    def client(self):
        from multicluster.errors import ClusterUnreachableError

        self.asked += 1
        raise ClusterUnreachableError("no way there")


POD = {"spec": {"nodeSelector": {"zone": "a", "pool": "mc-1"}}}


def test_pain_10_what_the_cloud_says_of_the_pods_pool_is_known():
    facts = Enquiry(Cluster()).ask(POD)

    assert (facts.nodes, facts.pool) == (None, "mc-1")
    assert facts.cloud == ("InsufficientInstanceCapacity: no g6.xlarge in us-east-1a",)


def test_one_answer_is_good_for_many_pods_and_a_while():
    now = [0.0]
    cluster = Cluster()
    enquiry = Enquiry(cluster, clock=lambda: now[0])

    asked = []
    for now[0] in (0.0, 7.9, 8.0):
        enquiry.ask(POD)
        asked.append(cluster.asked)
    assert asked == [1, 1, 2]


def test_a_selector_that_names_no_pool_is_none():
    assert pool_of(Cluster(), {"spec": {"nodeSelector": {"zone": "a"}}}) == ""
    assert pool_of(Cluster(), {}) == ""
