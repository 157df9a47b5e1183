"""Objects: created, read, changed, deleted, and refused in the words of a real server."""

from __future__ import annotations

import pytest

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"


def config_map(name="m", **metadata):
    return {"metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def test_a_created_object_has_what_the_server_gives_it(api):
    code, created = api("POST", MAPS, config_map())

    assert (code, created["kind"], created["apiVersion"]) == (201, "ConfigMap", "v1")
    assert created["metadata"].keys() >= {"uid", "resourceVersion", "creationTimestamp", "namespace"}


def test_every_change_has_a_higher_version_whatever_the_resource(api):
    versions = [int(api("POST", MAPS, config_map(name))[1]["metadata"]["resourceVersion"]) for name in "abc"]
    node = api("GET", "/api/v1/nodes/n1")[1]

    assert versions == sorted(set(versions))
    assert int(node["metadata"]["resourceVersion"]) < versions[0]


def test_generate_name_makes_names_that_differ(api):
    names = {api("POST", MAPS, {"metadata": {"generateName": "m-"}})[1]["metadata"]["name"] for _ in range(5)}

    assert len(names) == 5
    assert all(name.startswith("m-") and len(name) == 7 for name in names)


def test_the_same_name_twice_is_a_conflict(api):
    api("POST", MAPS, config_map())

    code, status = api("POST", MAPS, config_map())

    assert (code, status["reason"]) == (409, "AlreadyExists")
    assert status["message"] == 'configmaps "m" already exists'


def test_an_object_that_is_not_there_is_not_found(api):
    code, status = api("GET", f"{PODS}/nope")

    assert (code, status["message"]) == (404, 'pods "nope" not found')
    assert status["details"] == {"name": "nope", "kind": "pods"}


def test_the_namespace_must_be_there(api):
    code, status = api("POST", "/api/v1/namespaces/nope/configmaps", config_map())

    assert (code, status["message"]) == (404, 'namespaces "nope" not found')


def test_an_update_of_an_old_version_is_a_conflict(api):
    first = api("POST", MAPS, config_map())[1]
    api("PUT", f"{MAPS}/m", {**first, "data": {"a": "2"}})

    code, status = api("PUT", f"{MAPS}/m", {**first, "data": {"a": "3"}})

    assert (code, status["reason"]) == (409, "Conflict")
    assert "the object has been modified; please apply your changes to the latest version" in status["message"]


def test_an_update_that_changes_nothing_keeps_the_version(api):
    first = api("POST", MAPS, config_map())[1]

    again = api("PUT", f"{MAPS}/m", first)[1]

    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


@pytest.mark.parametrize(
    ("content_type", "patch", "expected"),
    [
        ("application/merge-patch+json", {"data": {"a": None, "b": "2"}}, {"b": "2"}),
        ("application/strategic-merge-patch+json", {"data": {"b": "2"}}, {"a": "1", "b": "2"}),
        ("application/json-patch+json", [{"op": "replace", "path": "/data/a", "value": "9"}], {"a": "9"}),
    ],
)
def test_three_kinds_of_patch(api, content_type, patch, expected):
    api("POST", MAPS, config_map())

    code, patched = api("PATCH", f"{MAPS}/m", patch, headers={"Content-Type": content_type})

    assert (code, patched["data"]) == (200, expected)


def test_server_side_apply_is_refused(api):
    api("POST", MAPS, config_map())

    code, status = api("PATCH", f"{MAPS}/m", {}, headers={"Content-Type": "application/apply-patch+yaml"})

    assert (code, status["reason"]) == (415, "UnsupportedMediaType")
    assert "application/strategic-merge-patch+json" in status["message"]


def test_a_patch_test_that_fails_is_invalid(api):
    api("POST", MAPS, config_map())
    patch = [{"op": "test", "path": "/data/a", "value": "other"}]

    code, status = api("PATCH", f"{MAPS}/m", patch, headers={"Content-Type": "application/json-patch+json"})

    assert (code, status["reason"]) == (422, "Invalid")


@pytest.mark.parametrize("preconditions", [{"uid": "other"}, {"resourceVersion": "1"}])
def test_a_delete_whose_precondition_fails_deletes_nothing(api, preconditions):
    api("POST", MAPS, config_map())

    code, status = api("DELETE", f"{MAPS}/m", {"preconditions": preconditions})

    assert (code, status["reason"]) == (409, "Conflict")
    assert api("GET", f"{MAPS}/m")[0] == 200


def test_a_deleted_object_is_gone_and_its_uid_told(api):
    uid = api("POST", MAPS, config_map())[1]["metadata"]["uid"]

    code, status = api("DELETE", f"{MAPS}/m")

    assert (code, status["status"], status["details"]["uid"]) == (200, "Success", uid)
    assert api("DELETE", f"{MAPS}/m")[0] == 404


def test_a_dry_run_changes_nothing(api):
    assert api("POST", MAPS + "?dryRun=All", config_map())[0] == 201

    assert api("GET", f"{MAPS}/m")[0] == 404


def test_a_collection_is_deleted_by_selector(api):
    api("POST", MAPS, config_map("a", labels={"x": "1"}))
    api("POST", MAPS, config_map("b", labels={"x": "2"}))

    api("DELETE", MAPS + "?labelSelector=x%3D1")

    assert [m["metadata"]["name"] for m in api("GET", MAPS)[1]["items"]] == ["b", "kube-root-ca.crt"]


@pytest.mark.parametrize(
    ("method", "path", "code", "reason"),
    [
        ("GET", "/api/v1/namespaces/default/gizmos", 404, "NotFound"),
        ("GET", "/apis/acme/v1/gizmos", 404, "NotFound"),
        ("POST", f"{PODS}/p", 405, "MethodNotAllowed"),
        ("GET", f"{PODS}/p/attach", 404, "NotFound"),
        ("POST", "/api/v1/pods", 405, "MethodNotAllowed"),
    ],
)
def test_what_is_not_served_is_refused(api, method, path, code, reason):
    answered, status = api(method, path, {} if method == "POST" else None)

    assert (answered, status["kind"], status["reason"]) == (code, "Status", reason)


def test_what_is_no_json_is_a_bad_request(api):
    response = api.request("POST", MAPS, data=b"{", headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")


def test_another_kind_than_the_addressed_one_is_refused(api):
    code, status = api("POST", MAPS, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "m"}})

    assert (code, status["reason"]) == (400, "BadRequest")


