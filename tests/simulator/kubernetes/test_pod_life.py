"""The life of a pod, as its status tells it."""

from __future__ import annotations

import pytest
from kubernetes import watch

from multicluster.simulator.clock import ManualClock
from multicluster.simulator.kubernetes import PodDelays


def test_a_pod_that_ends_with_0_has_succeeded(run_pod, new_pod, core):
    pod = run_pod(new_pod("p", "sh", "-c", "echo hello"))

    assert pod["status"]["phase"] == "Succeeded"
    assert core.read_namespaced_pod_log("p", "default", _preload_content=False).data == b"hello\n"


def test_the_exit_code_of_a_failed_container_is_told(run_pod, new_pod):
    pod = run_pod(new_pod("p", "sh", "-c", "exit 4"))

    (status,) = pod["status"]["containerStatuses"]
    assert pod["status"]["phase"] == "Failed"
    assert status["state"]["terminated"]["exitCode"] == 4
    assert status["state"]["terminated"]["reason"] == "Error"


def test_python_is_the_python_of_the_simulator(run_pod, new_pod, core):
    import sys

    run_pod(new_pod("p", "python", "-c", "import sys; print(sys.executable)"))

    assert core.read_namespaced_pod_log("p", "default", _preload_content=False).data.decode().strip() == sys.executable


def test_a_finished_pod_is_not_ready_and_says_why(run_pod, new_pod):
    pod = run_pod(new_pod("p"))

    ready = next(c for c in pod["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")


def test_a_running_pod_is_ready(run_pod, new_pod):
    pod = run_pod(new_pod("p", "sleep", "30"), "Running")

    assert {c["type"] for c in pod["status"]["conditions"] if c["status"] == "True"} >= {"Ready", "PodScheduled"}
    assert pod["status"]["podIP"] == "127.0.0.1"


def test_an_image_that_does_not_exist_is_backed_off_from(cluster, new_pod, container_in):
    cluster.create("pods", new_pod("p", container={"image": "registry.example/does-not-exist:1"}))

    assert container_in("p", "waiting", "ErrImagePull")["status"]["phase"] == "Pending"
    assert "Back-off pulling image" in str(container_in("p", "waiting", "ImagePullBackOff"))
    assert any(event["reason"] == "BackOff" for event in cluster.objects("events"))


def test_an_image_name_that_is_none_is_invalid(cluster, new_pod, container_in):
    cluster.create("pods", new_pod("p", container={"image": "Not An Image"}))

    assert container_in("p", "waiting", "InvalidImageName")["status"]["phase"] == "Pending"


def test_an_image_without_a_known_command_says_so_and_succeeds(run_pod, new_pod, core):
    document = new_pod("p", container={"image": "acme/train:1"})
    del document["spec"]["containers"][0]["command"]

    pod = run_pod(document)

    assert pod["status"]["phase"] == "Succeeded"
    assert b"has no command known here" in core.read_namespaced_pod_log("p", "default", _preload_content=False).data


def test_the_arguments_of_a_known_image_are_its_command(run_pod, new_pod, core):
    document = new_pod("p", container={"image": "python:3.12", "args": ["python", "-c", "print(6*7)"]})
    del document["spec"]["containers"][0]["command"]

    run_pod(document)

    assert core.read_namespaced_pod_log("p", "default", _preload_content=False).data == b"42\n"


def test_a_command_that_is_not_there_is_a_start_error(run_pod, new_pod):
    pod = run_pod(new_pod("p", "no-such-program"))

    terminated = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("StartError", 128)
    assert 'exec: "no-such-program": executable file not found in $PATH' in terminated["message"]


def test_init_containers_run_one_after_the_other_before_the_others(run_pod, new_pod, core):
    inits = [
        {
            "name": name,
            "image": "busybox",
            "command": ["sh", "-c", f"echo {name} >> /work/order"],
            "volumeMounts": [MOUNT],
        }
        for name in ("first", "second")
    ]
    document = new_pod("p", "cat", "/work/order", initContainers=inits, volumes=[{"name": "work", "emptyDir": {}}])
    document["spec"]["containers"][0]["volumeMounts"] = [MOUNT]

    pod = run_pod(document)

    assert core.read_namespaced_pod_log("p", "default", _preload_content=False).data == b"first\nsecond\n"
    assert [s["state"]["terminated"]["exitCode"] for s in pod["status"]["initContainerStatuses"]] == [0, 0]


MOUNT = {"name": "work", "mountPath": "/work"}


def test_a_failed_init_container_fails_the_pod_and_starts_nothing(run_pod, new_pod):
    inits = [{"name": "init", "image": "busybox", "command": ["sh", "-c", "exit 7"]}]

    pod = run_pod(new_pod("p", initContainers=inits))

    assert pod["status"]["phase"] == "Failed"
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


def test_a_sidecar_starts_first_and_does_not_hold_the_pod(run_pod, new_pod):
    sidecar = {"name": "proxy", "image": "busybox", "command": ["sleep", "60"], "restartPolicy": "Always"}

    pod = run_pod(new_pod("p", "sh", "-c", "exit 0", initContainers=[sidecar]))

    assert pod["status"]["phase"] == "Succeeded"
    assert "terminated" in pod["status"]["initContainerStatuses"][0]["state"]


def test_a_pod_is_failed_at_its_deadline(run_pod, new_pod):
    pod = run_pod(new_pod("p", "sleep", "60", activeDeadlineSeconds=1, terminationGracePeriodSeconds=1))

    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "DeadlineExceeded")
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


