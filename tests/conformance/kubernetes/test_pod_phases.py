"""From Pending to an end: phases, conditions and the states of containers."""

from __future__ import annotations

from .pods import condition_of, container, pod, seen, status_of


def test_a_pod_whose_command_ends_with_0_has_succeeded(pods, record):
    ended = pods.run(pod("true"))

    assert ended["status"]["phase"] == "Succeeded"
    assert status_of(ended)["state"]["terminated"]["reason"] == "Completed"
    record("status", seen(ended))


def test_a_pod_whose_command_ends_with_another_code_has_failed(pods, record):
    ended = pods.run(pod("exit 3"))

    assert ended["status"]["phase"] == "Failed"
    assert tuple(status_of(ended)["state"]["terminated"][key] for key in ("exitCode", "reason")) == (3, "Error")
    record("status", seen(ended))


def test_a_running_pod_is_ready(pods, record):
    running = pods.start(pod())

    assert running["status"]["phase"] == "Running"
    assert {"True"} == {condition["status"] for condition in running["status"]["conditions"]}
    record("status", seen(running))
    record("order of conditions", [condition["type"] for condition in running["status"]["conditions"]])


def test_a_command_killed_by_a_signal_ends_with_128_and_its_number(pods, record):
    ended = pods.run(pod("sh -c 'kill -9 $$$$'; exit $?"))

    assert status_of(ended)["state"]["terminated"]["exitCode"] == 137
    record("status", seen(ended))


def test_a_pod_fails_when_one_of_its_containers_has_failed(pods, record):
    both = [container("good", "true"), container("bad", "exit 1")]

    ended = pods.run(pod(containers=both))

    assert ended["status"]["phase"] == "Failed"
    record("status", seen(ended))


def test_a_pod_runs_as_long_as_one_of_its_containers_does(pods, record):
    both = [container("ended", "true"), container("base", "sleep 300")]

    pods.create(pod(containers=both))
    seen_then = pods.until(
        lambda found: "terminated" in status_of(found, "ended")["state"] and "running" in status_of(found)["state"]
    )

    assert seen_then["status"]["phase"] == "Running"
    assert condition_of(seen_then, "Ready")["message"] == "containers with unready status: [ended]"
    record("status", seen(seen_then))


def test_a_pod_goes_through_its_phases_in_order(pods):
    created = pods.create(pod("sleep 1"))
    assert created["status"]["phase"] == "Pending"
    pods.until(lambda found: found["status"]["phase"] == "Succeeded")

    phases = [change["object"]["status"]["phase"] for change in pods.changes(created)]

    assert list(dict.fromkeys(phases)) == ["Pending", "Running", "Succeeded"]


def test_a_new_pod_is_stored_with_the_servers_defaults(pods, record):
    created = pods.create({"metadata": {"name": "p"}, "spec": {"containers": [container("base", "true")]}})

    spec = created["spec"]
    spec["containers"][0].pop("volumeMounts", None)
    spec.pop("volumes", None)
    assert spec["restartPolicy"] == "Always"
    record("spec", spec)
    record("status", created["status"])
