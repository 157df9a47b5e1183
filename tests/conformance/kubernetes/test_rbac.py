"""Who may do what: roles and bindings made through the API, and what those are told who may not."""

from __future__ import annotations

import uuid

import pytest

from .test_create import idle, maps, pods

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
GROUP = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io"}
READ_PODS = {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}


@pytest.fixture
def person(ground, names):
    """A user, in a group of the same name with `-team`, whom nobody has given anything."""
    name = f"person-{uuid.uuid4().hex[:8]}"
    names[name] = "<person>"
    ground.kubeconfig_of(name, (f"{name}-team",))
    return name


@pytest.fixture
def grant(ground, namespace, person, eventually, names):
    """Give a person rules, in the namespace or everywhere; wait until they hold."""
    made = []

    def give(*rules, everywhere=False, group=False, name=""):
        kind, place = ("ClusterRole", RBAC) if everywhere else ("Role", f"{RBAC}/namespaces/{namespace}")
        name = name or f"{person}-{len(made)}"
        subject = {**GROUP, "name": f"{person}-team"} if group else {**GROUP, "kind": "User", "name": person}
        reference = {"apiGroup": GROUP["apiGroup"], "kind": kind, "name": name}
        binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
        role = {"metadata": {"name": name}, "rules": list(rules)}
        for plural, document in ((f"{kind.lower()}s", role), (f"{kind.lower()}bindings", binding)):
            status, _, body = ground.raw("POST", f"{place}/{plural}", document)
            assert status == 201, body
            made.append(f"{place}/{plural}/{name}")
        verb, resource = rules[0]["verbs"][0], rules[0].get("resources", [""])[0]
        asked = {
            "verb": verb,
            "resource": resource,
            "group": rules[0]["apiGroups"][0],
            "namespace": "" if everywhere else namespace,
            "name": (rules[0].get("resourceNames") or [""])[0],
        }
        eventually(lambda: may(ground, person, **asked))

    yield give
    for path in made:
        ground.raw("DELETE", path)


def may(ground, person, **asked):
    answer = ground.raw("POST", REVIEW, {"spec": {"resourceAttributes": asked}}, user=person)[2]
    return answer["status"]["allowed"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/namespaces/{n}/pods"),
        ("GET", "/api/v1/namespaces/{n}/pods/p"),
        ("GET", "/api/v1/namespaces/{n}/pods/p/log"),
        ("GET", "/api/v1/namespaces/{n}/pods?watch=true"),
        ("POST", "/api/v1/namespaces/{n}/pods"),
        ("PUT", "/api/v1/namespaces/{n}/pods/p/status"),
        ("PATCH", "/api/v1/namespaces/{n}/pods/p"),
        ("DELETE", "/api/v1/namespaces/{n}/pods/p"),
        ("DELETE", "/api/v1/namespaces/{n}/pods"),
        ("POST", "/api/v1/namespaces/{n}/pods/p/eviction"),
        ("GET", "/api/v1/pods"),
        ("GET", "/api/v1/nodes"),
        ("GET", "/api/v1/nodes/x"),
        ("GET", "/api/v1/namespaces"),
        ("GET", "/api/v1/namespaces/{n}"),
        ("POST", "/api/v1/namespaces"),
        ("GET", "/apis/batch/v1/namespaces/{n}/jobs/j"),
        ("GET", "/apis/events.k8s.io/v1/namespaces/{n}/events"),
        ("GET", "/api/v1/namespaces/{n}/nothing"),
        ("GET", "/apis/nothing.example/v1/things/x"),
        ("GET", "/metrics"),
        ("GET", "/logs/x"),
    ],
)
def test_who_has_no_rights_is_told_which_one_is_missing(ground, namespace, person, record, method, path):  # noqa: PLR0917
    status, headers, body = ground.raw(method, path.format(n=namespace), {} if method != "GET" else None, user=person)

    record("answer", [status, headers["Content-Type"], body])
    assert (status, body["reason"]) == (403, "Forbidden")
    assert f'User "{person}" cannot ' in body["message"]


def test_everybody_may_see_what_is_served(ground, person, record):
    statuses = [
        ground.raw("GET", path, user=person)[0] for path in ("/version", "/api", "/apis/batch/v1", "/openapi/v3")
    ]
    nobody = [ground.raw("GET", path, user="")[0] for path in ("/version", "/healthz", "/api", "/apis/batch/v1")]

    record("nobody", nobody)
    assert statuses == [200] * 4


