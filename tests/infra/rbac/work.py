"""What the toolkit and the stock operator do inside a cluster, as the user that infra/rbac gives its rights to.

Each piece of work is a generator that yields the name of a law before it looks whether it holds.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.exceptions import AirflowException
from airflow.providers.common.compat.sdk import TaskDeferred
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from airflow_multicluster import ClusterPodOperator
from multicluster import Cluster, load_registry
from multicluster.brackets.facts import list_daemon_sets, list_nodes, list_slices
from multicluster.errors import MulticlusterError
from tests.conformance.kubernetes.grounds.ground import Ground

from .manifests import GROUP, NAMESPACE, USER

IMAGE = "busybox:1.36"
RESULT = "mkdir -p /airflow/xcom; echo '{\"a\": 1}' > /airflow/xcom/return.json"
QUICK = {"startup_check_interval_seconds": 0.1, "base_container_status_polling_interval": 0.1, "poll_interval": 0.1}
SLICE = {
    "apiVersion": "resource.k8s.io/v1",
    "kind": "ResourceSlice",
    "metadata": {"name": "rbac"},
    "spec": {
        "driver": "gpu.example.com",
        "allNodes": True,
        "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
        "devices": [{"name": "gpu-0"}],
    },
}
POLLED = "asked for one by one"
"""What the triggerer says where a watch is not allowed."""
Steps = Iterator[str]


class Site:
    """A ground, seen by its administrator and by the user."""

    def __init__(self, ground: Ground, folder: Path, said: Callable[[], str]) -> None:
        self.ground, self.said = ground, said
        self.core = client.CoreV1Api(ground.admin)
        self.user = ground.user(USER, (GROUP,))
        uid = self.core.read_namespace("kube-system").metadata.uid
        kubeconfig = ground.kubeconfig_of(USER, (GROUP,))
        context = json.loads(kubeconfig.read_text())["current-context"]
        document = {
            "apiVersion": "multicluster/v1alpha1",
            "kind": "ClusterRegistry",
            "clusters": [
                {
                    "name": "site",
                    "auth": {"kubeconfig": {"path": str(kubeconfig), "context": context}},
                    "pods": {"namespace": NAMESPACE},
                    "identity": {"kubeSystemUid": uid},
                }
            ],
        }
        self.registry = folder / "registry.json"
        self.registry.write_text(json.dumps(document))

    @property
    def cluster(self) -> Cluster:
        """The cluster as the user reaches it."""
        return load_registry(self.registry)["site"]

    def pods(self) -> list[Any]:
        """Return the pods of the namespace that are not on their way out."""
        found = self.core.list_namespaced_pod(NAMESPACE).items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    def clean(self) -> None:
        """Delete all pods at once."""
        self.core.delete_collection_namespaced_pod(NAMESPACE, grace_period_seconds=0)


def context() -> dict[str, Any]:
    """Return as much of a task's context as the operator looks at; each call is another run."""
    ti = SimpleNamespace(
        dag_id="d",
        task_id="t",
        run_id=f"r-{uuid.uuid4().hex[:8]}",
        map_index=-1,
        try_number=1,
        start_date=None,
        xcom_push=lambda **_: None,
    )
    return {"ti": ti, "task_instance": ti, "run_id": ti.run_id, "dag": SimpleNamespace(dag_id="d")}


def task(script: str, **options: Any) -> ClusterPodOperator:
    """Return an operator that runs a shell script on the site."""
    return ClusterPodOperator(
        task_id="t",
        name="p",
        cluster="site",
        image=IMAGE,
        image_pull_policy="IfNotPresent",
        cmds=["sh", "-c", script],
        termination_grace_period=1,
        **{**QUICK, **options},
    )


def broken(site: Site, work: Callable[[Site], Steps]) -> str:
    """Do the work; return the law that did not hold, or nothing."""
    law = "before its first law"
    try:
        for law in work(site):  # noqa: B007 - used when the work breaks
            pass
    except (AssertionError, AirflowException, ApiException, MulticlusterError):
        return law
    finally:
        site.clean()
    return ""


