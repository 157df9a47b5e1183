"""Deferred pods in Airflow's own trigger runner: many, stopped, handed over, two side by side."""

from __future__ import annotations

import asyncio
import threading
import uuid
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace

import pytest

from airflow_multicluster.hooks import pod_watches
from airflow_multicluster.triggers import haste
from airflow_multicluster.triggers.pod import ClusterPodTrigger
from multicluster.pods.pace import Timing
from multicluster.pods.shared_follower import Place
from multicluster.simulator.faults import Fault, HttpError
from multicluster.simulator.kubernetes.resources import PODS

runner_module = pytest.importorskip("airflow.jobs.triggerer_job_runner")
BOUND = 60.0
BLOCKED_SECONDS = 3.0
"""Airflow warns from 0.2 seconds on; here the API server shares the interpreter, and others the machine."""
DONE = {"terminated": {"exitCode": 0, "startedAt": "2026-11-21T12:00:00Z", "finishedAt": "2026-11-21T12:01:00Z"}}
RUNNING = {"running": {"startedAt": "2026-11-21T12:00:00Z"}}


class Log:
    """Stands for the runner's logger: keeps what it says, blocking or not."""

    def __init__(self):
        self.said = []

    def __getattr__(self, name):
        async def later(text, *arguments, **_):
            self.said.append((name, text % arguments if arguments else text))

        def now(text, *arguments, **_):
            self.said.append((name, text % arguments if arguments else text))

        return later if name in {"ainfo", "aerror", "awarning", "aexception"} else now

    @property
    def troubles(self):
        return [text for name, text in self.said if "blocked" in text or name.endswith(("error", "exception"))]


class Runner(runner_module.TriggerRunner):
    """The real runner; what it would ask the triggerer's other half, it asks the test."""

    def __init__(self):
        super().__init__()
        self.log = Log()
        self.blocked_main_thread_warning_threshold = BLOCKED_SECONDS
        self.given, self.taken, self.heard, self.failed, self.made = [], set(), {}, {}, []

    async def init_comms(self):
        reading = asyncio.create_task(asyncio.Event().wait())
        self.comms_decoder = SimpleNamespace(_reader_task=reading)

    def get_trigger_by_classpath(self, classpath):
        def make(**arguments):
            self.made.append(super(Runner, self).get_trigger_by_classpath(classpath)(**arguments))
            return self.made[-1]

        return make

    async def asend(self, msg):
        for entry in msg.events or ():
            assert entry.trigger_id not in self.heard
            self.heard[entry.trigger_id] = entry.event.payload
        self.failed.update(msg.failures or ())
        given, self.given = self.given, []
        taken, self.taken = self.taken, set()
        return runner_module.messages.TriggerStateSync.model_construct(
            to_create=given, to_cancel=taken, events_persisted=None
        )


class Triggerer:
    """A runner on a loop and a thread of its own."""

    def __init__(self):
        self.runner = Runner()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.runner.arun()))
        self.thread.start()

    def give(self, rows):
        self.runner.given = list(rows)

    def take(self, ids):
        self.runner.taken = set(ids)

    def stop(self):
        """Stop as for SIGTERM."""
        self.runner.stop = True
        self.thread.join(BOUND)
        assert not self.thread.is_alive()

    @property
    def looking(self):
        """How many of its triggers look at a running pod."""
        return sum(one._looks is not None and not one._looks._first for one in self.runner.made)


def until(condition):
    paused = threading.Event()
    for _ in range(int(BOUND / 0.02)):
        if condition():
            return
        paused.wait(0.02)
    raise AssertionError("waited in vain")