def test_a_role_opens_what_it_names_in_its_namespace_only(ground, namespace, person, grant, record):
    grant(READ_PODS)

    asked = {
        "listed": ("GET", pods(namespace)),
        "one": ("GET", f"{pods(namespace)}/x"),
        "log": ("GET", f"{pods(namespace)}/x/log"),
        "watch": ("GET", f"{pods(namespace)}?watch=1&timeoutSeconds=1"),
        "exec": ("POST", f"{pods(namespace)}/x/exec"),
        "created": ("POST", pods(namespace)),
        "elsewhere": ("GET", pods("default")),
        "everywhere": ("GET", "/api/v1/pods"),
    }
    statuses = {name: ground.raw(*request, user=person)[0] for name, request in asked.items()}

    record("statuses", statuses)
    assert (statuses["listed"], statuses["one"], statuses["created"], statuses["elsewhere"]) == (200, 404, 403, 403)


def test_a_role_binds_by_group_too(ground, namespace, person, grant):
    grant(READ_PODS, group=True)

    assert ground.raw("GET", pods(namespace), user=person)[0] == 200


def test_a_cluster_role_opens_all_namespaces_and_what_has_none(ground, namespace, person, grant):
    grant({**READ_PODS, "resources": ["pods", "nodes"]}, everywhere=True)

    statuses = [ground.raw("GET", path, user=person)[0] for path in (pods(namespace), "/api/v1/pods", "/api/v1/nodes")]
    assert statuses == [200] * 3


def test_a_cluster_role_may_be_bound_in_one_namespace(ground, namespace, person, eventually):
    name = f"{person}-shared"
    ground.raw("POST", f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": [READ_PODS]})
    reference = {"kind": "ClusterRole", "name": name, "apiGroup": GROUP["apiGroup"]}
    subjects = [{**GROUP, "kind": "User", "name": person}]
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects}
    ground.raw("POST", f"{RBAC}/namespaces/{namespace}/rolebindings", binding)

    eventually(lambda: ground.raw("GET", pods(namespace), user=person)[0] == 200)

    assert ground.raw("GET", "/api/v1/pods", user=person)[0] == 403
    ground.raw("DELETE", f"{RBAC}/clusterroles/{name}")


def test_a_rule_for_names_is_for_these_only(ground, namespace, person, grant, record):
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "create"], "resourceNames": ["a"]}
    grant(rule)

    statuses = {
        "a": ground.raw("GET", f"{maps(namespace)}/a", user=person)[0],
        "b": ground.raw("GET", f"{maps(namespace)}/b", user=person)[0],
        "list": ground.raw("GET", maps(namespace), user=person)[0],
        "list of a": ground.raw("GET", f"{maps(namespace)}?fieldSelector=metadata.name%3Da", user=person)[0],
        "create": ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}}, user=person)[0],
    }
    record("statuses", statuses)
    assert (statuses["a"], statuses["b"], statuses["list"], statuses["create"]) == (404, 403, 403, 403)


@pytest.mark.parametrize(
    ("rule", "open_"),
    [
        ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, [True, True, True, True]),
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}, [True, False, True, False]),
        ({"apiGroups": [""], "resources": ["pods/*"], "verbs": ["get"]}, [False, False, False, False]),
        ({"apiGroups": [""], "resources": ["*/log"], "verbs": ["get"]}, [False, True, False, False]),
        ({"apiGroups": ["batch"], "resources": ["*"], "verbs": ["get"]}, [False, False, False, True]),
    ],
)
def test_a_star_stands_for_all_of_one_kind(ground, namespace, person, grant, record, rule, open_):  # noqa: PLR0917
    grant({"apiGroups": ["example.com"], "resources": ["x"], "verbs": ["get"]}, rule)

    answers = [
        may(ground, person, namespace=namespace, **asked)
        for asked in (
            {"verb": "get", "resource": "pods"},
            {"verb": "get", "resource": "pods", "subresource": "log"},
            {"verb": "delete", "resource": "pods"},
            {"verb": "get", "resource": "jobs", "group": "batch"},
        )
    ]
    record("answers", answers)
    assert answers == open_


def test_a_command_needs_the_right_to_create_one(ground, namespace, person, grant, record):
    grant({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]})
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "v5.channel.k8s.io",
    }

    status, _, body = ground.raw("GET", f"{pods(namespace)}/p/exec?command=true", headers=upgrade, user=person)

    record("body", body)
    assert status == 403


def test_rights_end_with_their_binding(ground, namespace, person, grant, eventually):
    grant(READ_PODS, name="short")

    ground.raw("DELETE", f"{RBAC}/namespaces/{namespace}/rolebindings/short")

    assert eventually(lambda: ground.raw("GET", pods(namespace), user=person)[0] == 403)


