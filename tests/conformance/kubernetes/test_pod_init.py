"""Init containers and sidecars: what runs before a pod's containers, and beside them."""

from __future__ import annotations

from .pods import STAYS, condition_of, container, pod, seen, status_of, waits

SIDECAR = container("side", STAYS, restartPolicy="Always")


def test_init_containers_run_one_after_the_other_before_the_others(pods, record):
    shared = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    first = container("first", "echo first >> /work/order", **shared)
    second = container("second", "echo second >> /work/order", **shared)

    text = pods.output(
        pod("cat /work/order", initContainers=[first, second], volumes=[{"name": "work", "emptyDir": {}}], **shared)
    )

    assert text == "first\nsecond\n"
    record("status", seen(pods.get()))


def test_a_pod_waits_for_its_init_container(pods, record):
    pods.create(pod(initContainers=[container("first", STAYS)]))

    found = pods.until(lambda found: "running" in status_of(found, "first")["state"])

    assert found["status"]["phase"] == "Pending"
    assert status_of(found)["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert condition_of(found, "Initialized")["reason"] == "ContainersNotInitialized"
    record("status", seen(found))


def test_a_failed_init_container_fails_the_pod_and_nothing_else_starts(pods, record):
    ended = pods.run(pod(initContainers=[container("first", "exit 5"), container("second", "true")]))

    assert ended["status"]["phase"] == "Failed"
    assert status_of(ended, "first")["state"]["terminated"]["exitCode"] == 5
    assert "waiting" in status_of(ended)["state"]
    record("status", seen(ended))


def test_a_failed_init_container_starts_again_where_the_pod_says_so(pods, record):
    pods.create(pod(restartPolicy="OnFailure", initContainers=[container("first", "exit 5")]))

    found = pods.until(waits("CrashLoopBackOff", "first"))

    assert found["status"]["phase"] == "Pending"
    record("status", seen(found))


def test_a_sidecar_runs_beside_the_others_and_is_ended_after_them(pods, record):
    pods.create(pod("sleep 1", initContainers=[SIDECAR]))
    beside = pods.until(lambda found: "running" in status_of(found)["state"])

    ended = pods.until(lambda found: found["status"]["phase"] == "Succeeded")

    assert "running" in status_of(beside, "side")["state"]
    assert status_of(ended, "side")["state"]["terminated"]["exitCode"] == 0
    record("status beside", seen(beside))
    record("status in the end", seen(ended))


def test_a_sidecar_that_fails_to_stop_in_time_does_not_fail_the_pod(pods, record):
    deaf = container("side", "trap '' TERM; while :; do sleep 1; done", restartPolicy="Always")

    ended = pods.run(pod("true", initContainers=[deaf]))

    assert ended["status"]["phase"] == "Succeeded"
    assert status_of(ended, "side")["state"]["terminated"]["exitCode"] == 137
    record("status", seen(ended))


def test_a_sidecar_that_ends_is_started_again(pods, record):
    pods.create(pod(initContainers=[container("side", "sleep 1; exit 1", restartPolicy="Always")]))

    found = pods.until(lambda found: status_of(found, "side").get("restartCount", 0) > 0)

    assert status_of(found, "side")["lastState"]["terminated"]["exitCode"] == 1
    assert found["status"]["phase"] in ("Pending", "Running")


def test_a_pod_whose_sidecar_runs_fails_when_its_container_does(pods, record):
    ended = pods.run(pod("exit 4", initContainers=[SIDECAR]))

    assert ended["status"]["phase"] == "Failed"
    record("status", seen(ended))