class Stage:
    """Pods whose state the test writes, and the rows of their triggers."""

    def __init__(self, world, namespace):
        self.world = world
        self.namespaces = {cluster: f"{namespace}-{cluster}" for cluster in world.entrances}
        self.clusters = {}
        self.rows = {}
        self.triggerers = []
        self.state = "deferred"

    def cluster(self, name):
        if name not in self.clusters:
            kubernetes = self.clusters[name] = self.world.entrances[name].kubernetes
            kubernetes.create("namespaces", {"metadata": {"name": self.namespaces[name]}})
            self.before = kubernetes.requests.copy()
        return self.clusters[name]

    def add(self, number, cluster="here"):
        """Make running pods, and the rows of the triggers that wait for them."""
        made = {}
        for _ in range(number):
            row = len(self.rows) + 1
            pod = {"metadata": {"name": f"fit-{row}", "labels": pod_watches.MADE_BY_AIRFLOW}}
            pod["spec"] = {"schedulerName": "nobody", "containers": [{"name": "base", "image": "x"}]}
            self.cluster(cluster).create("pods", pod, self.namespaces[cluster])
            self.set(cluster, f"fit-{row}", "Running", RUNNING)
            made[row] = self.rows[row] = self.row(row, cluster)
        return made

    def row(self, row, cluster):
        arguments = {
            "cluster": cluster, "pod_name": f"fit-{row}", "pod_namespace": self.namespaces[cluster],
            "base_container_name": "base", "trigger_start_time": datetime.now(UTC), "poll_interval": 3600.0,
            "startup_check_interval": 3600.0,
        }  # fmt: skip
        ti = SimpleNamespace(
            id=uuid.uuid4(), dag_id="d", task_id=f"fit-{row}", run_id="r", try_number=1, map_index=-1,
            context_carrier=None,
        )  # fmt: skip
        return runner_module.workloads.RunTrigger.model_construct(
            id=row,
            classpath=f"{ClusterPodTrigger.__module__}.{ClusterPodTrigger.__qualname__}",
            encrypted_kwargs=runner_module.Trigger.encrypt_kwargs(arguments),
            ti=ti,
            dag_data=None,
            watched_assets=None,
            timeout_after=None,
        )

    def set(self, cluster, name, phase, state):
        def mutation(document):
            known = {"name": "base", "image": "x", "imageID": "x", "ready": True, "restartCount": 0, "state": state}
            document["status"] |= {"phase": phase, "containerStatuses": [known]}

        kubernetes = self.clusters[cluster]
        kubernetes._run(lambda: kubernetes._store.change(PODS, self.namespaces[cluster], name, mutation))

    def end(self, rows, cluster="here"):
        for row in rows:
            self.set(cluster, f"fit-{row}", "Succeeded", DONE)

    def pods(self, cluster="here"):
        return len(self.clusters[cluster].objects("pods", self.namespaces[cluster]))

    def watches(self, cluster="here"):
        return (self.clusters[cluster].requests - self.before)["watch", "pods"]

    def triggerer(self):
        self.triggerers.append(Triggerer())
        return self.triggerers[-1]


@pytest.fixture
def stage(world, request, monkeypatch):
    monkeypatch.setattr(haste, "EARLIEST", 0.0)
    stage = Stage(world, f"triggerer-{abs(hash(request.node.name))}")

    async def state(self):
        return stage.state if isinstance(stage.state, str) else stage.state[self.pod_name]

    monkeypatch.setattr(ClusterPodTrigger, "get_task_state", state)
    yield stage
    for triggerer in stage.triggerers:
        triggerer.stop()


def statuses(*triggerers):
    return {row: event["status"] for one in triggerers for row, event in one.runner.heard.items()}


def test_pain_23_many_triggers_share_a_watch_and_do_not_block_the_loop(stage):
    rows, triggerer = stage.add(150), stage.triggerer()
    triggerer.give(rows.values())
    until(lambda: triggerer.looking == 150)
    stage.end(rows)
    until(lambda: len(triggerer.runner.heard) == 150)

    assert set(statuses(triggerer).values()) == {"success"}
    assert stage.watches() == 1
    assert triggerer.runner.log.troubles == []
    assert stage.pods() == 150


