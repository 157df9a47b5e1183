"""The shared watch against a real API server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import uuid
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kubernetes import client
from kubernetes.stream import stream
from pod_drive.log import LogKept

from multicluster import load_registry
from multicluster.grounds.launcher import Launcher
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
def ground():
    source = testbed.testbed()
    try:
        ground = source.__enter__()
    except testbed.NoTestbedError as error:
        pytest.skip(str(error))
    yield ground
    source.__exit__(None, None, None)


@pytest.fixture
def site(ground, tmp_path, kit):
    made = Site(ground, tmp_path, kit.LABELS)
    yield made
    made.core.delete_namespace(made.namespace)


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


@pytest.fixture
def own(ground, tmp_path, monkeypatch):
    """A testbed whose API server may be killed, because nobody else uses it."""
    launcher = Launcher(command=testbed.LAUNCHER.command, home=tmp_path / "own")
    monkeypatch.setattr(testbed, "LAUNCHER", launcher)
    try:
        launcher.ask("up", "--nodes", "0")
        with testbed.testbed() as alone:
            yield launcher, alone
    finally:
        launcher.ask("down")


def kill_api_server(home):
    """Kill it as the kernel does for want of memory. Processes of a testbed bear its home in their environment."""
    mark = {f"MULTICLUSTER_TESTBED_MARK={home}", "MULTICLUSTER_TESTBED_PART=kube-apiserver"}
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            found += [int(file.parent.name)] if mark <= set(file.read_text().split("\0")) else []
    (server,) = found
    os.kill(server, signal.SIGKILL)


def test_a_watch_outlives_its_api_server(own, tmp_path, kit):
    launcher, ground = own
    site = Site(ground, tmp_path, kit.LABELS)
    site.add("fit", "other")
    watch = site.watch()

    async def becomes(pod, phase):
        """Wait for the pod's news; where they do not come, nothing else asks for the pod."""
        while (await pod.read()).phase != phase:
            await pod.news(within=10 * BOUND, interval=10 * BOUND)

    async def main():
        async with watch.waiting_for("fit") as fit, watch.waiting_for("other") as other:
            before = [(await fit.read()).phase, (await other.read()).phase]
            kill_api_server(launcher.home)
            meanwhile = (await fit.read()).phase
            await asyncio.to_thread(launcher.ask, "up")
            await site.phase("fit", "Running")  # the watch is asked for anew about now, or in a few seconds
            await becomes(fit, "Running")
            await site.phase("fit", "Succeeded")
            await becomes(fit, "Succeeded")
            return [*before, meanwhile, (await other.read()).phase, watch.forbidden]

    assert asyncio.run(asyncio.wait_for(main(), 6 * BOUND)) == ["Pending"] * 4 + [""]


COUNT = "while [ $i -lt $end ]; do echo line $i; i=$((i+1)); [ $((i % 50)) = 0 ] && sleep 0.1; done"
TWO_PARTS = f"i=0; end=1000; {COUNT}; while [ ! -e /go ]; do sleep 0.1; done; end=2000; {COUNT}"


def test_each_line_of_a_real_pod_is_written_once_by_two_triggers_and_a_worker(site, monkeypatch, tmp_path):
    from airflow_multicluster.hooks.cluster import ClusterHook
    from airflow_multicluster.operators.pod_manager import ClusterPodManager
    from airflow_multicluster.triggers.pod import ClusterPodTrigger
    from airflow_multicluster.triggers.pod_logs import RunningLog

    heard = LogKept()
    monkeypatch.setenv("MULTICLUSTER_REGISTRY", str(tmp_path / "registry.json"))
    monkeypatch.setattr(ClusterPodManager, "_log_message", lambda _, message, *__: heard.lines.append(message))
    base = {"name": "base", "image": "busybox:1.36", "command": ["sh", "-c", TWO_PARTS]}
    spec = {"serviceAccountName": "alone", "restartPolicy": "Never", "containers": [base]}
    site.core.create_namespaced_pod(site.namespace, {"metadata": {"name": "fit", "labels": site.labels}, "spec": spec})

    def trigger(row):
        made = ClusterPodTrigger(**row)
        made.pod_manager._running_log = RunningLog(made.hook, heard)
        return made

    async def event_of(made):
        (event,) = [event.payload async for event in made.run()]
        return event

    async def until_heard(line):
        while line not in heard.lines:  # noqa: ASYNC110 - written by another thread
            await asyncio.sleep(0.01)

    async def first(made):
        """Let the triggerer end in the midst of the first part."""
        waiting = asyncio.create_task(event_of(made))
        await until_heard("line 300")
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        return len(heard.lines)

    async def second(made):
        waiting = asyncio.create_task(event_of(made))
        await until_heard("line 999")
        await asyncio.to_thread(go)
        return await waiting

    def go():
        stream(site.core.connect_get_namespaced_pod_exec, "fit", site.namespace, command=["touch", "/go"],
               stdin=False, stdout=True, stderr=True, tty=False)  # fmt: skip

    row = {
        "cluster": "site", "pod_name": "fit", "pod_namespace": site.namespace, "base_container_name": "base",
        "trigger_start_time": datetime.now(UTC), "logging_interval": 0.1, "poll_interval": 0.1,
        "startup_check_interval": 0.1, "log_events_on_startup": False,
    }  # fmt: skip
    by_first = asyncio.run(asyncio.wait_for(first(trigger(row)), 2 * BOUND))
    event = asyncio.run(asyncio.wait_for(second(trigger(trigger(row).serialize()[1])), 2 * BOUND))
    by_both = len(heard.lines)
    core = ClusterHook("site").core_v1_client
    pod = core.read_namespaced_pod("fit", site.namespace)
    worker = ClusterPodManager(kube_client=core)
    worker.fetch_container_logs(pod, "base", follow=False, since_time=event.get("last_log_time"))

    assert event["status"] == "success"
    assert heard.lines == [f"line {number}" for number in range(2000)]
    assert heard.warnings == []
    assert 300 < by_first < 1000 <= by_both
