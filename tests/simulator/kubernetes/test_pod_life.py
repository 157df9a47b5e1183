"""The life of a pod, as its status tells it."""

from __future__ import annotations

from multicluster.simulator.clock import ManualClock
from multicluster.simulator.kubernetes import NodeShape, PodDelays


def test_python_is_the_python_of_the_simulator(run_pod, new_pod, core):
    import sys

    run_pod(new_pod("p", "python", "-c", "import sys; print(sys.executable)"))

    assert core.read_namespaced_pod_log("p", "default", _preload_content=False).data.decode().strip() == sys.executable


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


def test_on_failure_a_container_is_started_again_until_it_succeeds(run_pod, new_pod):
    script = "test -f again && exit 0; touch again; exit 1"

    pod = run_pod(new_pod("p", "sh", "-c", script, restartPolicy="OnFailure"))

    (status,) = pod["status"]["containerStatuses"]
    assert (pod["status"]["phase"], status["restartCount"]) == ("Succeeded", 1)
    assert status["lastState"]["terminated"]["exitCode"] == 1


def test_a_pod_deleted_without_grace_is_gone_at_once_and_its_process_too(cluster, run_pod, new_pod, core):
    run_pod(new_pod("p", "sleep", "60"), "Running")

    core.delete_namespaced_pod("p", "default", grace_period_seconds=0)

    assert cluster.objects("pods") == []
    cluster.create("pods", new_pod("p"))
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")
    assert cluster.processes == 0


def test_the_waits_of_a_crash_loop_double_on_the_clock_of_the_world(new_cluster, new_pod):
    clock = ManualClock()
    cluster = new_cluster(clock=clock, delays=PodDelays(image_pull=0, start=0, restart_backoff=10))
    cluster.add_node("n1", NodeShape(capacity={"cpu": "4"}, ready=True))
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