def pods(site: Site) -> Steps:
    """Run pods, in the worker and in the triggerer."""
    yield "a pod runs"
    task("echo hello from the pod").execute(context())
    yield "what it said is in the task's log"
    assert "hello from the pod" in site.said()
    yield "it is deleted in the end"
    assert site.pods() == []
    yield "a pod that is kept is marked as checked"
    task("true", on_finish_action="keep_pod").execute(context())
    assert [pod.metadata.labels.get("already_checked") for pod in site.pods()] == ["True"]
    yield "a second try finds the pod of the first"
    again, first = context(), task("echo once")
    first.get_or_create_pod(first.build_pod_request_obj(again), again)
    again["ti"].try_number = 2
    task("echo never").execute(again)
    assert "never" not in site.said()
    yield "a deferred pod runs"
    defer(task("echo deferred", deferrable=True))
    yield "one watch tells of deferred pods"
    site.said()
    defer(task("sleep 2", deferrable=True))
    assert POLLED not in site.said()


def defer(operator: ClusterPodOperator) -> Any:
    """Run an operator, its trigger, and what follows."""
    about = context()
    try:
        operator.execute(about)
    except TaskDeferred as deferred:
        event = asyncio.run(first_event(deferred.trigger))
        return getattr(operator, deferred.method_name)(about, event.payload, **deferred.kwargs or {})
    raise AssertionError("the task was not deferred")


async def first_event(trigger: Any) -> Any:
    """Wait for a trigger to fire."""
    async for event in trigger.run():
        return event
    raise AssertionError("the trigger ended without an event")


def xcom(site: Site) -> Steps:
    """Read a pod's result."""
    yield "the pod's result is returned"
    assert task(RESULT, do_xcom_push=True).execute(context()) == {"a": 1}
    assert site.pods() == []


def events(site: Site) -> Steps:
    """Tell what happened to a pod that failed."""
    yield "the events of a failed pod are in the task's log"
    site.said()
    try:
        task("exit 4", log_events_on_failure=True).execute(context())
    except AirflowException:
        assert "Scheduled" in site.said()
    else:
        raise AssertionError("the task did not fail")
    yield "one watch tells of the events of deferred pods"
    site.said()
    try:
        defer(task("true", deferrable=True, schedulername="nobody", schedule_timeout_seconds=2))
    except AirflowException:
        assert POLLED not in site.said()
    else:
        raise AssertionError("the pod was scheduled")


def node_read(site: Site) -> Steps:
    """Judge whether nodes are ready, and that they are gone."""
    name = site.core.list_node().items[0].metadata.name
    yield "nodes are seen"
    assert [node.name for node in list_nodes(site.cluster, ("kubernetes.io/hostname", name))] == [name]
    yield "device plugins are looked for"
    assert list_daemon_sets(site.cluster) is not None
    yield "GPUs under DRA are seen"
    with_slices = site.ground.raw("POST", "/apis/resource.k8s.io/v1/resourceslices", SLICE)[0] != 404
    try:
        status = seen(site, "/apis/resource.k8s.io/v1/resourceslices")
        assert status == (200 if with_slices else 404)
        assert len(list_slices(site.cluster)) == int(with_slices)
    finally:
        site.ground.raw("DELETE", "/apis/resource.k8s.io/v1/resourceslices/rbac")


def seen(site: Site, path: str) -> int:
    """Return the status of a GET as the user."""
    try:
        site.user.call_api(path, "GET", auth_settings=["BearerToken"], _preload_content=False)
    except ApiException as error:
        return int(error.status)
    return 200


def identity(site: Site) -> Steps:
    """Compare the cluster with the registry's pin."""
    yield "the cluster proves its identity"
    site.cluster.check_identity()


WORK = {"pods": pods, "xcom": xcom, "events": events, "node-read": node_read, "identity": identity}
"""The work that needs each component, cheapest first within it."""
