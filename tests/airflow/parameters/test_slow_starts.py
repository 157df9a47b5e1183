"""A pod that starts late is waited for as long as the budget of that step says, and no longer."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import TaskDeferred
from kubernetes.client import models as k8s
from pod_drive.drive import Ran, execute
from pod_drive.in_behaviour import NOWHERE

from multicluster.simulator.kubernetes.nodes import NodeShape

LATE = k8s.V1Volume(name="late", config_map=k8s.V1ConfigMapVolumeSource(name="late"))
AT_LATE = k8s.V1VolumeMount(name="late", mount_path="/late")
AWAIT = {"log_events_on_startup": False}


def after(seconds, deed):
    timer = threading.Timer(seconds, deed)
    timer.start()
    return timer


def test_pain_13_a_node_that_joins_late_is_waited_for(drive, fit):
    def join():
        shape = NodeShape(capacity={"cpu": "4", "memory": "8Gi"}, labels=NOWHERE, ready=True)
        drive.kubernetes.add_node("late", shape)

    timer = after(1.5, join)
    ran = drive.run(fit(node_selector=NOWHERE, schedule_timeout_seconds=60, startup_timeout_seconds=1, **AWAIT))
    timer.join()
    drive.kubernetes.remove_node("late")

    assert ran.error is None, ran.text
    assert ran.pod["spec"]["nodeName"] == "late"


def test_pain_13_what_comes_after_scheduling_does_not_use_up_the_time_for_it(drive, fit):
    timer = after(2, lambda: drive.kubernetes.create("configmaps", {"metadata": {"name": "late"}, "data": {"a": "b"}}))
    ran = drive.run(
        fit(volumes=[LATE], volume_mounts=[AT_LATE], schedule_timeout_seconds=1, startup_timeout_seconds=60, **AWAIT)
    )
    timer.join()
    drive.kubernetes.delete("configmaps", "late")

    assert ran.error is None, ran.text
    assert "trained" in ran.text


@pytest.mark.parametrize("deferrable", [True], indirect=True)
def test_pain_13_a_triggerer_that_comes_late_does_not_call_a_running_pod_late(drive, fit):
    with pytest.raises(TaskDeferred) as deferred:
        execute(fit("sleep 1", startup_timeout_seconds=5, schedule_timeout_seconds=5), drive.context())
    drive.kubernetes.wait_until("pods", lambda pods: any(one["status"]["phase"] == "Running" for one in pods))
    deferred.value.trigger.trigger_start_time = datetime.now(UTC) - timedelta(hours=1)
    event = asyncio.run(drive.event(deferred.value, Ran()))

    assert event["status"] == "success", event


def test_pain_13_an_image_that_nobody_has_is_named_and_not_waited_for_all_day(drive, fit):
    ran = drive.run(fit(image="does-not-exist:1", startup_timeout_seconds=2, schedule_timeout_seconds=60))

    assert ran.error is not None
    assert "does-not-exist:1" in str(ran.error) + ran.text
