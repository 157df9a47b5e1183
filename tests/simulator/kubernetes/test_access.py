"""Who gets in, and who may do what."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from multicluster.simulator.kubernetes import RbacRules, Rule

PODS = "/api/v1/namespaces/default/pods"
READ_PODS = Rule(verbs=("get", "list", "watch"), resources=("pods", "pods/log", "pods/exec"), namespaces=("default",))


@pytest.fixture
def guarded(new_cluster, tmp_path):
    """A cluster with rules; return what calls it with a token."""
    from .conftest import Api

    rules = RbacRules(
        users={"bob": (Rule(verbs=("get",), resources=("nodes",)),)}, groups={"data-science": (READ_PODS,)}
    )
    cluster = new_cluster(rbac=rules)
    (tmp_path / "guarded.pem").write_bytes(cluster.ca_pem)
    return lambda token: Api(cluster.url, str(tmp_path / "guarded.pem"), token)


def test_an_unknown_token_is_unauthorized_and_counted(api, cluster):
    api.token = "expired"

    assert api("GET", PODS) == (
        401,
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        },
    )
    assert cluster.unauthorized == 1


def test_no_token_is_anonymous_and_may_see_version_and_health_only(api, cluster):
    api.token = ""

    code, status = api("GET", PODS)

    assert (code, status["reason"]) == (403, "Forbidden")
    assert status["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" '
        'in the namespace "default"'
    )
    assert api("GET", "/api")[1]["message"] == 'forbidden: User "system:anonymous" cannot get path "/api"'
    assert api("GET", "/version")[1]["gitVersion"] == "v1.35.4"
    assert api.request("GET", "/healthz").text == "ok"
    assert cluster.unauthorized == 0


def test_another_ca_than_the_cluster_s_is_not_trusted(cluster):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(cluster.url, timeout=5)


def test_a_rule_opens_what_it_names_and_nothing_else(guarded):
    api = guarded("good")

    assert api("GET", PODS)[0] == 200
    code, status = api("POST", PODS, {})
    assert (code, status["message"]) == (
        403,
        'pods is forbidden: User "alice" cannot create resource "pods" in API group "" in the namespace "default"',
    )
    assert api("GET", "/api/v1/namespaces/other/pods")[0] == 403
    assert api("GET", "/api/v1/pods")[1]["message"].endswith('in API group "" at the cluster scope')
    assert api("GET", "/api/v1/nodes/n1")[1]["message"] == (
        'nodes "n1" is forbidden: User "alice" cannot get resource "nodes" in API group "" at the cluster scope'
    )
    assert api("GET", "/apis/batch/v1/jobs")[1]["message"].startswith("jobs.batch is forbidden")
    assert api("GET", f"{PODS}/nope/log")[0] == 404


def test_a_command_needs_the_right_to_create_one(guarded):
    code, status = guarded("good")("GET", f"{PODS}/p/exec?command=true", headers={"Upgrade": "websocket"})

    assert (code, status["details"]["kind"]) == (403, "pods")
    assert 'cannot create resource "pods/exec"' in status["message"]


def test_the_group_of_administrators_may_do_everything(guarded):
    assert guarded("root")("POST", PODS, {"metadata": {"name": "p"}, "spec": {}})[0] == 422


def test_users_have_rules_too(guarded):
    assert guarded("other")("GET", "/api/v1/nodes/n1")[0] == 404
    assert guarded("other")("GET", "/api/v1/nodes")[0] == 403


@pytest.mark.parametrize(
    ("token", "verb", "may"), [("good", "list", True), ("good", "delete", False), ("root", "delete", True)]
)
def test_one_may_ask_what_one_may(guarded, token, verb, may):
    asked = {"spec": {"resourceAttributes": {"verb": verb, "resource": "pods", "namespace": "default"}}}

    code, review = guarded(token)("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", asked)

    assert (code, review["status"]["allowed"]) == (201, may)


def test_one_may_ask_who_one_is(api):
    review = api("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})[1]

    assert review["status"]["userInfo"] == {"username": "alice", "groups": ["data-science", "system:authenticated"]}


def test_requests_are_counted_by_verb_and_resource(api, cluster):
    before = cluster.requests["list", "pods"]

    api("GET", PODS)
    api("GET", f"{PODS}/p/log")

    assert (cluster.requests["list", "pods"] - before, cluster.requests["get", "pods/log"]) == (1, 1)


def test_a_rotated_certificate_fails_clients_until_they_trust_the_new_ca(cluster, core, ca_file):
    import urllib3

    from .conftest import Api

    core.list_node()
    old = cluster.ca_pem

    cluster.rotate_certificate()

    with pytest.raises((urllib3.exceptions.MaxRetryError, urllib3.exceptions.SSLError)):
        core.list_node(_request_timeout=5)
    assert cluster.ca_pem != old
    Path(ca_file).write_bytes(cluster.ca_pem)
    assert Api(cluster.url, ca_file)("GET", "/api/v1/nodes")[0] == 200
