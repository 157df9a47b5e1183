"""What components say about pods, as `kubectl describe` and Airflow show it."""

from __future__ import annotations

from .pods import NO_IMAGE, STAYS, container, pod, unique, waits

KEPT = ("reason", "message", "type", "involvedObject", "source", "reportingComponent")


def _said(pods, eventually, *reasons):
    """The events of a pod once there is one of each reason, in their order."""
    eventually(lambda: set(reasons) <= {event["reason"] for event in pods.events()})
    return [event for event in pods.events() if event["reason"] in reasons]


def _shown(events, node, names):
    names[node] = "<node>"
    return [{key: event[key] for key in KEPT if key in event} for event in events]


def test_a_pods_life_is_told(pods, eventually, record, names):
    pods.run(pod("true", name="before"))  # the node has the image from now on
    ended = pods.run(pod("true"))

    told = _said(pods, eventually, "Scheduled", "Pulled", "Created", "Started")

    assert {event["type"] for event in told} == {"Normal"}
    assert {event["involvedObject"]["uid"] for event in told} == {ended["metadata"]["uid"]}
    ordered = sorted(_shown(told, ended["spec"]["nodeName"], names), key=lambda event: event["reason"])
    record("events", ordered)


def test_a_killed_container_is_told(pods, record, eventually, names):
    running = pods.start(pod())

    pods.delete()
    pods.gone()

    record("events", _shown(_said(pods, eventually, "Killing"), running["spec"]["nodeName"], names))


def test_the_failure_of_an_image_is_told(pods, record, eventually):
    pods.create(pod(image=NO_IMAGE))
    pods.until(waits("ImagePullBackOff"))

    told = _said(pods, eventually, "Pulling", "Failed", "BackOff")

    messages = [event["message"] for event in told]
    assert f'Pulling image "{NO_IMAGE}"' in messages
    assert "Error: ErrImagePull" in messages
    assert "Error: ImagePullBackOff" in messages
    assert f'Back-off pulling image "{NO_IMAGE}"' in messages
    assert {event["type"] for event in told if event["reason"] == "Failed"} == {"Warning"}
    record("types", sorted({(event["reason"], event["type"]) for event in told}))


def test_a_back_off_is_told_of_the_container(pods, record, eventually):
    pods.create(pod("exit 1", restartPolicy="Always"))
    pods.until(waits("CrashLoopBackOff"))

    (told,) = _said(pods, eventually, "BackOff")

    record("event", {key: told[key] for key in ("message", "type", "involvedObject")})


def test_the_same_words_are_counted(pods, eventually):
    pods.create(pod("exit 1", restartPolicy="Always"))

    def started():
        return [event for event in pods.events() if event["reason"] == "Started"]

    eventually(lambda: started() and started()[0]["count"] > 1)

    assert len(started()) == 1


def test_a_pod_no_node_takes_is_told(pods, record):
    pods.create(pod(nodeSelector={"there": unique("no")}))

    told = pods.said("FailedScheduling")

    assert told["type"] == "Warning"
    assert "didn't match Pod's node affinity/selector" in told["message"]
    record(
        "event", {key: told.get(key) for key in ("type", "involvedObject", "source", "reportingComponent", "action")}
    )


def test_the_failed_start_is_told(pods, record, eventually):
    pods.run(pod(command=["no-such-program"]))

    told = _said(pods, eventually, "Failed")

    record("event", [(event["message"], event["type"], event["involvedObject"]["fieldPath"]) for event in told])


def test_init_containers_are_named_by_their_path(pods, record, eventually):
    pods.run(pod("true", initContainers=[container("first", "true")]))

    told = _said(pods, eventually, "Started")

    record("paths", [event["involvedObject"]["fieldPath"] for event in told])


def test_events_are_found_by_what_they_are_about(pods):
    running = pods.start(pod(STAYS))
    pods.start(pod(STAYS, name="other"))
    uid = running["metadata"]["uid"]
    selector = f"involvedObject.kind=Pod,involvedObject.uid={uid},reason=Started".replace("=", "%3D")

    path = f"/api/v1/namespaces/{pods.namespace}/events?fieldSelector={selector}"
    found = pods.request("GET", path)["items"]

    assert [event["involvedObject"]["name"] for event in found] == ["p"]


def test_events_are_found_in_the_newer_api_too(pods):
    pods.start(pod(STAYS))

    path = f"/apis/events.k8s.io/v1/namespaces/{pods.namespace}/events"
    found = {event["reason"]: event for event in pods.request("GET", path)["items"]}

    assert found["Started"]["regarding"]["name"] == "p"
    assert found["Started"]["note"]


def test_events_outlive_their_pod(pods):
    pods.run(pod("true"))

    pods.delete()
    pods.gone()

    assert {"Scheduled", "Started"} <= {event["reason"] for event in pods.events()}
