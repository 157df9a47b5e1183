"""An image of a private registry is had with ``image_pull_secrets``, and not without."""

from __future__ import annotations

import json

import pytest
from kubernetes.client import models as k8s

REGISTRY = "private.example"
SOON = {"schedule_timeout_seconds": 60, "startup_timeout_seconds": 2}


def told(ran):
    return [line for line in ran.log if " has not started: " in line]


@pytest.fixture
def opened_by(drive):
    """Make pull secrets for registries; they are gone with the test."""
    made = []

    def opened_by(name, host):
        keys = json.dumps({"auths": {host: {"username": "ann", "password": "c4n4ry-secret"}}})
        secret = {"metadata": {"name": name}, "type": "kubernetes.io/dockerconfigjson"}
        drive.kubernetes.create("secrets", {**secret, "stringData": {".dockerconfigjson": keys}})
        made.append(name)
        return [k8s.V1LocalObjectReference(name=name)]

    yield opened_by
    for name in made:
        drive.kubernetes.delete("secrets", name)


def test_a_private_image_runs_with_its_pull_secret(drive, fit, opened_by):
    ran = drive.run(fit(image=f"{REGISTRY}/train:1", image_pull_secrets=opened_by("door", REGISTRY)))

    assert ran.error is None, ran.text
    assert "trained" in ran.text
    assert ran.pod["spec"]["imagePullSecrets"] == [{"name": "door"}]


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        ("none", "the pod has no image_pull_secrets"),
        ("of another registry", "pull secret other does not open it"),
    ],
)
def test_a_private_image_without_its_pull_secret_is_refused_and_the_task_says_so(drive, fit, opened_by, secrets, why):
    given = {
        "none": dict,
        "of another registry": lambda: {"image_pull_secrets": opened_by("other", "other.example")},
    }[secrets]()
    ran = drive.run(fit(image=f"{REGISTRY}/secret:1", **given, **SOON))

    (line,) = told(ran)
    assert f"image '{REGISTRY}/secret:1' cannot be pulled: the registry refuses the pull: {why} [" in line
    assert "c4n4ry" not in ran.text + str(ran.error)


def test_a_pull_secret_that_is_not_there_is_named_at_once(drive, fit):
    absent = [k8s.V1LocalObjectReference(name="absent")]
    ran = drive.run(fit(image=f"{REGISTRY}/secret:2", image_pull_secrets=absent, **SOON))

    (line,) = told(ran)
    assert "pull secret absent is missing in namespace 'default' [" in line
    assert "pull secret absent is missing in namespace 'default' [" in str(ran.error)
