"""Parameters that show in what a task does: one check each, the same for both modes unless it says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback
from airflow.sdk.exceptions import AirflowSkipException
from kubernetes.client import models as k8s

from pod_drive.drive import Drive
from pod_drive.in_pod import INIT

Fit = Callable[..., Any]
Check = Callable[[Drive, Fit, bool], None]
NOWHERE = {"no": "where"}
UNMOUNTABLE = {
    "volumes": [k8s.V1Volume(name="missing", config_map=k8s.V1ConfigMapVolumeSource(name="missing"))],
    "volume_mounts": [k8s.V1VolumeMount(name="missing", mount_path="/missing")],
}
"""A kubelet waits for volumes that a container mounts, and for no others."""
SECOND = k8s.V1Container(name="second", image="busybox:1.37", command=["sh", "-c", "echo beside"])
TWO = k8s.V1Pod(spec=k8s.V1PodSpec(containers=[k8s.V1Container(name="base"), SECOND]))


def startup_timeout_seconds(drive: Drive, fit: Fit, _) -> None:
    ran = drive.run(fit(**UNMOUNTABLE, startup_timeout_seconds=1, schedule_timeout_seconds=60))

    assert "too long to start. More than 1s" in str(ran.error) + ran.text


def schedule_timeout_seconds(drive: Drive, fit: Fit, _) -> None:
    ran = drive.run(fit(node_selector=NOWHERE, schedule_timeout_seconds=1, startup_timeout_seconds=60))

    assert "too long to be scheduled on the cluster, giving up. More than 1s" in str(ran.error) + ran.text


def startup_check_interval_seconds(drive: Drive, fit: Fit, deferrable) -> None:
    before = drive.kubernetes.requests["get", "pods"]
    ran = drive.run(
        fit(
            node_selector=NOWHERE,
            schedule_timeout_seconds=1,
            startup_check_interval_seconds=0.5,
            log_events_on_startup=False,
        )
    )

    assert [one["startup_check_interval"] for one in ran.deferrals] == [0.5] * deferrable
    assert drive.kubernetes.requests["get", "pods"] - before < 12


def get_logs(drive: Drive, fit: Fit, _) -> None:
    assert "trained" in drive.run(fit(get_logs=True)).text
    assert "trained" not in drive.run(fit(get_logs=False, log_events_on_startup=False)).text


def base_container_status_polling_interval(drive: Drive, fit: Fit, deferrable) -> None:
    ran = drive.run(fit("sleep 1", get_logs=False, base_container_status_polling_interval=0.6))

    looks = ran.text.count("Waiting for container 'base' state to be completed")
    assert (0 < looks <= 3) is not deferrable  # a trigger has poll_interval


def init_container_logs(drive: Drive, fit: Fit, _) -> None:
    assert "[prepare] prepared" in drive.run(fit(init_containers=[INIT], init_container_logs="prepare")).log
    assert "[prepare] prepared" in drive.run(fit(init_containers=[INIT], init_container_logs=True)).log
    assert "[prepare] prepared" not in drive.run(fit(init_containers=[INIT])).log


def container_logs(drive: Drive, fit: Fit, _) -> None:
    for asked in (True, ["base", "second"]):
        assert {"[base] trained", "[second] beside"} <= set(drive.run(fit(full_pod_spec=TWO, container_logs=asked)).log)
    assert "[second] beside" not in drive.run(fit(full_pod_spec=TWO)).log


def durable(drive: Drive, fit: Fit, _, name: str = "durable") -> None:
    for again, pods in ((True, 1), (False, 2)):
        context = drive.context(try_number=2)
        first = fit("sleep 1; echo trained", **{name: again})
        made = first.build_pod_request_obj(context)
        first.client.create_namespaced_pod("default", made)
        ran = drive.run(fit("sleep 1; echo trained", **{name: again}), context=context)

        assert (ran.error, len(ran.pods)) == (None, pods)


def reattach_on_restart(drive: Drive, fit: Fit, deferrable) -> None:
    durable(drive, fit, deferrable, name="reattach_on_restart")


def log_events_on_failure(drive: Drive, fit: Fit, _) -> None:
    quiet = {"log_events_on_startup": False}
    assert "Pod Event: Started" in drive.run(fit("exit 3", log_events_on_failure=True, **quiet)).text
    assert "Pod Event:" not in drive.run(fit("exit 3", **quiet)).text


def log_events_on_startup(drive: Drive, fit: Fit, _) -> None:
    slow = {"init_containers": [k8s.V1Container(name="slow", image="busybox:1.37", command=["sleep", "1"])]}
    assert "The Pod has an Event" in drive.run(fit(**slow)).text
    assert "The Pod has an Event" not in drive.run(fit(log_events_on_startup=False, **slow)).text


def skip_on_exit_code(drive: Drive, fit: Fit, _) -> None:
    assert isinstance(drive.run(fit("exit 5", skip_on_exit_code=5)).error, AirflowSkipException)
    assert isinstance(drive.run(fit("exit 6", skip_on_exit_code=[5, 6])).error, AirflowSkipException)
    assert not isinstance(drive.run(fit("exit 7", skip_on_exit_code=5)).error, AirflowSkipException)


def deferrable(drive: Drive, fit: Fit, deferrable) -> None:
    assert len(drive.run(fit()).deferrals) == deferrable


def poll_interval(drive: Drive, fit: Fit, deferrable) -> None:
    assert [one["poll_interval"] for one in drive.run(fit(poll_interval=0.7)).deferrals] == [0.7] * deferrable


def log_pod_spec_on_failure(drive: Drive, fit: Fit, _) -> None:
    assert "remote_pod:" in str(drive.run(fit("exit 3")).error)
    assert "remote_pod:" not in str(drive.run(fit("exit 3", log_pod_spec_on_failure=False)).error)


def on_finish_action(drive: Drive, fit: Fit, _) -> None:
    assert len(drive.run(fit(on_finish_action="keep_pod")).pods) == 1
    assert drive.run(fit(on_finish_action="delete_pod")).pods == []


def on_kill_action(drive: Drive, fit: Fit, _) -> None:
    for action, left in (("keep_pod", 1), ("delete_pod", 0)):
        context, operator = drive.context(), fit("sleep 60", on_kill_action=action, termination_grace_period=0)
        operator.pod = operator.get_or_create_pod(operator.build_pod_request_obj(context), context)
        operator.on_kill()

        assert len([pod for pod in drive.pods(context) if "deletionTimestamp" not in pod["metadata"]]) == left


def is_delete_operator_pod(drive: Drive, fit: Fit, _) -> None:
    assert drive.run(fit(is_delete_operator_pod=True, on_finish_action="delete_pod")).pods == []
    try:
        fit(is_delete_operator_pod=False, on_finish_action="delete_pod")
    except ValueError as error:
        assert "on_finish_action='keep_pod'" in str(error)  # noqa: PT017 - not in a test function
    else:
        raise AssertionError("a switch that nobody heeds was taken")


class Noting(KubernetesPodOperatorCallback):
    """Notes which of its methods were called."""

    called: ClassVar[list[str]] = []

    @staticmethod
    def on_pod_creation(**_: Any) -> None:
        Noting.called.append("creation")

    @staticmethod
    def progress_callback(*, line: str, **_: Any) -> None:
        Noting.called.append(line.strip())


def callbacks(drive: Drive, fit: Fit, _) -> None:
    Noting.called.clear()
    drive.run(fit(callbacks=Noting))

    assert Noting.called == ["creation", "trained"]


def progress_callback(drive: Drive, fit: Fit, _) -> None:
    heard: list[str] = []
    ran = drive.run(fit(progress_callback=heard.append))

    assert (ran.error, heard) == (None, [])  # the stock operator takes it and calls it never; callbacks= does it


def logging_interval(drive: Drive, fit: Fit, deferrable) -> None:
    ran = drive.run(fit("echo trained; sleep 1", logging_interval=1))

    assert [one["logging_interval"] for one in ran.deferrals] == [1] * deferrable
    assert any("trained" in line for line in ran.log)


def trigger_kwargs(drive: Drive, fit: Fit, deferrable) -> None:
    ran = drive.run(fit(trigger_kwargs={"reason": "nightly"}))

    assert [one["trigger_kwargs"]["reason"] for one in ran.deferrals] == ["nightly"] * deferrable


def container_name_log_prefix_enabled(drive: Drive, fit: Fit, _) -> None:
    assert "[base] trained" in drive.run(fit()).log
    assert "trained" in drive.run(fit(container_name_log_prefix_enabled=False)).log


def log_formatter(drive: Drive, fit: Fit, _) -> None:
    assert "base says trained" in drive.run(fit(log_formatter=lambda name, line: f"{name} says {line}")).log


def schedulername(drive: Drive, fit: Fit, _) -> None:
    ran = drive.run(fit(schedulername="volcano", schedule_timeout_seconds=1))

    assert ran.pod["spec"]["schedulerName"] == "volcano"
    assert "too long to be scheduled" in str(ran.error) + ran.text


def runtime_class_name(drive: Drive, fit: Fit, _) -> None:
    pod = fit(runtime_class_name="nvidia").build_pod_request_obj(drive.context())

    assert pod.spec.runtime_class_name == "nvidia"  # the class is the cluster's; the simulator has none


IN_BEHAVIOUR: dict[str, Check] = {
    check.__name__: check
    for check in (
        startup_timeout_seconds, schedule_timeout_seconds, startup_check_interval_seconds, get_logs,
        base_container_status_polling_interval, init_container_logs, container_logs, durable, reattach_on_restart,
        log_events_on_failure, log_events_on_startup, skip_on_exit_code, deferrable, poll_interval,
        log_pod_spec_on_failure, on_finish_action, on_kill_action, is_delete_operator_pod, callbacks,
        progress_callback, logging_interval, trigger_kwargs, container_name_log_prefix_enabled, log_formatter,
        schedulername, runtime_class_name,
    )
}  # fmt: skip
"""By parameter of the stock operator."""
