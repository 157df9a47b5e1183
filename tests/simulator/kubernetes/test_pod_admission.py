"""Which pods are let in."""

from __future__ import annotations

import pytest

PODS = "/api/v1/namespaces/default/pods"


def refused(api, document, code=422):
    answered, status = api("POST", PODS, document)
    assert (answered, status["kind"]) == (code, "Status"), status
    return status["message"]


def test_a_pod_gets_the_defaults_of_a_server(api, new_pod):
    new = new_pod("p")
    del new["spec"]["terminationGracePeriodSeconds"]

    pod = api("POST", PODS, new)[1]

    assert pod["status"]["phase"] == "Pending"
    assert pod["spec"]["serviceAccountName"] == "default"
    assert pod["spec"]["terminationGracePeriodSeconds"] == 30
    assert pod["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert {t["key"] for t in pod["spec"]["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }


def test_an_unknown_service_account_is_forbidden(api, new_pod):
    message = refused(api, new_pod("p", serviceAccountName="nope"), 403)

    assert message == (
        'pods "p" is forbidden: error looking up service account default/nope: serviceaccount "nope" not found'
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"containers": []}, "spec.containers: Required value"),
        ({"restartPolicy": "Sometimes"}, 'spec.restartPolicy: Unsupported value: "Sometimes"'),
        ({"containers": [{"name": "a"}]}, "spec.containers[0].image: Required value"),
        ({"containers": [{"name": "A", "image": "i"}]}, 'spec.containers[0].name: Invalid value: "A"'),
        ({"containers": [{"name": "a", "image": "i"}] * 2}, 'spec.containers[1].name: Duplicate value: "a"'),
        (
            {"containers": [{"name": "a", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]},
            'spec.containers[0].volumeMounts[0].name: Not found: "v"',
        ),
        (
            {"containers": [{"name": "a", "image": "i", "resources": {"requests": {"nvidia.com/gpu": 1}}}]},
            "Limit must be set for non overcommitable resources",
        ),
        (
            {"containers": [{"name": "a", "image": "i", "resources": {"limits": {"cpu": 1}, "requests": {"cpu": 2}}}]},
            "must be less than or equal to cpu limit of 1",
        ),
        ({"activeDeadlineSeconds": 0}, "spec.activeDeadlineSeconds: Invalid value: 0"),
    ],
)
def test_a_faulty_spec_is_invalid_and_the_message_names_the_field(api, new_pod, change, message):
    document = new_pod("p")
    document["spec"] |= change

    assert message in refused(api, document)


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "x" * 254])
def test_a_name_must_be_a_subdomain(api, new_pod, name):
    assert "metadata.name: Invalid value" in refused(api, new_pod(name))


@pytest.mark.parametrize("value", ["a b", "x" * 64, "-x", "scheduled__2026-01-01T00:00:00+00:00"])
def test_a_label_value_must_be_valid(api, new_pod, value):
    assert "metadata.labels: Invalid value" in refused(api, new_pod("p", metadata={"labels": {"run": value}}))


def test_a_quantity_that_is_none_cannot_be_decoded(api, new_pod):
    container = {"resources": {"limits": {"cpu": "much"}}}

    assert "quantities must match the regular expression" in refused(api, new_pod("p", container=container), 400)


def test_null_members_are_taken_as_absent_and_stop_no_later_pod(cluster, api, new_pod):
    resources = {"limits": {"nvidia.com/gpu": None}, "requests": None}
    api("POST", PODS, new_pod("null", container={"resources": resources}, nodeSelector=None, tolerations=None))
    api("POST", PODS, new_pod("later"))

    pods = cluster.wait_until("pods", lambda pods: all(p["status"]["phase"] == "Succeeded" for p in pods))
    assert len(pods) == 2


def test_the_spec_of_a_pod_does_not_change(api, new_pod):
    pod = api("POST", PODS, new_pod("p", "sleep", "60"))[1]
    pod["metadata"].pop("resourceVersion")
    pod["spec"]["containers"][0]["command"] = ["true"]

    code, status = api("PUT", f"{PODS}/p", pod)

    assert (code, status["reason"]) == (422, "Invalid")
    assert "pod updates may not change fields other than" in status["message"]


def test_the_labels_of_a_pod_do(api, new_pod):
    api("POST", PODS, new_pod("p"))
    headers = {"Content-Type": "application/strategic-merge-patch+json"}

    code, pod = api("PATCH", f"{PODS}/p", {"metadata": {"labels": {"a": "b"}}}, headers=headers)

    assert (code, pod["metadata"]["labels"]) == (200, {"a": "b"})
