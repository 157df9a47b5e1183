"""ClusterPodOperator: a pod that is lost to the infrastructure is started again."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from kubernetes.client import models as k8s

from .pods import OWN, TOLERATES_OWN, pod, running, unique

pytestmark = pytest.mark.parametrize("tasks", ["ours"], indirect=True)
HOW = pytest.mark.parametrize("how", ["sync", "deferred", "unseen"])
SCRIPT = '[ "$TURN" = second ] && echo trained || { echo up; sleep 300; }'
TURN = k8s.V1EnvFromSource(config_map_ref=k8s.V1ConfigMapEnvSource(name="turn"))
MERGE = {"Content-Type": "application/merge-patch+json"}
CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"


class Turns:
    """Pods of tasks that run until they are taken away the first time, and end well the second time."""

    def __init__(self, tasks, pods, eventually):
        self.tasks, self.pods = tasks, pods
        self._eventually = eventually
        pods.make("configmaps", "turn", data={"TURN": "first"})

    def up(self, name="p"):
        """Wait until a first pod runs."""
        self._eventually(lambda: self.pods.ground.raw("GET", f"{self.pods.path}/{name}")[0] == 200, timeout=60)
        return self.pods.until(running, name, timeout=60)

    def next(self):
        """Let pods that start from now on end well."""
        path = f"/api/v1/namespaces/{self.pods.namespace}/configmaps/turn"
        self.pods.request("PATCH", path, {"data": {"TURN": "second"}}, headers=MERGE)

    def run(self, how, deed, **options):
        """Run a task while *deed* takes its first pod away.

        That is while the worker follows the pod (sync), while the trigger waits (deferred), or before the trigger has
        looked for the first time (unseen: there was no triggerer).
        """
        options = {"infrastructure_retries": 1, "env_from": [TURN], **options}
        if how == "unseen":
            return self.tasks.deferred(SCRIPT, meanwhile=lambda: deed() or self.pods.gone(), **options)
        with ThreadPoolExecutor(1) as beside:
            done = beside.submit(deed)
            result = (self.tasks.deferred if how == "deferred" else self.tasks.run)(SCRIPT, **options)
            done.result()
        return result


@pytest.fixture
def turns(tasks, pods, eventually):
    return Turns(tasks, pods, eventually)


@pytest.fixture
def told(said, record, names):
    """Return what was said of a pod that is started again, and of the work of the next one."""

    def look(*nodes, pod="p"):
        names.update(dict.fromkeys(nodes, "<node>"))
        text = said()
        found = sorted(set(re.findall(rf"Pod {pod} .*?; starting pod again, \d of \d", text)))
        record(f"told of {pod}", found)
        return found, "trained" in text

    return look


@HOW
def test_an_evicted_pod_is_started_again(turns, pods, told, how):
    nodes = []

    def evict():
        nodes.append(turns.up()["spec"]["nodeName"])
        turns.next()
        pods.request("POST", f"{pods.path}/p/eviction", {"metadata": {"name": "p"}})

    turns.run(how, evict)

    why = "EvictionByEvictionAPI: Eviction API: evicting"
    lines = [f"Pod p was evicted from node {nodes[0]} ({why}); starting pod again, 1 of 1"]
    assert told(*nodes) == (lines, True)
    assert pods.gone()


@pytest.fixture
def high(pods):
    """A class of pods that others have to make room for."""
    name = unique("high")
    pods.request("POST", CLASSES, {"metadata": {"name": name}, "value": 1000})
    yield name
    pods.request("DELETE", f"{CLASSES}/{name}")


@HOW
def test_a_preempted_pod_is_started_again_once_there_is_room(turns, pods, told, high, how):
    label = unique("one")
    limits = {"nvidia.com/gpu": "1"}
    there = {
        "container_resources": k8s.V1ResourceRequirements(limits=limits),
        "node_selector": {"is": label},
        "tolerations": [k8s.V1Toleration(**TOLERATES_OWN)],
    }
    winner = pod(name="high", priorityClassName=high, resources={"limits": limits}, nodeSelector={"is": label})

    def preempt():
        turns.up()
        turns.next()
        pods.start(winner, timeout=60)
        pods.delete("high", grace=0)

    with pods.ground.node(gpus=1, labels={"is": label}, taints=[OWN]) as node:
        turns.run(how, preempt, **there)

    lines, trained = told(node)
    assert len(lines) == 1
    assert f"Pod p was preempted on node {node} (PreemptionByScheduler: " in lines[0]
    assert lines[0].endswith("; starting pod again, 1 of 1")
    assert trained


def test_a_pod_lost_with_its_node_is_started_again(turns, ground, told):
    """Both ways at once, because a real cluster takes a minute to give up a pod whose node is gone."""
    label = unique("lost")
    shape = {"labels": {"is": label}, "taints": [OWN]}
    there = {"node_selector": {"is": label}, "tolerations": [k8s.V1Toleration(**TOLERATES_OWN)]}
    options = {"infrastructure_retries": 1, "env_from": [TURN], **there}
    with ThreadPoolExecutor(2) as both, ExitStack() as later:
        with ground.node(**shape) as node:
            ends = [
                both.submit(turns.tasks.run, SCRIPT, task_id="sync", name="sync", **options),
                both.submit(turns.tasks.deferred, SCRIPT, task_id="deferred", name="deferred", **options),
            ]
            turns.up("sync"), turns.up("deferred")
            turns.next()
            later.enter_context(ground.node(**shape))
        for end in ends:
            end.result()

    lines, trained = told(node, pod="(?:sync|deferred)")
    assert [line.partition(" (")[0] for line in lines] == [
        f"Pod deferred was lost with node {node}",
        f"Pod sync was lost with node {node}",
    ]
    assert all(line.endswith("; starting pod again, 1 of 1") for line in lines)
    assert trained
