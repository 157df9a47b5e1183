"""The shared watch against a real API server."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import pytest
from kubernetes import client

from multicluster import load_registry
from multicluster.pods.events import PodEvents
from multicluster.pods.kubernetes_source import KubernetesSource
from multicluster.pods.shared_follower import Place
from multicluster.pods.watch import PodWatch
from tests.conformance.kubernetes.grounds import testbed

pytestmark = pytest.mark.testbed
BOUND = 30


class Site:
    """A namespace of its own on the testbed, with pods that no scheduler takes."""

    def __init__(self, ground, folder, labels):
        self.core = client.CoreV1Api(ground.admin)
        self.labels = labels
        self.namespace = f"watch-{uuid.uuid4().hex[:8]}"
        context = json.loads(ground.kubeconfig.read_text())["current-context"]
        auth = {"kubeconfig": {"path": str(ground.kubeconfig), "context": context}}
        document = {"apiVersion": "multicluster/v1alpha1", "kind": "ClusterRegistry"}
        path = folder / "registry.json"
        path.write_text(json.dumps({**document, "clusters": [{"name": "site", "auth": auth}]}))
        self.cluster = load_registry(path)["site"]
        self.core.create_namespace({"metadata": {"name": self.namespace}})
        account = {"metadata": {"name": "alone"}, "automountServiceAccountToken": False}
        self.core.create_namespaced_service_account(self.namespace, account)

    def add(self, *names):
        spec = {
            "schedulerName": "nobody",
            "serviceAccountName": "alone",
            "containers": [{"name": "base", "image": "x"}],
        }
        for name in names:
            pod = {"metadata": {"name": name, "labels": self.labels}, "spec": spec}
            self.core.create_namespaced_pod(self.namespace, pod)

    async def phase(self, name, phase):
        change = {"status": {"phase": phase}}
        await asyncio.to_thread(self.core.patch_namespaced_pod_status, name, self.namespace, change)

    def source(self, kind):
        return KubernetesSource(self.cluster.async_client, namespace=self.namespace, kind=kind, labels=self.labels)

    def connect(self, kind):
        @asynccontextmanager
        async def connect():
            async with self.cluster.keeping_async_client():
                yield self.source(kind)

        return connect

    def place(self):
        return Place(cluster="site", namespace=self.namespace)

    def watch(self):
        return PodWatch(self.connect("pod"), self.place(), labels=self.labels, ended=lambda: None)


@pytest.fixture
def site(tmp_path, kit):
    source = testbed.testbed()
    try:
        ground = source.__enter__()
    except testbed.NoTestbedError as error:
        pytest.skip(str(error))
    made = Site(ground, tmp_path, kit.LABELS)
    yield made
    made.core.delete_namespace(made.namespace)
    source.__exit__(None, None, None)


def test_lists_in_pages_and_changes_come_through(site, kit):
    names = [f"fit-{number}" for number in range(120)]
    site.add(*names)

    async def main():
        watch = site.watch()
        async with AsyncExitStack() as stack:
            pods = [await stack.enter_async_context(watch.waiting_for(name)) for name in names]
            before = await asyncio.gather(*map(kit.phase_of, pods))
            await site.phase("fit-119", "Running")
            await kit.becomes(pods[119], "Running")
            await site.phase("fit-119", "Succeeded")
            await kit.becomes(pods[119], "Succeeded")
            await asyncio.to_thread(site.core.delete_namespaced_pod, "fit-0", site.namespace, grace_period_seconds=0)
            await kit.becomes(pods[0], None)
            return before

    assert asyncio.run(asyncio.wait_for(main(), BOUND)) == ["Pending"] * 120


def test_events_come_through(site):
    def tell(message):
        involved = {"kind": "Pod", "name": "fit", "namespace": site.namespace}
        event = {"metadata": {"generateName": "fit."}, "involvedObject": involved, "message": message}
        site.core.create_namespaced_event(site.namespace, event)

    async def main():
        tell("past")
        async with aclosing(PodEvents(site.connect("event"), site.place(), ended=lambda: None).about("fit")) as told:
            past = await anext(told)
            await asyncio.to_thread(tell, "present")
            return past["message"], (await anext(told))["message"]

    assert asyncio.run(asyncio.wait_for(main(), BOUND)) == ("past", "present")
