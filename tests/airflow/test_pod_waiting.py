"""How a deferred pod is waited for: the stock trigger's logic, on the shared watch."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial

import pytest

from airflow_multicluster.hooks import pod_watches
from airflow_multicluster.triggers import pod as module
from airflow_multicluster.triggers.pod import ClusterPodTrigger
from multicluster.pods.pace import Timing
from multicluster.pods.shared_follower import Place
from multicluster.simulator.faults import Fault, HttpError
from multicluster.simulator.kubernetes.resources import PODS

CLUSTER = "here"
ENDLESS = 3600.0
BOUND = 20.0
RUNNING = {"running": {"startedAt": "2026-11-21T12:00:00Z"}}
DONE = {"terminated": {"exitCode": 0, "startedAt": "2026-11-21T12:00:00Z", "finishedAt": "2026-11-21T12:01:00Z"}}


class Stage:
    """Pods whose state the test writes: no scheduler takes them."""

    def __init__(self, world, namespace):
        self.kubernetes = world.entrances[CLUSTER].kubernetes
        self.world = world
        self.namespace = namespace
        self.before = self.kubernetes.requests.copy()
        self.kubernetes.create("namespaces", {"metadata": {"name": namespace}})

    def add(self, *names, labels=None):
        for name in names:
            labels = pod_watches.MADE_BY_AIRFLOW if labels is None else labels
            spec = {"schedulerName": "nobody", "containers": [{"name": "base", "image": "x"}]}
            self.kubernetes.create("pods", {"metadata": {"name": name, "labels": labels}, "spec": spec}, self.namespace)

    def set(self, name, phase, state=None):
        def mutation(document):
            document["status"]["phase"] = phase
            if state is not None:
                known = {"name": "base", "image": "x", "imageID": "x", "ready": True, "restartCount": 0, "state": state}
                document["status"]["containerStatuses"] = [known]

        self.kubernetes._run(lambda: self.kubernetes._store.change(PODS, self.namespace, name, mutation))

    def event(self, name, message):
        involved = {"kind": "Pod", "name": name, "namespace": self.namespace, "apiVersion": "v1"}
        document = {"metadata": {"generateName": f"{name}."}, "involvedObject": involved, "message": message}
        self.kubernetes.create("events", document, self.namespace)

    def trigger(self, name, cluster=CLUSTER, **more):
        options = {"poll_interval": ENDLESS, "startup_check_interval": ENDLESS, "log_events_on_startup": False, **more}
        return ClusterPodTrigger(
            cluster=cluster,
            pod_name=name,
            pod_namespace=self.namespace,
            base_container_name="base",
            trigger_start_time=datetime.now(UTC),
            **options,
        )

    def requests(self):
        counted = self.kubernetes.requests - self.before
        return {verb: counted[verb, "pods"] for verb in ("list", "watch", "get") if counted[verb, "pods"]}

    def strike(self, operation, effect, times=None):
        self.world.faults.add(
            Fault(name=operation, effect=effect, operation=operation, service="kubernetes", times=times)
        )


@pytest.fixture
def stage(world, request):
    name = "waiting-" + str(abs(hash(request.node.name)))
    return Stage(world, name)


async def event_of(trigger):
    events = [event.payload async for event in trigger.run()]
    assert len(events) == 1
    return events[0]


async def looking(trigger):
    """Wait until the trigger has begun to look at a running pod."""
    async with asyncio.timeout(BOUND):
        while trigger._looks is None or trigger._looks._first:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def test_the_end_of_a_pod_wakes_its_trigger_whatever_the_poll_interval(stage):
    stage.add("fit")

    async def main():
        trigger = stage.trigger("fit", poll_interval=10 * BOUND)
        waiting = asyncio.create_task(event_of(trigger))
        stage.set("fit", "Running", RUNNING)
        await looking(trigger)
        stage.set("fit", "Succeeded", DONE)
        return await asyncio.wait_for(waiting, BOUND)

    event = asyncio.run(main())
    assert (event["status"], event["name"], event["namespace"]) == ("success", "fit", stage.namespace)


def test_a_base_container_that_ends_before_its_sidecar_is_enough(stage):
    stage.add("fit")

    async def main():
        trigger = stage.trigger("fit")
        waiting = asyncio.create_task(event_of(trigger))
        stage.set("fit", "Running", RUNNING)
        await looking(trigger)
        stage.set("fit", "Running", DONE)
        return await asyncio.wait_for(waiting, BOUND)

    assert asyncio.run(main())["status"] == "success"


@pytest.mark.parametrize(("phase", "state"), [("Running", DONE), ("Succeeded", DONE), ("Failed", RUNNING)])
def test_what_ended_before_the_trigger_came_is_told_at_once(stage, phase, state):
    stage.add("fit")
    stage.set("fit", phase, state)

    event = asyncio.run(asyncio.wait_for(event_of(stage.trigger("fit")), BOUND))

    assert event["status"] == ("failed" if phase == "Failed" else "success")


def test_pain_23_many_triggers_of_a_namespace_share_a_list_and_a_watch(stage):
    names = [f"fit-{number}" for number in range(40)]
    stage.add(*names)

    async def main():
        triggers = [stage.trigger(name) for name in names]
        waiting = [asyncio.create_task(event_of(trigger)) for trigger in triggers]
        for name in names:
            stage.set(name, "Running", RUNNING)
        await asyncio.gather(*map(looking, triggers))
        for name in names:
            stage.set(name, "Succeeded", DONE)
        return await asyncio.wait_for(asyncio.gather(*waiting), BOUND)

    events = asyncio.run(main())
    assert {event["status"] for event in events} == {"success"}
    requests = stage.requests()
    assert requests["watch"] == 1
    assert requests["list"] + requests.get("get", 0) <= 20


def test_the_intervals_that_travel_are_the_users_also_while_it_runs(stage):
    stage.add("fit")
    stage.set("fit", "Running", RUNNING)

    async def main():
        trigger = stage.trigger("fit", poll_interval=7, startup_check_interval=9)
        before = trigger.serialize()
        waiting = asyncio.create_task(event_of(trigger))
        await looking(trigger)
        during = trigger.serialize()
        stage.set("fit", "Succeeded", DONE)
        await asyncio.wait_for(waiting, BOUND)
        return before, during, trigger.serialize()

    before, during, after = asyncio.run(main())
    assert before == during == after
    assert (before[1]["poll_interval"], before[1]["startup_check_interval"]) == (7, 9)


def test_pain_13_a_pod_that_does_not_start_is_given_up_in_time(stage):
    stage.add("fit")
    trigger = stage.trigger("fit", startup_check_interval=0.05, schedule_timeout=0.2, startup_timeout=0.2)

    event = asyncio.run(asyncio.wait_for(event_of(trigger), BOUND))

    assert event["status"] == "timeout"
    assert "took too long" in event["message"]


def test_the_deadline_of_the_task_is_heard_while_nothing_changes(stage):
    stage.add("fit")
    stage.set("fit", "Running", RUNNING)
    trigger = stage.trigger("fit", trigger_kwargs={"_execution_deadline": time.time() + 1})

    event = asyncio.run(asyncio.wait_for(event_of(trigger), BOUND))

    assert event["status"] == "timeout"


def test_a_pod_that_was_deleted_is_an_error_as_in_the_stock_trigger(stage):
    stage.add("fit")
    stage.set("fit", "Running", RUNNING)

    async def main():
        trigger = stage.trigger("fit")
        waiting = asyncio.create_task(event_of(trigger))
        await looking(trigger)
        stage.kubernetes.delete("pods", "fit", stage.namespace)
        return await asyncio.wait_for(waiting, BOUND)

    event = asyncio.run(main())
    assert event["status"] == "error"
    assert 'pods \\"fit\\" not found' in event["message"]


def test_a_cluster_that_stays_away_is_named_in_the_event(stage, monkeypatch):
    stage.add("fit")
    stage.set("fit", "Running", RUNNING)
    timing = Timing(first_delay=0.01, most_delay=0.05, give_up=0.3)
    monkeypatch.setattr(pod_watches, "Place", partial(Place, timing=timing))

    async def main():
        trigger = stage.trigger("fit")
        stage.strike(".* pods", HttpError(code=503, reason="ServiceUnavailable", message="gone"))
        return await asyncio.wait_for(event_of(trigger), BOUND)

    event = asyncio.run(main())
    assert event["status"] == "error"
    assert f"cluster '{CLUSTER}'" in event["message"]


def test_a_cluster_that_stays_away_is_not_asked_for_the_events_of_a_pod_that_starts(stage, monkeypatch):
    stage.add("fit")
    timing = Timing(first_delay=0.01, most_delay=0.05, give_up=0.3)
    monkeypatch.setattr(pod_watches, "Place", partial(Place, timing=timing))
    asked = stage.kubernetes.requests["list", "events"]

    async def main():
        trigger = stage.trigger("fit")
        stage.strike(".*", HttpError(code=503, reason="ServiceUnavailable", message="gone"))
        return await asyncio.wait_for(event_of(trigger), BOUND)

    assert f"cluster '{CLUSTER}'" in asyncio.run(main())["message"]
    assert stage.kubernetes.requests["list", "events"] == asked


def test_where_no_watch_is_allowed_the_trigger_polls_at_the_users_pace(stage):
    stage.add("fit")
    stage.strike("list pods", HttpError(code=403, reason="Forbidden", message="cannot list pods"))
    looks = stage.kubernetes.requests["get", "pods"]

    async def main():
        trigger = stage.trigger("fit", poll_interval=0.02, startup_check_interval=0.02)
        waiting = asyncio.create_task(event_of(trigger))
        stage.set("fit", "Running", RUNNING)
        await looking(trigger)
        async with asyncio.timeout(BOUND):
            while stage.kubernetes.requests["get", "pods"] - looks < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        stage.set("fit", "Succeeded", DONE)
        return await asyncio.wait_for(waiting, BOUND)

    assert asyncio.run(main())["status"] == "success"


def test_logs_are_still_fetched_while_a_pod_runs(stage, monkeypatch):
    stage.add("fit")
    stage.set("fit", "Running", RUNNING)
    fetched = []

    async def main():
        trigger = stage.trigger("fit", poll_interval=0.02, logging_interval=0.05)

        async def fetch(pod, *, container_name, since_time=None):
            fetched.append(pod.metadata.name)
            return since_time

        monkeypatch.setattr(trigger.pod_manager, "fetch_container_logs_before_current_sec", fetch)
        waiting = asyncio.create_task(event_of(trigger))
        async with asyncio.timeout(BOUND):
            while len(fetched) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        stage.set("fit", "Succeeded", DONE)
        return await asyncio.wait_for(waiting, BOUND)

    assert asyncio.run(main())["status"] == "success"


def test_nothing_is_left_of_a_loop_that_ended(stage):
    stage.add("fit")
    stage.set("fit", "Succeeded", DONE)
    asyncio.run(asyncio.wait_for(event_of(stage.trigger("fit")), BOUND))

    import gc

    gc.collect()
    assert len(pod_watches._SHARED) == 0


def test_pain_02_an_unknown_cluster_is_told_as_the_stock_trigger_tells_errors(stage):
    event = asyncio.run(asyncio.wait_for(event_of(stage.trigger("fit", cluster="nowhere")), BOUND))

    assert event["status"] == "error"
    assert "nowhere" in event["message"]


def test_a_running_pod_is_looked_at_from_time_to_time_and_not_by_all_at_once(monkeypatch):
    trigger = ClusterPodTrigger(
        cluster=CLUSTER, pod_name="fit", pod_namespace="ml", base_container_name="base",
        trigger_start_time=datetime.now(UTC), trigger_kwargs={"_execution_deadline": time.time() + 5},
    )  # fmt: skip

    assert 4 < trigger._patience() <= 5
    trigger.trigger_kwargs = {}
    pauses = {trigger._patience() for _ in range(100)}
    assert len(pauses) == 100
    assert module.QUIET_SECONDS / 2 <= min(pauses) < max(pauses) <= module.QUIET_SECONDS
    trigger.logging_interval = 10
    assert trigger._patience() == 2


@pytest.fixture
def said(monkeypatch):
    """Collect what triggers log of events."""
    from airflow.providers.cncf.kubernetes.utils import pod_manager

    messages = []
    monkeypatch.setattr(pod_manager, "log_pod_event", lambda _, event, seen: messages.append(event.message))
    return messages


@pytest.mark.parametrize("allowed", [True, False], ids=["watched", "polled"])
def test_the_events_of_a_pod_that_does_not_start_are_logged(stage, said, allowed):
    stage.add("fit")
    if not allowed:
        stage.strike("watch events", HttpError(code=403, reason="Forbidden", message="cannot watch events"))

    async def main():
        interval = ENDLESS if allowed else 0.05
        trigger = stage.trigger("fit", startup_check_interval=interval, log_events_on_startup=True)
        waiting = asyncio.create_task(event_of(trigger))
        async with asyncio.timeout(BOUND):
            for message in ("0/3 nodes are available", "Scheduled", "Pulling image", "Pulled"):
                stage.event("fit", message)
                while message not in said:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        stage.set("fit", "Succeeded", DONE)
        return await asyncio.wait_for(waiting, BOUND)

    assert asyncio.run(main())["status"] == "success"


def test_the_events_of_a_pod_that_nobody_waits_for_are_watched_for_whole_seconds(stage):
    from airflow_multicluster.hooks.cluster import AsyncClusterHook

    stage.add("fit")
    stage.event("fit", "Scheduled")

    async def first():
        events = AsyncClusterHook(CLUSTER).watch_pod_events("fit", stage.namespace, timeout_seconds=0.1)
        async with asyncio.timeout(BOUND), aclosing(events):
            return await anext(events)

    assert asyncio.run(first()).message == "Scheduled"


def test_triggers_that_start_together_find_the_same_cluster(stage, monkeypatch):
    from airflow_multicluster import registry as source
    from airflow_multicluster.hooks.cluster import AsyncClusterHook
    from multicluster.registry import load

    monkeypatch.setattr(source, "_LOADED", {})
    together, load_registry = threading.Barrier(4), load.load_registry

    def at_once(*sources, **options):
        together.wait(BOUND)
        return load_registry(*sources, **options)

    monkeypatch.setattr(load, "load_registry", at_once)

    async def main():
        return await asyncio.gather(*(AsyncClusterHook(CLUSTER).cluster() for _ in range(4)))

    assert len(set(map(id, asyncio.run(main())))) == 1
