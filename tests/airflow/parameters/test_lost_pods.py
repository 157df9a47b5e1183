"""A pod that is lost to the infrastructure is started again, and the task's own tries are not used up (pain 14)."""

from __future__ import annotations

import threading

import pytest
from kubernetes.client import models as k8s

from airflow_multicluster.operators.lost_pod import LOSSES
from multicluster.simulator.kubernetes.kubelet.worker import Ending
from multicluster.simulator.kubernetes.nodes import NodeShape
from multicluster.simulator.kubernetes.resources import PODS

NODE = "spare"
LATE = {
    "volumes": [k8s.V1Volume(name="late", config_map=k8s.V1ConfigMapVolumeSource(name="late-after-a-loss"))],
    "volume_mounts": [k8s.V1VolumeMount(name="late", mount_path="/late")],
}


def runs(pod):
    return pod["status"].get("phase") == "Running"


def only_bound(pod):
    return bool(pod["spec"].get("nodeName")) and pod["status"].get("phase", "Pending") == "Pending"


class Saboteur:
    """Takes the pods of a task away once they are as it wishes, *times* of them, one after the other."""

    def __init__(self, drive, context, deed, *, times=1, wish=runs):
        self._drive = drive
        self._context = context
        self._deed = deed
        self._times = times
        self._wish = wish
        self._thread = threading.Thread(target=self._act)
        self.taken = []

    def _act(self):
        for _ in range(self._times):
            self._drive.kubernetes.wait_until("pods", lambda _: self._victim(), timeout=60)
            pod = self._victim()
            self.taken.append(pod["metadata"]["name"])
            self._deed(pod)

    def _victim(self):
        found = [
            pod
            for pod in self._drive.kubernetes._store.all(PODS)
            if pod["metadata"].get("labels", {}).get("run_id") == self._context["run_id"]
            and self._wish(pod)
            and pod["metadata"]["name"] not in self.taken
        ]
        return found[0] if found else None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()


@pytest.fixture
def context(drive):
    return drive.context()


@pytest.fixture
def evict(drive):
    """Evict a pod as a drain does: by the API, which leaves no event."""

    def evict(pod):
        from kubernetes.client import CoreV1Api, V1Eviction, V1ObjectMeta

        from airflow_multicluster.hooks.cluster import find_cluster

        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        eviction = V1Eviction(metadata=V1ObjectMeta(name=name, namespace=namespace))
        CoreV1Api(find_cluster(drive.cluster).client()).create_namespaced_pod_eviction(name, namespace, eviction)

    return evict


@pytest.fixture
def fail(drive):
    """Let a kubelet end a pod."""

    def fail(reason, message):
        def deed(pod):
            worker = drive.kubernetes._kubelet._workers[pod["metadata"]["uid"]]
            drive.kubernetes._run(lambda: worker.end(Ending(grace=0, reason=reason, message=message)))

        return deed

    return fail


@pytest.fixture
def first_waits(fit):
    """Make an operator whose first pods run until they are ended, and whose last one ends by itself."""

    def make(**given):
        options = {"termination_grace_period": 0, "on_finish_action": "delete_pod", **given}
        return fit("sleep 2; echo trained", **options)

    return make


def test_pain_14_an_evicted_pod_is_started_again(drive, first_waits, context, evict):
    with Saboteur(drive, context, evict) as saboteur:
        ran = drive.run(first_waits(), context=context)

    assert ran.error is None, ran.text
    assert "trained" in ran.text
    (line,) = [line for line in ran.log if "starting pod again" in line]
    assert line == (
        f"Pod {saboteur.taken[0]} was evicted from node {line.split()[6]} (EvictionByEvictionAPI: Eviction API: "
        "evicting); starting pod again, 1 of 3"
    )
    assert context["ti"].try_number == 1


@pytest.mark.parametrize(
    "said",
    [
        ("Evicted", "The node was low on resource: memory."),
        ("Preempting", "Preempted in order to admit critical pod"),
        ("NodeLost", "Node n1 which was running pod fit is unresponsive"),
        ("Terminated", "Pod was terminated in response to imminent node shutdown."),
        ("UnexpectedAdmissionError", "Allocate failed due to no healthy devices present"),
    ],
)
def test_pain_14_a_pod_that_a_kubelet_gave_up_is_started_again(drive, first_waits, context, fail, said):
    reason, message = said
    with Saboteur(drive, context, fail(reason, message)):
        ran = drive.run(first_waits(), context=context)

    assert ran.error is None, ran.text
    assert f"({reason}: {message}); starting pod again, 1 of 3" in ran.text


def test_pain_14_a_pod_lost_before_it_ever_ran_is_started_again(drive, first_waits, context, evict):
    def evict_and_let_the_next_one_start(pod):
        evict(pod)
        drive.kubernetes.create("configmaps", {"metadata": {"name": "late-after-a-loss"}, "data": {"a": "b"}})

    with Saboteur(drive, context, evict_and_let_the_next_one_start, wish=only_bound) as saboteur:
        ran = drive.run(first_waits(**LATE, startup_timeout_seconds=60), context=context)
    drive.kubernetes.delete("configmaps", "late-after-a-loss")

    assert ran.error is None, ran.text
    assert "trained" in ran.text
    (line,) = [line for line in ran.log if "starting pod again" in line]
    assert line.startswith(f"Pod {saboteur.taken[0]} was evicted from node ")


