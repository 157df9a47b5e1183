"""What triggers do in the triggerer, without one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from airflow_multicluster.triggers import haste
from airflow_multicluster.triggers.ask_again import AskAgainTrigger
from airflow_multicluster.triggers.inline import wait_here
from airflow_multicluster.triggers.node_pool import NodePoolReadyTrigger
from airflow_multicluster.triggers.pod import ClusterPodTrigger
from multicluster.brackets import ready
from multicluster.brackets.finding import Finding


class Cluster:
    """Stands for a cluster: counts who keeps its client."""

    kept = 0

    def keeping_async_client(self):
        return self

    async def __aenter__(self):
        self.kept += 1

    async def __aexit__(self, *error):
        self.kept -= 1


class Hook:
    """Stands for the asynchronous hook, and notes the pods it deletes."""

    def __init__(self):
        self.deleted = []
        self.of = Cluster()

    async def cluster(self):
        return self.of

    async def delete_pod(self, name, namespace, grace_period_seconds=None):
        self.deleted.append((namespace, name, self.of.kept))


def pod_trigger(state):
    trigger = ClusterPodTrigger(
        cluster="nam",
        pod_name="fit",
        pod_namespace="ml",
        base_container_name="base",
        trigger_start_time=datetime(2026, 11, 21, tzinfo=UTC),
    )
    trigger.hook = Hook()

    async def get_task_state():
        if isinstance(state, Exception):
            raise state
        return state

    trigger.get_task_state = get_task_state
    return trigger


def test_pain_06_a_trigger_that_moves_to_another_triggerer_leaves_its_pod_alone():
    trigger = pod_trigger("deferred")
    asyncio.run(trigger.on_kill())

    assert trigger.hook.deleted == []


@pytest.mark.parametrize("state", ["failed", "success", None, RuntimeError("no answer")])
def test_pain_06_a_task_that_somebody_ended_takes_its_pod_with_it(state):
    trigger = pod_trigger(state)
    asyncio.run(trigger.on_kill())

    assert trigger.hook.deleted == [("ml", "fit", 1)]
    assert trigger.hook.of.kept == 0


class Lookout:
    """Finds what it is told, one look after the other; the last one for ever."""

    findings: tuple[Finding, ...] = ()

    def __init__(self, place, **names):
        self.place, self.names = place, names
        self.left = list(self.findings)

    def look(self):
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def _finding(told):
    return told if isinstance(told, Finding) else Finding(status=told[0], text=told[1])


@pytest.fixture
def found(monkeypatch):
    def say(*findings):
        monkeypatch.setattr(Lookout, "findings", tuple(_finding(finding) for finding in findings))
        monkeypatch.setattr(ready, "ReadyLookout", Lookout)

    return say


def ready_trigger(deadline=1e12):
    names = {"cluster": "nam", "pool": "mc-0", "owner": "0", "profile": "l4", "nodes": 1}
    return NodePoolReadyTrigger(**names, poll_interval=0.01, deadline=deadline)


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_settled_finding_is_the_event(found, status):
    found(("waiting", "not yet"), (status, "words"))

    assert wait_here(ready_trigger()) == {"status": status, "text": "words"}


def test_at_the_deadline_the_event_says_what_was_last_seen(found):
    found(("waiting", "0 of 1 nodes usable"))

    assert wait_here(ready_trigger(deadline=0)) == {"status": "timeout", "text": "0 of 1 nodes usable"}


def test_at_the_deadline_what_is_enough_is_a_good_end(found):
    found(Finding(status="waiting", text="gone; its switch is left", enough=True))

    assert wait_here(ready_trigger(deadline=0))["status"] == "done"


def test_each_line_is_told_once_until_it_changes(found, capsys):
    same = Finding(status="waiting", text="not yet", lease="leased until 13:00")
    found(same, same, Finding(status="waiting", text="not yet", lease="leased until 14:00"), ("done", "words"))
    wait_here(ready_trigger())

    told = capsys.readouterr().out
    assert [told.count(line) for line in ("until 13:00", "until 14:00", "not yet", "words")] == [1, 1, 1, 1]


@pytest.fixture
def slept(monkeypatch):
    naps = []

    async def sleep(seconds):
        naps.append(seconds)

    monkeypatch.setattr(haste.asyncio, "sleep", sleep)
    return naps


def test_in_a_triggerer_no_event_comes_in_the_first_seconds(found, slept):
    found(("done", "words"))
    trigger = ready_trigger()
    trigger.task_instance = SimpleNamespace(task_id="ready")

    wait_here(trigger)

    assert slept == [pytest.approx(haste.EARLIEST, abs=1)]


def test_outside_of_a_triggerer_nobody_waits_for_the_scheduler(found, slept):
    found(("done", "words"))

    wait_here(ready_trigger())

    assert slept == []


def test_asking_again_brings_the_count_back():
    assert wait_here(AskAgainTrigger(seconds=0, asked=3)) == {"asked": 3}
