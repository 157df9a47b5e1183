"""What is left of a pod when its task is over: ``on_finish_action`` and ``on_kill_action``, in every combination."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import pkgutil
import threading
from datetime import UTC, datetime, timedelta

import pytest
import tenacity
from airflow.providers.cncf.kubernetes import kubernetes_helper_functions
from airflow.providers.cncf.kubernetes.utils.pod_manager import OnFinishAction, OnKillAction
from airflow.sdk.exceptions import TaskDeferred
from pod_drive.drive import Ran, execute
from pod_drive.in_behaviour import NOWHERE

from multicluster.simulator.faults import Drop, Fault, HttpError

FINISH = [action.value for action in OnFinishAction]
KILL = [action.value for action in OnKillAction]
LEFT = {
    "keep_pod": {"success": 1, "failure": 1},
    "delete_pod": {"success": 0, "failure": 0},
    "delete_succeeded_pod": {"success": 0, "failure": 1},
    "delete_active_pod": {"success": 1, "failure": 1},
}


def there(pods):
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def running(drive, context):
    return [pod for pod in there(drive.pods(context)) if pod["status"]["phase"] in ("Pending", "Running")]


@pytest.mark.parametrize(("finish", "kill"), list(itertools.product(FINISH, KILL)))
@pytest.mark.parametrize("ending", ["success", "failure"])
def test_a_pod_that_ended_is_kept_or_deleted_as_on_finish_action_says(drive, fit, finish, kill, ending):
    ran = drive.run(fit("true" if ending == "success" else "exit 3", on_finish_action=finish, on_kill_action=kill))

    assert (ran.error is None) is (ending == "success")
    assert len(there(ran.pods)) == LEFT[finish][ending]


def kill_in_worker(drive, operator, context):
    """Run the task, and have it killed once its pod runs, as Airflow does on SIGTERM."""

    def kill():
        drive.kubernetes.wait_until("pods", lambda pods: any(one["status"]["phase"] == "Running" for one in pods))
        operator.on_kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        execute(operator, context)
    finally:
        killer.join()


@pytest.mark.parametrize("deferrable", [False], indirect=True)
@pytest.mark.parametrize(("finish", "kill"), list(itertools.product(FINISH, KILL)))
def test_a_killed_task_leaves_its_pod_only_where_on_kill_action_says_so(drive, fit, finish, kill):
    context = drive.context()
    operator = fit("sleep 3", on_finish_action=finish, on_kill_action=kill, termination_grace_period=0)

    with pytest.raises(Exception, match=r"killed|Not Found|404"):
        kill_in_worker(drive, operator, context)

    assert len(there(drive.pods(context))) == (kill == "keep_pod")


@pytest.mark.parametrize("deferrable", [False], indirect=True)
def test_pain_05_a_task_whose_pod_was_killed_is_no_success(drive, fit):
    operator = fit("sleep 3", get_logs=False, termination_grace_period=0)

    with pytest.raises(Exception, match=r"killed|Not Found|404"):
        kill_in_worker(drive, operator, drive.context())


def test_pain_05_a_pod_deleted_from_outside_is_no_success(drive, fit):
    context = drive.context()

    def delete():
        (pod,) = drive.kubernetes.wait_until(
            "pods", lambda pods: any(one["status"].get("phase") == "Running" for one in pods)
        )
        drive.kubernetes.delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])

    outsider = threading.Thread(target=delete)
    outsider.start()
    ran = drive.run(fit("sleep 5", get_logs=False), context=context)
    outsider.join()

    assert ran.error is not None


LOGS_AWAY = [HttpError(code=500), Drop()]


@pytest.mark.parametrize("effect", LOGS_AWAY, ids=str)
@pytest.mark.parametrize("code", [0, 3])
def test_pain_05_what_becomes_of_a_task_does_not_depend_on_its_logs(drive, fit, code, effect, monkeypatch):
    monkeypatch.setattr(kubernetes_helper_functions, "_default_wait", tenacity.wait_none())
    drive.world.faults.add(Fault(name="logs", service="kubernetes", operation="get pods/log", times=1, effect=effect))
    ran = drive.run(fit(f"echo trained; exit {code}"))

    assert drive.world.faults.struck("logs") > 0
    assert (ran.error is None) is (code == 0), ran.error


@pytest.mark.parametrize("deferrable", [True], indirect=True)
@pytest.mark.parametrize("code", [0, 3])
def test_pain_05_what_was_seen_of_an_end_counts_although_the_pod_is_gone_since(drive, fit, code, monkeypatch):
    waited = drive.event

    async def then_collected(*arguments):
        event = await waited(*arguments)
        drive.sweep()
        return event

    monkeypatch.setattr(drive, "event", then_collected)
    ran = drive.run(fit(f"exit {code}"))

    assert (ran.error is None) is (code == 0), ran.error


@pytest.mark.parametrize("finish", FINISH)
def test_pain_06_no_pod_runs_on_after_its_task(drive, fit, finish):
    context = drive.context()
    ran = drive.run(fit(node_selector=NOWHERE, schedule_timeout_seconds=1, on_finish_action=finish), context=context)

    assert "too long to be scheduled" in str(ran.error)
    assert len(there(ran.pods)) == (finish in ("keep_pod", "delete_succeeded_pod"))
    assert all(pod["spec"]["activeDeadlineSeconds"] == 1 for pod in there(ran.pods))


@pytest.mark.parametrize("deferrable", [True], indirect=True)
@pytest.mark.parametrize("finish", FINISH)
def test_pain_29_execution_timeout_ends_a_deferred_pod_whatever_is_kept(drive, fit, finish):
    context = drive.context(start_date=datetime.now(UTC) - timedelta(seconds=59))
    operator = fit(
        "sleep 60", on_finish_action=finish, execution_timeout=timedelta(seconds=60), termination_grace_period=0
    )
    ran = drive.run(operator, context=context)

    assert ran.error is not None
    assert ran.deferrals[0]["trigger_kwargs"]["_execution_deadline"] <= datetime.now(UTC).timestamp() + 1
    drive.kubernetes.wait_until(
        "pods", lambda pods: all(one["status"]["phase"] in ("Succeeded", "Failed") for one in pods)
    )
    assert running(drive, context) == []


@pytest.mark.parametrize("deferrable", [True], indirect=True)
@pytest.mark.parametrize("kill", KILL)
def test_the_trigger_knows_what_a_kill_is_to_do(drive, fit, kill):
    with pytest.raises(TaskDeferred) as caught:
        execute(fit("sleep 3", on_kill_action=kill, termination_grace_period=7), drive.context())

    arguments = caught.value.trigger.serialize()[1]
    assert (arguments["on_kill_action"], arguments["termination_grace_period"]) == (kill, 7)


@pytest.mark.parametrize("deferrable", [True], indirect=True)
@pytest.mark.parametrize(("finish", "kill"), list(itertools.product(FINISH, KILL)))
def test_a_killed_trigger_leaves_its_pod_only_where_on_kill_action_says_so(drive, fit, finish, kill, monkeypatch):
    async def marked_failed():
        return "failed"

    context, program = drive.context(), "trap '' TERM; while :; do sleep 1; done"
    with pytest.raises(TaskDeferred) as caught:
        execute(fit(program, on_finish_action=finish, on_kill_action=kill, termination_grace_period=33), context)
    drive.kubernetes.wait_until("pods", lambda pods: any(one["status"]["phase"] == "Running" for one in pods))
    trigger = taken_over(caught.value.trigger)
    monkeypatch.setattr(trigger, "get_task_state", marked_failed)
    asyncio.run(trigger.on_kill())

    (pod,) = drive.pods(context)
    assert pod["metadata"].get("deletionGracePeriodSeconds") == (None if kill == "keep_pod" else 33)
    assert len(there([pod])) == (kill == "keep_pod")


def taken_over(trigger):
    """Make the trigger that another triggerer makes of this one's row."""
    path, arguments = trigger.serialize()
    return pkgutil.resolve_name(path)(**arguments)


