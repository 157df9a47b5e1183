"""Each line of a pod's log is written once: by triggers, one after the other, and by workers."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.serde import deserialize, serialize
from pod_drive.log import LogKept
from urllib3.exceptions import ProtocolError

from airflow_multicluster.hooks.cluster import AsyncClusterHook, ClusterHook
from airflow_multicluster.hooks.pod_watches import MADE_BY_AIRFLOW
from airflow_multicluster.log_notes import NOTE, heard, noted_cursor, told
from airflow_multicluster.operators import pod_logs
from airflow_multicluster.operators.pod_manager import ClusterPodManager
from airflow_multicluster.triggers.pod import ClusterPodTrigger
from airflow_multicluster.triggers.pod_logs import RunningLog
from multicluster.pods.log_lines import LogReader
from multicluster.simulator.faults import Delay, Fault, HttpError

CLUSTER = "here"
BOUND = 60.0
LINES, BURST = 10_000, 250
BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNREACHABLE = HttpError(code=500, reason="InternalError", message="dial tcp 10.0.0.1:10250: i/o timeout")
NOT_THERE = HttpError(code=404, reason="NotFound", message="no such pod")


class Manager(ClusterPodManager):
    """A worker's pod manager that keeps what it writes."""

    def __init__(self, client, heard):
        super().__init__(kube_client=client)
        self.heard = heard

    def _log_message(self, message, *_):
        self.heard.lines.append(message)