def test_pain_06_a_triggerer_that_stops_deletes_no_pod_and_the_next_one_loses_no_trigger(stage):
    rows, first = stage.add(30), stage.triggerer()
    first.give(rows.values())
    until(lambda: first.looking == 30)
    stage.state = "success"  # even if a trigger should ask: a stop is no kill
    first.stop()
    stage.end(range(1, 11))
    second = stage.triggerer()
    second.give(rows.values())
    until(lambda: second.looking == 20)
    stage.end(range(11, 31))
    until(lambda: len(second.runner.heard) == 30)

    assert first.runner.heard == {}
    assert set(statuses(second).values()) == {"success"}
    assert stage.pods() == 30
    assert first.runner.log.troubles == second.runner.log.troubles == []


def test_pain_06_triggers_that_another_triggerer_has_taken_over_leave_their_pods(stage):
    rows, late, healthy = stage.add(20), stage.triggerer(), stage.triggerer()
    late.give(rows.values())
    until(lambda: late.looking == 20)
    healthy.give(rows.values())
    until(lambda: healthy.looking == 20)
    late.take(rows)  # as after a missed heartbeat: for the runner, the same as a kill by the user
    until(lambda: not late.runner.triggers)
    stage.end(rows)
    until(lambda: len(healthy.runner.heard) == 20)

    assert late.runner.heard == {}
    assert set(statuses(healthy).values()) == {"success"}
    assert stage.pods() == 20


def test_two_triggerers_side_by_side_have_a_watch_each(stage):
    rows, first, second = stage.add(40), stage.triggerer(), stage.triggerer()
    first.give([row for row in rows.values() if row.id % 2])
    second.give([row for row in rows.values() if not row.id % 2])
    until(lambda: first.looking == second.looking == 20)
    stage.end(rows)
    until(lambda: len(statuses(first, second)) == 40)

    assert set(first.runner.heard) == {row for row in rows if row % 2}
    assert set(statuses(first, second).values()) == {"success"}
    assert stage.watches() == 2
    assert stage.pods() == 40


def test_a_task_that_somebody_ended_takes_its_own_pod_with_it_and_no_other(stage):
    rows, triggerer = stage.add(10), stage.triggerer()
    stage.state = {f"fit-{row}": "failed" if row == 3 else "deferred" for row in rows}
    triggerer.give(rows.values())
    until(lambda: triggerer.looking == 10)
    triggerer.take([3])
    until(lambda: stage.pods() == 9)
    stage.end([row for row in rows if row != 3])
    until(lambda: len(triggerer.runner.heard) == 9)

    assert 3 not in triggerer.runner.heard
    assert set(statuses(triggerer).values()) == {"success"}


def test_a_cluster_that_is_gone_fails_its_own_triggers_by_name_and_no_others(stage, monkeypatch):
    timing = Timing(first_delay=0.01, most_delay=0.05, give_up=0.5)
    monkeypatch.setattr(pod_watches, "Place", partial(Place, timing=timing))
    gone = HttpError(code=503, reason="ServiceUnavailable", message="gone")
    lost, others, triggerer = stage.add(10, "gpu-use1"), stage.add(10), stage.triggerer()
    fault = Fault(
        name="gone", effect=gone, service="kubernetes", target=f".*{stage.namespaces['gpu-use1']}.*", times=None
    )
    stage.world.faults.add(fault)
    triggerer.give([*lost.values(), *others.values()])
    until(lambda: triggerer.looking == 10 and len(triggerer.runner.heard) == 10)
    stage.end(others)
    until(lambda: len(triggerer.runner.heard) == 20)

    assert statuses(triggerer) == dict.fromkeys(lost, "error") | dict.fromkeys(others, "success")
    assert all("cluster 'gpu-use1'" in triggerer.runner.heard[row]["message"] for row in lost)
    assert stage.pods("gpu-use1") == stage.pods() == 10