def test_on_failure_a_container_is_started_again_until_it_succeeds(run_pod, new_pod):
    script = "test -f again && exit 0; touch again; exit 1"

    pod = run_pod(new_pod("p", "sh", "-c", script, restartPolicy="OnFailure"))

    (status,) = pod["status"]["containerStatuses"]
    assert (pod["status"]["phase"], status["restartCount"]) == ("Succeeded", 1)
    assert status["lastState"]["terminated"]["exitCode"] == 1


def test_a_container_that_keeps_failing_is_in_a_crash_loop(cluster, new_pod, container_in):
    cluster.create("pods", new_pod("p", "sh", "-c", "exit 1", restartPolicy="Always"))

    pod = container_in("p", "waiting", "CrashLoopBackOff")
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["containerStatuses"][0]["restartCount"] >= 1


def test_the_termination_message_is_read_from_its_file(run_pod, new_pod):
    pod = run_pod(new_pod("p", "sh", "-c", "echo why > /dev/termination-log; exit 1"))

    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == "why\n"


def test_the_end_of_the_log_is_the_termination_message_where_asked(run_pod, new_pod):
    container = {"terminationMessagePolicy": "FallbackToLogsOnError"}

    pod = run_pod(new_pod("p", "sh", "-c", "echo trouble; exit 1", container=container))

    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == "trouble\n"


@pytest.mark.parametrize(("grace", "code"), [({}, 0), ({"grace_period_seconds": 1}, 137)])
def test_a_deleted_pod_gets_a_signal_and_its_grace_period(run_pod, new_pod, core, grace, code):
    ignore = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    polite = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    run_pod(new_pod("p", "sh", "-c", ignore if code else polite), "Running")
    log = core.read_namespaced_pod_log("p", "default", follow=True, _preload_content=False)
    assert next(log.stream()) == b"ready\n"

    version = core.list_namespaced_pod("default").metadata.resource_version
    core.delete_namespaced_pod("p", "default", **grace)
    changes = list(watch_until_deleted(core, version))

    assert changes[0]["object"].metadata.deletion_timestamp is not None
    assert changes[-1]["object"].status.container_statuses[0].state.terminated.exit_code == code


def watch_until_deleted(core, version):
    options = {"resource_version": version, "timeout_seconds": 10}
    for change in watch.Watch().stream(core.list_namespaced_pod, "default", **options):
        yield change
        if change["type"] == "DELETED":
            return


def test_a_pod_deleted_without_grace_is_gone_at_once_and_its_process_too(cluster, run_pod, new_pod, core):
    run_pod(new_pod("p", "sleep", "60"), "Running")

    core.delete_namespaced_pod("p", "default", grace_period_seconds=0)

    assert cluster.objects("pods") == []
    cluster.create("pods", new_pod("p"))
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")
    assert cluster.processes == 0


def test_an_evicted_pod_is_deleted(cluster, run_pod, new_pod, core):
    run_pod(new_pod("p", "sleep", "60"), "Running")

    core.create_namespaced_pod_eviction("p", "default", {"metadata": {"name": "p"}})

    assert cluster.wait_until("pods", lambda pods: not pods) == []


def test_a_finalizer_holds_a_pod_until_it_is_taken_off(cluster, run_pod, new_pod, core):
    run_pod(new_pod("p", metadata={"name": "p", "finalizers": ["acme/hold"]}))

    core.delete_namespaced_pod("p", "default")
    assert cluster.objects("pods")[0]["metadata"]["deletionTimestamp"]
    core.patch_namespaced_pod("p", "default", {"metadata": {"finalizers": None}})

    assert cluster.objects("pods") == []


def test_the_waits_of_a_crash_loop_double_on_the_clock_of_the_world(new_cluster, new_pod):
    clock = ManualClock()
    cluster = new_cluster(clock=clock, delays=PodDelays(image_pull=0, start=0, restart_backoff=10))
    cluster.add_node("n1", labels={}, taints=[], capacity={"cpu": "4"}, ready=True)
    cluster.create("pods", new_pod("p", "sh", "-c", "exit 1", restartPolicy="Always"))

    for seconds, restarts in ((10, 1), (20, 2), (40, 3)):
        waiting = in_back_off(cluster, restarts)
        assert f"back-off {seconds}s restarting failed container=base" in waiting["message"]
        clock.advance(seconds)


def in_back_off(cluster, restarts):
    def status(pods):
        return (pods[0]["status"].get("containerStatuses") or [{}])[0]

    def there(pods):
        waiting = status(pods).get("state", {}).get("waiting", {})
        return waiting.get("reason") == "CrashLoopBackOff" and status(pods)["restartCount"] == restarts

    return status(cluster.wait_until("pods", there))["state"]["waiting"]