class Fit:
    """A running pod whose output the test writes, with time stamps of its choice."""

    def __init__(self, world, name, flag):
        self.world = world
        self.name = name
        self.flag = flag
        self.kubernetes = world.entrances[CLUSTER].kubernetes
        self.client = ClusterHook(CLUSTER).core_v1_client
        self.heard = LogKept()
        wait = f"while [ ! -e {flag} ]; do sleep 0.02; done"
        base = {"name": "base", "image": "busybox:1.37", "command": ["sh", "-c", wait]}
        spec = {"restartPolicy": "Never", "containers": [base], "terminationGracePeriodSeconds": 0}
        self.kubernetes.create("pods", {"metadata": {"name": name, "labels": MADE_BY_AIRFLOW}, "spec": spec}, "default")

    @property
    def pod(self):
        return self.client.read_namespaced_pod(self.name, "default")

    @property
    def buffer(self):
        (found,) = (pod for pod in self.kubernetes.objects("pods") if pod["metadata"]["name"] == self.name)
        return self.kubernetes._kubelet.log(found, "base", previous=False)

    def until(self, condition):
        paused = threading.Event()
        for _ in range(int(BOUND / 0.02)):
            if condition():
                return
            paused.wait(0.02)
        raise AssertionError("waited in vain")

    def started(self):
        self.until(lambda: self.pod.status.phase == "Running")
        return self

    def write(self, first, last, stamp=None):
        """Write numbered lines; those of one burst share a time stamp."""
        buffer = self.buffer

        def work():
            for number in range(first, last):
                at = stamp or BEGAN + timedelta(microseconds=number // BURST * 300_001)
                buffer._now = lambda at=at: at
                buffer.write(b"line %d\n" % number)

        self.kubernetes._run(work)

    def end(self):
        self.flag.touch()
        self.until(lambda: self.pod.status.phase == "Succeeded")

    def trigger(self, arguments=None):
        """Return the trigger that another triggerer makes of the row in the database."""
        options = {"poll_interval": 0.02, "startup_check_interval": 0.02, "log_events_on_startup": False}
        first = {
            "cluster": CLUSTER, "pod_name": self.name, "pod_namespace": "default", "base_container_name": "base",
            "trigger_start_time": datetime.now(UTC), "logging_interval": 0.01, **options,
        }  # fmt: skip
        travelled = deserialize(json.loads(json.dumps(serialize(arguments or first))))
        trigger = ClusterPodTrigger(**travelled)
        trigger.pod_manager._running_log = RunningLog(trigger.hook, self.heard)
        return trigger

    def manager(self):
        return Manager(self.client, self.heard)

    def catch_up(self, cursor=None):
        """Do what a worker does after a deferral."""
        return self.manager().fetch_container_logs(self.pod, "base", follow=False, since_time=cursor)

    def strike(self, operation, effect, times=None):
        self.world.faults.add(
            Fault(name=operation, effect=effect, operation=operation, service="kubernetes", times=times)
        )


@pytest.fixture
def fit(world, request, tmp_path, monkeypatch):
    monkeypatch.setattr(pod_logs, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(pod_logs, "LONGEST_PAUSE_SECONDS", 0.02)
    fit = Fit(world, f"fit-{abs(hash(request.node.name))}", tmp_path / "end")
    yield fit.started()
    world.faults.clear()
    fit.flag.touch()
    fit.kubernetes.delete("pods", fit.name, "default")


def numbers(first, last):
    return [f"line {number}" for number in range(first, last)]


async def heard_of(fit, text):
    async with asyncio.timeout(BOUND):
        while text not in fit.heard.lines[-BURST:]:  # noqa: ASYNC110 - written by another thread
            await asyncio.sleep(0.005)


async def event_of(trigger):
    (event,) = [event.payload async for event in trigger.run()]
    return event


def test_pain_21_each_line_is_written_once_across_deferrals_triggerers_and_workers(fit):
    chance = random.Random(3)

    async def deferred(arguments, first, last):
        """Let the triggerer stop at some time after it wrote a part."""
        trigger = fit.trigger(arguments)
        row = trigger.serialize()[1]
        waiting = asyncio.create_task(event_of(trigger))
        await asyncio.to_thread(fit.write, first, last)
        await heard_of(fit, f"line {chance.randrange(max(first, last - BURST), last)}")
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        return row

    written, row = 0, None
    while written < LINES - 1000:
        last = written + chance.randrange(1, 1500)
        row = asyncio.run(deferred(row, written, last))
        written = last
    fit.write(written, LINES)
    fit.end()
    event = asyncio.run(asyncio.wait_for(event_of(fit.trigger(row)), BOUND))
    fit.catch_up(event.get("last_log_time"))

    assert event["status"] == "success"
    assert fit.heard.lines == numbers(0, LINES)
    assert fit.heard.warnings == []


def test_the_cursor_travels_in_the_event_also_where_it_cannot_be_noted(fit):
    fit.strike("patch pods", HttpError(code=403, reason="Forbidden", message="cannot patch pods"))
    fit.write(0, 700)

    async def main():
        waiting = asyncio.create_task(event_of(fit.trigger()))
        await heard_of(fit, "line 699")
        await asyncio.to_thread(fit.write, 700, 800)
        await asyncio.to_thread(fit.end)
        return await asyncio.wait_for(waiting, BOUND)

    event = asyncio.run(main())
    assert heard(fit.pod, event["last_log_time"]) is not None
    assert NOTE + "base" not in (fit.pod.metadata.annotations or {})
    fit.catch_up(event["last_log_time"])

    assert fit.heard.lines == numbers(0, 800)
    assert len(fit.heard.warnings) == 1


@pytest.mark.parametrize("refused", [False, True])
def test_a_trigger_that_is_cancelled_while_it_notes_how_far_it_is_ends_when_that_is_done(fit, refused):
    fit.strike("patch pods", Delay(seconds=1), times=1)
    if refused:
        answer = HttpError(code=403, reason="Forbidden", message="cannot patch pods")
        fit.world.faults.add(Fault(name="refused", effect=answer, operation="patch pods", service="kubernetes"))
    fit.write(0, 700)

    async def main():
        waiting = asyncio.create_task(event_of(fit.trigger()))
        async with asyncio.timeout(BOUND):
            while not fit.world.faults.struck("patch pods"):  # noqa: ASYNC110 - a thing of another thread
                await asyncio.sleep(0.005)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=BOUND)
        return waiting.cancelled()

    assert asyncio.run(main())
    assert (noted_cursor(fit.pod, "base") is None) is refused


def test_a_deferral_again_goes_on_from_what_the_event_said(fit):
    fit.write(0, 700)
    fit.catch_up()
    cursor = told(fit.pod, noted_cursor(fit.pod, "base"))
    fit.client.patch_namespaced_pod(fit.name, "default", {"metadata": {"annotations": {NOTE + "base": None}}})
    fit.write(700, 900)

    async def again():
        row = fit.trigger().serialize()[1] | {"last_log_time": cursor}
        waiting = asyncio.create_task(event_of(fit.trigger(row)))
        await heard_of(fit, "line 899")
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting

    asyncio.run(again())

    assert fit.heard.lines == numbers(0, 900)


@pytest.mark.parametrize("effect", [UNREACHABLE, NOT_THERE], ids=["500", "404"])
def test_pain_21_a_log_that_cannot_be_read_does_not_end_the_wait(fit, effect):
    fit.strike("get pods/log", effect)

    async def main():
        waiting = asyncio.create_task(event_of(fit.trigger()))
        async with asyncio.timeout(BOUND):
            while not fit.heard.warnings:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        fit.world.faults.clear()
        await asyncio.to_thread(fit.write, 0, 100)
        await heard_of(fit, "line 99")
        await asyncio.to_thread(fit.end)
        return await asyncio.wait_for(waiting, BOUND)

    assert asyncio.run(main())["status"] == "success"
    assert fit.heard.lines == numbers(0, 100)


class Cut:
    """An answer that breaks off."""

    def __init__(self, answer, after):
        self.answer = answer
        self.after = after

    def stream(self, size):
        for data in self.answer.stream(size):
            if len(data) > self.after:
                yield data[: self.after]
                raise ProtocolError("cut")
            self.after -= len(data)
            yield data

    def close(self):
        self.answer.close()


@pytest.fixture
def cut(monkeypatch):
    """Break off the first answers at some place, and count them."""
    chance, cuts = random.Random(8), []
    ask = pod_logs.ContainerLog._ask

    def asked(self, **options):
        if len(cuts) == 40:
            return ask(self, **options)
        cuts.append(chance.randrange(60_000))
        return Cut(ask(self, **options), cuts[-1])

    monkeypatch.setattr(pod_logs.ContainerLog, "_ask", asked)
    return cuts


def test_pain_21_a_worker_that_follows_writes_each_line_once(fit, cut):
    following = threading.Thread(target=lambda: fit.manager().fetch_container_logs(fit.pod, "base", follow=True))
    following.start()
    for first in range(0, LINES, 500):
        fit.write(first, first + 500)
        fit.until(lambda first=first: f"line {first}" in fit.heard.lines)
    fit.until(lambda: len(cut) == 40)
    fit.end()
    following.join(BOUND)

    assert not following.is_alive()
    assert fit.heard.lines == numbers(0, LINES)


def test_a_worker_that_dies_leaves_the_log_to_the_next_one(fit, monkeypatch):
    monkeypatch.setattr(pod_logs, "NOTE_SECONDS", 0.0)

    class KilledError(BaseException):
        pass

    class Mortal(Manager):
        def _log_message(self, message, *_):
            if message == "line 400":
                raise KilledError
            super()._log_message(message)

    fit.write(0, 600)
    with pytest.raises(KilledError):
        Mortal(fit.client, fit.heard).fetch_container_logs(fit.pod, "base", follow=True)
    noted = noted_cursor(fit.pod, "base")
    fit.end()
    fit.manager().fetch_container_logs(fit.pod, "base", follow=True)

    assert noted is not None
    assert fit.heard.lines == numbers(0, 600)


def test_a_manager_made_anew_after_a_401_goes_on_where_the_log_was(fit, monkeypatch):
    fit.write(0, 300)

    def refuse(*_, **__):
        raise pod_logs.ApiException(status=401, reason="Unauthorized")

    with monkeypatch.context() as patch:
        patch.setattr(ClusterPodManager, "container_is_running", refuse)
        patch.setattr(pod_logs.ContainerLog, "_read", _once(pod_logs.ContainerLog._read))
        with pytest.raises(pod_logs.ApiException):
            fit.manager().fetch_container_logs(fit.pod, "base", follow=True)
    fit.end()
    fit.manager().fetch_requested_container_logs(fit.pod, containers=True, follow_logs=True)

    assert fit.heard.lines == numbers(0, 300)


def _once(read):
    return lambda self, **_: read(self, follow=False)


def test_the_stock_manager_finds_in_its_own_book_where_the_log_was(fit):
    manager = fit.manager()
    fit.write(0, 300)
    manager.fetch_container_logs(fit.pod, "base", follow=False)
    bare = fit.pod
    bare.metadata.annotations = None
    fit.write(300, 400)
    fit.end()
    known = manager.container_log_times["default", fit.name, "base"]
    manager.fetch_container_logs(bare, "base", follow=False, since_time=known)

    assert fit.heard.lines == numbers(0, 400)


def test_the_cursor_of_the_pod_before_is_not_taken_for_this_ones(fit):
    fit.write(0, 300)
    fit.catch_up()
    other = fit.pod
    other.metadata.uid = "another"
    other.metadata.annotations = None

    assert heard(other, told(fit.pod, noted_cursor(fit.pod, "base"))) is None


def test_lines_that_the_kubelet_rotated_away_are_told_as_missing(fit):
    fit.write(0, 300)
    fit.catch_up()
    buffer = fit.buffer

    def rotate():
        while buffer._lines:
            buffer._size -= len(buffer._lines.popleft().data)
            buffer._dropped += 1

    fit.write(300, 500)
    fit.kubernetes._run(rotate)
    fit.write(500, 600)
    trigger = fit.trigger()
    asyncio.run(trigger.pod_manager.fetch_container_logs_before_current_sec(fit.pod, "base"))

    assert fit.heard.lines == [*numbers(0, 300), *numbers(500, 600)]
    (warning,) = fit.heard.warnings
    assert "rotated" in warning


def test_pain_23_a_large_log_takes_little_memory_in_the_triggerer(fit, monkeypatch):
    chunks, chunk = 3300, b"".join(b"2026-11-21T12:00:00.%09dZ %s\n" % (number, b"x" * 2000) for number in range(31))

    class Content:
        def __init__(self):
            self.left = chunks

        async def read(self, size):
            assert size >= len(chunk)
            self.left -= 1
            return chunk if self.left >= 0 else b""

    class Client:
        async def call_api(self, *_, **__):
            return SimpleNamespace(status=200, content=Content(), close=lambda: None)

    count = 0

    def write(_, container, lines, reader):
        nonlocal count
        written = sum(1 for _ in lines)
        count += written
        return written

    monkeypatch.setattr(RunningLog, "_write", write)
    log = RunningLog(AsyncClusterHook(CLUSTER), fit.heard)
    tracemalloc.start()
    try:
        asyncio.run(log._read(Client(), fit.pod, "base", LogReader()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 31 * chunks
    assert chunks * len(chunk) > 200e6
    assert peak < 4 * 2**20