def test_the_status_is_changed_through_its_own_address_only(api):
    node = api("GET", "/api/v1/nodes/n1")[1]
    merge = {"Content-Type": "application/merge-patch+json"}

    api("PATCH", "/api/v1/nodes/n1", {"status": {"phase": "x"}}, headers=merge)
    assert "phase" not in api("GET", "/api/v1/nodes/n1")[1]["status"]
    api("PATCH", "/api/v1/nodes/n1/status", {"status": {"phase": "x"}, "spec": {"podCIDR": "y"}}, headers=merge)

    changed = api("GET", "/api/v1/nodes/n1")[1]
    assert (changed["status"]["phase"], changed["spec"]) == ("x", node["spec"])


def test_a_namespace_comes_with_a_service_account_and_goes_with_all_it_holds(api, cluster):
    api("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    assert api("GET", "/api/v1/namespaces/n/serviceaccounts/default")[0] == 200
    api("POST", "/api/v1/namespaces/n/configmaps", config_map())

    api("DELETE", "/api/v1/namespaces/n")

    cluster.wait_until("namespaces", lambda found: "n" not in [item["metadata"]["name"] for item in found])
    assert cluster.objects("configmaps", "n") == []


def test_a_namespace_waits_for_its_pods_and_takes_no_new_content(api, cluster):
    api("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    container = {
        "name": "base",
        "image": "busybox",
        "command": ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"],
    }
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    api("POST", "/api/v1/namespaces/n/pods", pod)
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")

    deleted = api("DELETE", "/api/v1/namespaces/n")[1]
    code, status = api("POST", "/api/v1/namespaces/n/configmaps", config_map())

    assert deleted["status"]["phase"] == "Terminating"
    assert (code, status["reason"]) == (403, "Forbidden")
    assert "because it is being terminated" in status["message"]
    cluster.wait_until("namespaces", lambda found: "n" not in [item["metadata"]["name"] for item in found])


def test_what_an_object_owns_goes_with_it(api, cluster):
    owner = api("POST", MAPS, config_map("owner"))[1]["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    for name in ("kept", "owned"):
        api("POST", MAPS, config_map(name, **({"ownerReferences": [reference]} if name == "owned" else {})))

    api("DELETE", f"{MAPS}/owner")

    assert [m["metadata"]["name"] for m in cluster.objects("configmaps", "default")] == ["kept", "kube-root-ca.crt"]


def test_an_orphan_stays_when_asked(api):
    owner = api("POST", MAPS, config_map("owner"))[1]["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["uid"]}
    api("POST", MAPS, config_map("owned", ownerReferences=[reference]))

    api("DELETE", f"{MAPS}/owner", {"propagationPolicy": "Orphan"})

    assert api("GET", f"{MAPS}/owned")[1]["metadata"]["ownerReferences"] == []
