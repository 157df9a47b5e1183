"""What keeps a container from starting, in the words tools look for."""

from __future__ import annotations

import pytest

from .pods import NO_IMAGE, pod, seen, status_of, waits


def test_an_image_that_cannot_be_had_backs_off(pods, record):
    pods.create(pod(image=NO_IMAGE))

    first = pods.until(waits("ErrImagePull"))
    then = pods.until(waits("ImagePullBackOff"))

    assert first["status"]["phase"] == then["status"]["phase"] == "Pending"
    message = status_of(then)["state"]["waiting"]["message"]
    assert message.startswith(f'Back-off pulling image "{NO_IMAGE}": ErrImagePull: ')
    assert f'failed to pull and unpack image "{NO_IMAGE}"' in message
    record("conditions", seen(then)["conditions"])


def test_an_image_that_may_not_be_pulled_has_to_be_there(pods, record):
    pods.create(pod(image=NO_IMAGE, imagePullPolicy="Never"))

    found = pods.until(waits("ErrImageNeverPull"))

    record("status", seen(found))


def test_an_image_name_that_is_none_is_refused_by_the_kubelet(pods, record):
    pods.create(pod(image="Not A Name"))

    found = pods.until(waits("InvalidImageName"))

    record("status", seen(found))


@pytest.mark.parametrize(
    "source",
    [
        {"configMapKeyRef": {"name": "absent", "key": "k"}},
        {"configMapKeyRef": {"name": "there", "key": "absent"}},
        {"secretKeyRef": {"name": "absent", "key": "k"}},
        {"secretKeyRef": {"name": "there", "key": "absent"}},
    ],
    ids=["configmap", "key of a configmap", "secret", "key of a secret"],
)
def test_a_variable_from_something_missing_holds_the_container_back(pods, record, source):
    pods.make("configmaps", "there", data={"k": "v"})
    pods.make("secrets", "there", stringData={"k": "v"})
    pods.create(pod(env=[{"name": "V", "valueFrom": source}]))

    found = pods.until(waits("CreateContainerConfigError"))

    assert found["status"]["phase"] == "Pending"
    record("status", seen(found))
    record("event", pods.said("Failed")["message"])


def test_all_variables_from_something_missing_hold_the_container_back(pods, record):
    pods.create(pod(envFrom=[{"configMapRef": {"name": "absent"}}]))

    record("status", seen(pods.until(waits("CreateContainerConfigError"))))


def test_a_held_container_starts_once_what_it_needs_is_there(pods):
    pods.create(pod("echo $V", env=[{"name": "V", "valueFrom": {"configMapKeyRef": {"name": "late", "key": "k"}}}]))
    pods.until(waits("CreateContainerConfigError"))

    pods.make("configmaps", "late", data={"k": "here"})
    ended = pods.until(lambda found: found["status"]["phase"] == "Succeeded", timeout=60)

    assert status_of(ended)["restartCount"] == 0
    assert pods.log() == "here\n"


@pytest.mark.parametrize(
    "volume",
    [{"configMap": {"name": "absent"}}, {"secret": {"secretName": "absent"}}],
    ids=["configmap", "secret"],
)
def test_a_volume_of_something_missing_holds_the_pod_back(pods, record, volume):
    pods.create(pod(volumes=[{"name": "v", **volume}], volumeMounts=[{"name": "v", "mountPath": "/v"}]))

    record("event", pods.said("FailedMount")["message"])
    record("status", seen(pods.until(waits("ContainerCreating"))))


@pytest.mark.parametrize("command", [["no-such-program"], ["/no/such/program"]], ids=["by name", "by path"])
def test_a_command_that_is_not_there_fails_at_its_start(pods, record, command):
    ended = pods.run(pod(command=command))

    assert ended["status"]["phase"] == "Failed"
    terminated = status_of(ended)["state"]["terminated"]
    assert (terminated["exitCode"], terminated["reason"]) == (128, "StartError")
    assert terminated["startedAt"] == "1970-01-01T00:00:00Z"
    assert f'exec: "{command[0]}": ' in terminated["message"]
    record("status", seen(ended))


def test_a_command_that_is_not_there_is_tried_again(pods, record):
    pods.create(pod(command=["no-such-program"], restartPolicy="Always"))

    found = pods.until(lambda found: status_of(found)["lastState"].get("terminated"))

    assert found["status"]["phase"] == "Running"
    assert status_of(found)["state"]["waiting"]["reason"] in ("RunContainerError", "CrashLoopBackOff")


def test_a_container_over_its_memory_limit_is_killed(pods, record):
    limited = {"limits": {"memory": "16Mi"}}

    ended = pods.run(pod("x=$(head -c 100m /dev/zero | tr '\\0' x); sleep 60", resources=limited))

    record("status", seen(ended))
    assert status_of(ended)["state"]["terminated"]["reason"] == "OOMKilled"
