"""The end of pods from outside: deletion, grace periods, eviction, preemption, nodes that go."""

from __future__ import annotations

from .pods import OWN, STAYS, condition_of, container, pod, seen, status_of, unique

DEAF = "trap '' TERM; while :; do sleep 1; done"
SLOW = "trap 'echo asked; sleep 1; echo done; exit 7' TERM; echo up; while :; do sleep 0.1; done"


def _changes(pods, start):
    """What a watch tells from a document on, without repetitions."""
    told = []
    for change in pods.changes(start):
        found = change["object"]
        now = {
            "type": change["type"],
            "phase": found["status"]["phase"],
            "deletion": "deletionTimestamp" in found["metadata"],
            "grace": found["metadata"].get("deletionGracePeriodSeconds"),
            "states": {
                status["name"]: list(status["state"]) for status in found["status"].get("containerStatuses", [])
            },
        }
        if not told or told[-1] != now:
            told.append(now)
    return told


def test_a_deleted_pod_is_asked_to_end_and_then_gone(pods, record):
    running = pods.start(pod())

    answer = pods.delete()
    pods.gone()

    assert answer["metadata"]["deletionGracePeriodSeconds"] == 1
    assert answer["status"]["phase"] == "Running"
    told = _changes(pods, running)
    assert told[-1]["type"] == "DELETED"
    record("told", told)
    record("event", pods.said("Killing")["message"])


def test_a_command_has_its_grace_period_to_end(pods):
    pods.start(pod(SLOW, terminationGracePeriodSeconds=20))
    assert pods.log_until("up")

    pods.delete()
    ended = pods.until(lambda found: "asked" in pods.log())

    assert ended["metadata"]["deletionGracePeriodSeconds"] == 20
    assert pods.gone(timeout=10)


def test_the_pod_being_deleted_is_still_there_with_its_exit_code(pods, record):
    document = pod(SLOW, terminationGracePeriodSeconds=20, metadata={"finalizers": ["example.com/hold"]})
    pods.start(document)
    assert pods.log_until("up")

    pods.delete()
    held = pods.until(lambda found: "terminated" in status_of(found)["state"])

    assert status_of(held)["state"]["terminated"]["exitCode"] == 7
    record("status", seen(pods.until(lambda found: found["metadata"].get("deletionGracePeriodSeconds") == 0)))
    pods.patch({"metadata": {"finalizers": None}})
    assert pods.gone()


def test_a_command_that_does_not_end_in_time_is_killed(pods):
    document = pod(DEAF, metadata={"finalizers": ["example.com/hold"]})
    pods.start(document)

    pods.delete(grace=1)
    held = pods.until(lambda found: "terminated" in status_of(found)["state"])

    assert status_of(held)["state"]["terminated"]["exitCode"] == 137
    assert held["status"]["phase"] == "Failed"
    pods.patch({"metadata": {"finalizers": None}})
    assert pods.gone()


def test_a_command_that_does_not_listen_to_sigterm_is_killed_after_its_grace_period(pods):
    document = pod(command=["sleep", "300"], metadata={"finalizers": ["example.com/hold"]})
    pods.start(document)

    pods.delete(grace=2)
    held = pods.until(lambda found: "terminated" in status_of(found)["state"])

    assert status_of(held)["state"]["terminated"]["exitCode"] == 137
    pods.patch({"metadata": {"finalizers": None}})
    assert pods.gone()


def test_a_pod_deleted_by_force_is_gone_at_once(pods, record):
    pods.start(pod(DEAF, terminationGracePeriodSeconds=30))

    answer = pods.delete(grace=0)

    assert pods.gone(timeout=1)
    assert answer["metadata"]["name"] == "p"


def test_a_second_deletion_may_be_faster_but_not_slower(pods):
    pods.start(pod(DEAF, terminationGracePeriodSeconds=30))

    assert pods.delete(grace=5)["metadata"]["deletionGracePeriodSeconds"] == 5
    assert pods.delete(grace=9)["metadata"]["deletionGracePeriodSeconds"] == 5
    assert pods.delete(grace=1)["metadata"]["deletionGracePeriodSeconds"] == 1
    assert pods.gone()