@pytest.mark.parametrize("deferrable", [True], indirect=True)
def test_pain_29_the_deadline_of_a_deferred_pod_survives_a_restart_of_its_triggerer(drive, fit):
    async def restart(trigger):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                async for _ in trigger.run():
                    pytest.fail("the pod has not ended, and its time is not over")

    began = datetime.now(UTC)
    operator = fit("sleep 600", execution_timeout=timedelta(seconds=5), termination_grace_period=0)
    with pytest.raises(TaskDeferred) as caught:
        execute(operator, drive.context(start_date=began))
    waiting = caught.value
    asyncio.run(restart(waiting.trigger))
    waiting.trigger, ran = taken_over(waiting.trigger), Ran()
    event = asyncio.run(asyncio.wait_for(drive.event(waiting, ran), timeout=60))

    assert event["status"] == "timeout", event
    assert ran.deferrals[0]["trigger_kwargs"]["_execution_deadline"] == pytest.approx(began.timestamp() + 5, abs=1)
    assert datetime.now(UTC) >= began + timedelta(seconds=4)


@pytest.mark.parametrize("deferrable", [False], indirect=True)
def test_the_grace_period_is_the_pods_and_the_kills(drive, fit):
    context, operator = drive.context(), fit("trap '' TERM; while :; do sleep 1; done", termination_grace_period=33)
    operator.pod = operator.get_or_create_pod(operator.build_pod_request_obj(context), context)
    drive.kubernetes.wait_until("pods", lambda pods: any(one["status"]["phase"] == "Running" for one in pods))
    operator.on_kill()

    (pod,) = drive.pods(context)
    assert pod["spec"]["terminationGracePeriodSeconds"] == 33
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 33