@pytest.mark.parametrize("finish", ["keep_pod", "delete_pod", "delete_succeeded_pod"])
def test_pain_14_the_dead_pod_is_handled_as_on_finish_action_says(drive, first_waits, context, fail, finish):
    with Saboteur(drive, context, fail("Evicted", "low on memory")) as saboteur:
        ran = drive.run(first_waits(on_finish_action=finish), context=context)

    assert ran.error is None, ran.text
    kept = {pod["metadata"]["name"] for pod in ran.pods}
    assert (saboteur.taken[0] in kept) is (finish != "delete_pod")
    assert len(kept - set(saboteur.taken)) == (finish == "keep_pod")


def test_pain_14_a_pod_lost_with_its_node_is_started_again(drive, first_waits, context):
    shape = NodeShape(capacity={"cpu": "4", "memory": "8Gi"}, labels={"is": NODE}, ready=True)
    drive.kubernetes.add_node(NODE, shape)

    def lose(_):
        drive.kubernetes.remove_node(NODE)
        drive.kubernetes.add_node("next", shape)

    with Saboteur(drive, context, lose):
        ran = drive.run(first_waits(node_selector={"is": NODE}), context=context)
    drive.kubernetes.remove_node("next")

    assert ran.error is None, ran.text
    assert f"was lost with node {NODE} (" in ran.text


def test_pain_14_losses_are_bounded(drive, first_waits, context, fail):
    with Saboteur(drive, context, fail("Evicted", "low on memory"), times=3) as saboteur:
        ran = drive.run(first_waits(infrastructure_retries=2), context=context)

    assert ran.error is not None
    assert len(set(saboteur.taken)) == 3
    assert [line.rpartition("; ")[2] for line in ran.log if "starting pod again" in line] == [
        "starting pod again, 1 of 2",
        "starting pod again, 2 of 2",
    ]
    assert "not starting it again: it was started again 2 times already" in ran.text
    assert ran.pods == []


def test_pain_14_no_loss_is_made_good_where_that_is_switched_off(drive, first_waits, context, fail):
    with Saboteur(drive, context, fail("Evicted", "low on memory")) as saboteur:
        ran = drive.run(first_waits(infrastructure_retries=0), context=context)

    assert ran.error is not None
    assert len(saboteur.taken) == 1
    assert "not starting it again: infrastructure_retries is 0" in ran.text


@pytest.mark.parametrize("command", ["exit 3", "kill -9 $$"])
def test_pain_14_what_the_program_does_is_not_made_good(drive, fit, command):
    ran = drive.run(fit(command))

    assert ran.error is not None
    assert len(ran.pods) == 1
    assert "starting" not in ran.text.replace("Starting pod", "")


def test_pain_14_a_pod_that_somebody_deleted_is_not_made_good(drive, first_waits, context):
    def delete(pod):
        from kubernetes.client import CoreV1Api

        from airflow_multicluster.hooks.cluster import find_cluster

        CoreV1Api(find_cluster(drive.cluster).client()).delete_namespaced_pod(pod["metadata"]["name"], "default")

    with Saboteur(drive, context, delete):
        ran = drive.run(first_waits(), context=context)

    assert ran.error is not None
    assert "starting pod again" not in ran.text


@pytest.mark.parametrize("deferrable", [True], indirect=True)
def test_the_count_travels_with_the_trigger_and_nowhere_else(drive, first_waits, context, fail):
    with Saboteur(drive, context, fail("Evicted", "low on memory"), times=2):
        ran = drive.run(first_waits(), context=context)

    assert ran.error is None, ran.text
    assert [one["trigger_kwargs"].get(LOSSES) for one in ran.deferrals] == [None, 1, 2]
    assert LOSSES not in str(context["task_state_store"]) + str(context["ti"].pushed)


@pytest.mark.parametrize("deferrable", [True], indirect=True)
def test_a_cleared_task_counts_anew(drive, first_waits, context, fail):
    with Saboteur(drive, context, fail("Evicted", "low on memory")):
        before = drive.run(first_waits(), context=context)
    context["ti"].try_number += 1
    after = drive.run(first_waits(), context=context)

    assert [one["trigger_kwargs"].get(LOSSES) for one in before.deferrals] == [None, 1]
    assert [one["trigger_kwargs"].get(LOSSES) for one in after.deferrals] == [None]
    assert after.error is None, after.text


def test_pain_14_a_pod_whose_name_is_fixed_is_made_again_once_the_dead_one_is_gone(drive, first_waits, context, fail):
    with Saboteur(drive, context, fail("Evicted", "low on memory")):
        ran = drive.run(first_waits(name="fixed", random_name_suffix=False), context=context)

    assert ran.error is None, ran.text


def test_pain_14_a_pod_whose_fixed_name_is_still_taken_is_an_error_that_says_so(drive, first_waits, context, fail):
    with Saboteur(drive, context, fail("Evicted", "low on memory")):
        options = {"name": "fixed", "random_name_suffix": False, "on_finish_action": "keep_pod"}
        ran = drive.run(first_waits(**options), context=context)

    assert "the one before it is kept and has the same name" in str(ran.error)
    assert len(ran.pods) == 1


def test_less_than_none_is_refused(fit):
    with pytest.raises(ValueError, match="infrastructure_retries=-1; 0 is none at all"):
        fit(infrastructure_retries=-1)