def test_an_ended_pod_is_gone_as_soon_as_it_is_deleted(pods):
    pods.run(pod("true", terminationGracePeriodSeconds=30))

    pods.delete()

    assert pods.gone(timeout=1)


def test_a_pod_on_no_node_is_gone_as_soon_as_it_is_deleted(pods):
    pods.create(pod(terminationGracePeriodSeconds=30, nodeSelector={"there": "no"}))

    pods.delete()

    assert pods.gone(timeout=1)


def test_an_evicted_pod_is_ended_and_says_why(pods, record):
    document = pod(metadata={"finalizers": ["example.com/hold"]})
    pods.start(document)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}

    status, _, answer = pods.ground.raw("POST", f"{pods.path}/p/eviction", eviction)
    held = pods.until(lambda found: "terminated" in status_of(found)["state"])

    assert status == 201
    assert condition_of(held, "DisruptionTarget")["reason"] == "EvictionByEvictionAPI"
    record("answer", answer)
    record("status", seen(held))
    pods.patch({"metadata": {"finalizers": None}})
    assert pods.gone()


def test_an_eviction_that_would_change_nothing_is_only_tried(pods):
    pods.start(pod())
    trial = {"metadata": {"name": "p"}, "deleteOptions": {"dryRun": ["All"]}}

    status, _, _ = pods.ground.raw("POST", f"{pods.path}/p/eviction", trial)

    assert status == 201
    assert "deletionTimestamp" not in pods.get()["metadata"]


def test_the_eviction_of_a_pod_that_is_not_there_is_refused(pods, record):
    status, _, answer = pods.ground.raw("POST", f"{pods.path}/p/eviction", {"metadata": {"name": "p"}})

    assert status == 404
    record("answer", answer)


def test_pods_are_lost_with_their_node(pods, ground, record):
    label = unique("lost")
    selected = {"nodeSelector": {"is": label}}
    with ground.node(labels={"is": label}, taints=[OWN]) as node:
        pods.start(pod(metadata={"finalizers": ["example.com/hold"]}, **selected))
        pods.start(pod(DEAF, name="going", terminationGracePeriodSeconds=600, **selected))
        assert pods.get()["spec"]["nodeName"] == node
        pods.delete("going")

    held = pods.until(lambda found: "deletionTimestamp" in found["metadata"], timeout=100)

    assert held["status"]["phase"] == "Failed"
    assert condition_of(held, "DisruptionTarget")["reason"] == "DeletionByPodGC"
    record("status", seen(held))
    pods.patch({"metadata": {"finalizers": None}})
    assert pods.gone("going")
    assert pods.gone()


def test_a_pod_of_higher_priority_takes_the_place_of_a_lower_one(pods, ground, record, names):
    high, label = unique("high"), unique("one")
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    pods.request("POST", classes, {"metadata": {"name": high}, "value": 1000})
    gpu = {"resources": {"limits": {"nvidia.com/gpu": "1"}}, "nodeSelector": {"is": label}}
    with ground.node(gpus=1, labels={"is": label}, taints=[OWN]) as node:
        names[node] = "<node>"
        pods.start(pod(name="low", **gpu, metadata={"finalizers": ["example.com/hold"]}))

        winner = pods.start(pod(name="high", priorityClassName=high, **gpu))

        loser = pods.get("low")
        assert winner["spec"]["priority"] == 1000
        assert condition_of(loser, "DisruptionTarget")["reason"] == "PreemptionByScheduler"
        record("status of the loser", seen(loser))
        record("event", pods.said("Preempted", "low")["message"])
        pods.patch({"metadata": {"finalizers": None}}, "low")
        pods.delete("high", grace=0)
    pods.request("DELETE", f"{classes}/{high}")


def test_containers_are_ended_together(pods):
    both = [container("one", STAYS), container("two", STAYS)]
    pods.start(pod(containers=both))

    pods.delete(grace=20)

    assert pods.gone(timeout=10)
