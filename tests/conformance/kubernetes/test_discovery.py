"""What a server says it serves, and what it says of what it does not."""

from __future__ import annotations

import pytest

USED = {
    "/api/v1": (
        "configmaps",
        "events",
        "namespaces",
        "namespaces/status",
        "nodes",
        "nodes/status",
        "pods",
        "pods/binding",
        "pods/eviction",
        "pods/exec",
        "pods/log",
        "pods/status",
        "resourcequotas",
        "secrets",
        "serviceaccounts",
    ),
    "/apis/batch/v1": ("jobs", "jobs/status"),
    "/apis/events.k8s.io/v1": ("events",),
    "/apis/authorization.k8s.io/v1": ("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
    "/apis/authentication.k8s.io/v1": ("selfsubjectreviews",),
    "/apis/rbac.authorization.k8s.io/v1": ("clusterrolebindings", "clusterroles", "rolebindings", "roles"),
}
KINDS = {  # what none of us uses, and the kind of its list
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": "CustomResourceDefinitionList",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": "MutatingWebhookConfigurationList",
    "/apis/apps/v1/deployments": "DeploymentList",
    "/apis/storage.k8s.io/v1/storageclasses": "StorageClassList",
}
V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_version_names_the_server(ground, record):
    status, _, version = ground.raw("GET", "/version")

    record("members", sorted(version))
    assert status == 200
    assert version["gitVersion"].startswith(f"v{version['major']}.{version['minor']}.")


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_is_one_word(ground, record, path):
    status, headers, body = ground.raw("GET", path)

    record("content type", headers["Content-Type"])
    assert (status, body) == (200, "ok")


def test_the_core_group_has_one_version(ground, record):
    body = ground.raw("GET", "/api")[2]

    record("body", {key: value for key, value in body.items() if key != "serverAddressByClientCIDRs"})
    assert body["versions"] == ["v1"]


def test_groups_are_listed_with_their_preferred_version(ground, record):
    groups = {group["name"]: group for group in ground.raw("GET", "/apis")[2]["groups"]}

    for path in [path for path in USED if path.startswith("/apis")]:
        name = path.split("/")[2]
        record(name, groups[name]["preferredVersion"])
        assert ground.raw("GET", f"/apis/{name}")[2]["preferredVersion"] == groups[name]["preferredVersion"]


@pytest.mark.parametrize("path", USED)
def test_resources_are_described(ground, record, path):
    status, _, body = ground.raw("GET", path)
    found = {resource["name"]: resource for resource in body["resources"]}

    for name in USED[path]:
        described = {key: value for key, value in found[name].items() if key != "storageVersionHash"}
        record(name, {**described, "verbs": sorted(described["verbs"])})
    assert (status, body["kind"]) == (200, "APIResourceList")


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_discovery_comes_in_one_piece_for_those_who_ask(ground, record, path):
    status, headers, body = ground.raw("GET", path, headers={"Accept": V2})

    assert (status, body["kind"], body["apiVersion"]) == (200, "APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    record("content type", headers["Content-Type"])
    for group in body["items"]:
        for version in group["versions"]:
            served = f"{group['metadata'].get('name', '')}/{version['version']}".strip("/")
            used = USED.get(f"/apis/{served}" if "/" in served else f"/api/{served}", ())
            for resource in version["resources"] if used else []:
                if resource["resource"] in used:
                    record(f"{served} {resource['resource']}", _described(resource, used))


def _described(resource, used):
    subresources = resource.pop("subresources", [])
    ours = [part for part in subresources if f"{resource['resource']}/{part['subresource']}" in used]
    return {**resource, "subresources": sorted(ours, key=str)}


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/apis/nothing", "/apis/nothing.example/v1/things"],
)
def test_an_unknown_address_is_not_found_in_plain_words(ground, record, path):
    status, headers, body = ground.raw("GET", path)

    record("answer", [status, headers["Content-Type"], body])
    assert (status, body) == (404, "404 page not found\n")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v2"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/apis/batch/v7/jobs"),
        ("GET", "/api/v1/namespaces/default/nothing"),
        ("POST", "/apis/nothing.example/v1/things"),
        ("GET", "/apis/batch/v1/nothing"),
        ("GET", "/api/v1/namespaces/default/pods/x/nothing"),
    ],
)
def test_an_unknown_resource_is_not_found(ground, record, method, path):
    status, headers, body = ground.raw(method, path, {} if method == "POST" else None)

    record("answer", [status, headers["Content-Type"], body])
    assert status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/v1/namespaces"),
        ("POST", "/api/v1/namespaces/default/pods/x"),
        ("PUT", "/api/v1/namespaces/default/pods"),
        ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
        ("POST", "/version"),
    ],
)
def test_a_method_that_is_not_served_is_refused(ground, record, method, path):
    status, headers, body = ground.raw(method, path, {})

    record("answer", [status, headers["Content-Type"], body])
    assert status == 405


def test_a_schema_is_there_for_kubectl(ground, record):
    status, headers, body = ground.raw("GET", "/openapi/v3")

    record("kind of body", [status, headers["Content-Type"], "paths" in body])
    assert status == 200


def test_the_schema_for_kubectl_before_1_25_is_there_or_refused_as_an_unknown_address(ground):
    status, _, body = ground.raw("GET", "/openapi/v2")

    assert status == 200 or (status, body) == (404, "404 page not found\n")


@pytest.mark.parametrize("path", KINDS)
def test_what_none_of_us_uses_may_not_be_served(ground, record, path):
    """A server that lacks a thing answers 404 as for any unknown address, and leaves it out of discovery."""
    status, _, body = ground.raw("GET", path)
    known, _, group = ground.raw("GET", path.rpartition("/")[0])
    listed = known == 200 and path.rpartition("/")[2] in [resource["name"] for resource in group["resources"]]

    record("served", status)
    said = body["kind"] if status == 200 else body["message"] if known == 200 else body
    assert (status, known, listed, said) in [
        (200, 200, True, KINDS[path]),
        (404, 200, False, "the server could not find the requested resource"),
        (404, 404, False, "404 page not found\n"),
    ]