def test_one_may_ask_what_one_may(ground, namespace, person, grant, record):
    grant(READ_PODS)
    questions = {
        "yes": {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": namespace}},
        "no": {"resourceAttributes": {"verb": "delete", "resource": "pods", "namespace": namespace}},
        "everywhere": {"resourceAttributes": {"verb": "list", "resource": "pods"}},
        "unknown": {"resourceAttributes": {"verb": "list", "resource": "nothing", "namespace": namespace}},
        "path": {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}},
        "open path": {"nonResourceAttributes": {"verb": "get", "path": "/version"}},
    }
    for name, spec in questions.items():
        status, _, body = ground.raw("POST", REVIEW, {"spec": spec}, user=person)
        record(name, {**body, "status": {**body["status"], "reason": bool(body["status"].get("reason"))}})
        assert (status, body["status"]["allowed"]) == (201, name in ("yes", "open path"))


@pytest.mark.parametrize(
    "spec", [{}, {"resourceAttributes": {}, "nonResourceAttributes": {"path": "/", "verb": "get"}}]
)
def test_a_question_without_sense_is_refused(ground, record, spec):
    status, _, body = ground.raw("POST", REVIEW, {"spec": spec})

    record("answer", [status, body])
    assert status == 422


def test_the_rules_of_a_namespace_are_listed(ground, namespace, person, grant, record):
    grant(READ_PODS)

    status, _, body = ground.raw("POST", RULES, {"spec": {"namespace": namespace}}, user=person)

    record("rules", [rule for rule in body["status"]["resourceRules"] if "pods" in rule["resources"]])
    assert (status, body["status"]["incomplete"]) == (201, False)


def test_who_one_is(ground, person, record):
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

    status, _, body = ground.raw("POST", path, {}, user=person)

    record("user", {key: body["status"]["userInfo"][key] for key in ("username", "groups")})
    assert status == 201


@pytest.mark.parametrize(
    ("plural", "document"),
    [
        ("roles", {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": []}]}),
        ("roles", {"rules": [{"apiGroups": [], "resources": ["pods"], "verbs": ["get"]}]}),
        ("roles", {"rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]}),
        ("rolebindings", {}),
        ("rolebindings", {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "Robot", "name": "x"}]}),
        ("rolebindings", {"roleRef": {"kind": "Role", "name": "r", "apiGroup": "x"}}),
    ],
)
def test_a_role_or_binding_without_sense_is_refused(ground, namespace, record, plural, document):
    status, _, body = ground.raw(
        "POST", f"{RBAC}/namespaces/{namespace}/{plural}", {"metadata": {"name": "r"}, **document}
    )

    record("answer", [status, body])
    assert status == 422


def test_a_binding_keeps_its_role(ground, namespace, record):
    path = f"{RBAC}/namespaces/{namespace}/rolebindings"
    made = ground.raw(
        "POST", path, {"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"}, "subjects": []}
    )[2]

    changed = {**made, "roleRef": {**made["roleRef"], "name": "other"}}
    status, _, body = ground.raw("PUT", f"{path}/b", changed)

    record("made", made)
    record("refusal", body)
    assert status == 422


def test_nobody_gives_away_what_he_does_not_have(ground, namespace, person, grant, record):
    grant({"apiGroups": [GROUP["apiGroup"]], "resources": ["roles", "rolebindings"], "verbs": ["create", "get"]})
    role = {"metadata": {"name": "more"}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}

    status, _, body = ground.raw("POST", f"{RBAC}/namespaces/{namespace}/roles", role, user=person)

    record("answer", [status, body])
    assert status == 403


def test_a_service_account_can_be_given_rights(ground, namespace, person, eventually, record):
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
    rules = {"metadata": {"name": "sa"}, "rules": [READ_PODS]}
    ground.raw("POST", f"{RBAC}/namespaces/{namespace}/roles", rules)
    reference = {"kind": "Role", "name": "sa", "apiGroup": GROUP["apiGroup"]}
    status, _, body = ground.raw("POST", f"{RBAC}/namespaces/{namespace}/rolebindings",
                                 {"metadata": {"name": "sa"}, "roleRef": reference, "subjects": [subject]})  # fmt: skip

    record("binding", body)
    assert status == 201


def test_an_idle_pod_is_seen_by_those_who_may(ground, namespace, person, grant):
    grant(READ_PODS)
    ground.raw("POST", pods(namespace), idle("p"))

    found = ground.raw("GET", pods(namespace), user=person)[2]["items"]

    assert [pod["metadata"]["name"] for pod in found] == ["p"]
