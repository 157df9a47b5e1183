"""Lists: selected, in pages, at a version."""

from __future__ import annotations

import urllib.parse

import pytest

from .test_create import idle, maps, pods


@pytest.fixture
def ask(ground, namespace):
    """List the maps a to e of a namespace with a query."""
    for name in "edcba":
        labels = {"tier": "gold" if name in "ab" else "iron", "n": str(ord(name)), "app": "x"}
        ground.raw("POST", maps(namespace), {"metadata": {"name": name, "labels": labels}})

    def send(path="configmaps", **query):
        address = f"/api/v1/namespaces/{namespace}/{path}?{urllib.parse.urlencode(query)}"
        status, _, body = ground.raw("GET", address)
        return status, body

    return send


def names_in(body):
    return [item["metadata"]["name"] for item in body["items"] if item["metadata"]["name"] != "kube-root-ca.crt"]


def test_a_list_is_sorted_by_name_and_has_a_version(ask, record):
    status, body = ask(labelSelector="app")

    record("body", body)
    assert (status, names_in(body)) == (200, list("abcde"))
    assert int(body["metadata"]["resourceVersion"]) >= max(int(i["metadata"]["resourceVersion"]) for i in body["items"])


def test_the_items_of_a_list_do_not_repeat_what_they_are(ask, record):
    body = ask(labelSelector="app")[1]

    record("members", [body["kind"], body["apiVersion"], sorted(body["items"][0])])
    assert body["kind"] == "ConfigMapList"


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier=gold", "ab"),
        ("tier==gold", "ab"),
        ("tier!=gold,app", "cde"),
        ("tier in (gold, iron),n!=97", "bcde"),
        ("tier notin (gold),app", "cde"),
        ("app,!nothing", "abcde"),
        ("tier", "abcde"),
        ("nothing", ""),
        ("tier=", ""),
        ("tier in ()", ""),
        ("tier in (),app", ""),
        (" tier = gold ", "ab"),
        ("n>98,n<101", "cd"),
    ],
)
def test_a_label_selector_selects(ask, record, selector, found):
    status, body = ask(labelSelector=selector)

    record("names", [status, names_in(body)])
    assert (status, names_in(body)) == (200, list(found))


@pytest.mark.parametrize(
    "selector",
    [
        "tier=a=b",
        "tier=not good",
        "=gold",
        "tier in gold",
        "tier in (a",
        "-tier",
        "a b",
        "tier=ä",
        ",",
        "a,,b",
        "n>x",
        "!",
        "tier!",
        "example.com/=x",
        "tier=" + "x" * 64,
        "(a)",
    ],
)
def test_a_label_selector_that_makes_no_sense_is_refused(ask, record, selector):
    status, body = ask(labelSelector=selector)

    record("body", body)
    assert (status, body["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("metadata.name=a", "a"),
        ("metadata.name!=a", "bcde"),
        ("metadata.name==b", "b"),
        ("metadata.name=a,metadata.name=b", ""),
    ],
)
def test_a_field_selector_selects(ask, record, selector, found):
    status, body = ask(fieldSelector=selector)

    record("names", [status, names_in(body)])
    assert (status, names_in(body)) == (200, list(found))


@pytest.mark.parametrize("selector", ["data.k=v", "nonsense", "metadata.name", "metadata.uid=1", "a=b=c"])
def test_a_field_selector_that_makes_no_sense_is_refused(ask, record, selector):
    status, body = ask(fieldSelector=selector)

    record("body", body)
    assert (status, body["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    "selector",
    [
        "spec.nodeName=",
        "status.phase=Pending",
        "status.phase!=Running",
        "spec.restartPolicy=Always",
        "spec.schedulerName=nobody",
        "spec.serviceAccountName=default",
        "metadata.namespace!=x",
        "status.podIP=",
        "status.nominatedNodeName=",
        "spec.hostNetwork=false",
        "spec.hostNetwork=true",
        "status.phase=Running",
    ],
)
def test_pods_are_found_by_their_fields(ground, namespace, ask, record, selector):
    ground.raw("POST", pods(namespace), idle("p"))

    status, body = ask("pods", fieldSelector=selector)

    record("names", [status, names_in(body)])
    assert status == 200


@pytest.mark.parametrize("selector", ["spec.containers=x", "status.reason=x"])
def test_pods_are_not_found_by_all_fields(ask, record, selector):
    status, body = ask("pods", fieldSelector=selector)

    record("body", body)
    assert status == 400


def test_pages_hold_what_was_there_when_the_list_began(ground, namespace, ask, record):
    pages, token = [], ""
    while token is not None:
        status, body = ask(limit=2, labelSelector="app", **({"continue": token} if token else {}))
        assert status == 200
        pages.append((names_in(body), body["metadata"].get("remainingItemCount"), body["metadata"]["resourceVersion"]))
        token = body["metadata"].get("continue")
        ground.raw("DELETE", f"{maps(namespace)}/{'cde'[len(pages) - 1]}")

    record("pages", [page[:2] for page in pages])
    assert [name for page in pages for name in page[0]] == list("abcde")
    assert len({page[2] for page in pages}) == 1


def test_a_page_says_how_many_are_left(ask, record):
    body = ask(limit=2)[1]

    record("left", [len(body["items"]), body["metadata"]["remainingItemCount"]])
    assert body["metadata"]["remainingItemCount"] == 4


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "many"}, 400),
        ({"continue": "nonsense"}, 400),
        ({"resourceVersion": "new"}, 400),
        ({"timeoutSeconds": "soon"}, 400),
        ({"timeoutSeconds": "0.1"}, 400),
        ({"timeoutSeconds": "0.1", "watch": "true"}, 400),
        ({"resourceVersion": "1", "resourceVersionMatch": "Exactly"}, 422),
        ({"resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersion": "0", "resourceVersionMatch": "Exact"}, 422),
        ({"sendInitialEvents": "true"}, 422),
        ({"resourceVersion": "5", "continue": "x"}, 400),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(ask, record, query, code):
    status, body = ask(**query)

    message = body["message"].partition("continue key is not valid")[0]
    record("answer", [status, {**body, "message": message}])
    assert (status, body["code"], body["status"]) == (code, code, "Failure")


def test_a_limit_below_nothing_is_none(ask):
    status, body = ask(limit=-1, labelSelector="app")

    assert (status, names_in(body)) == (200, list("abcde"))


def test_a_list_of_a_version_to_come_is_too_early(ask, record):
    status, body = ask(resourceVersion=10**9, resourceVersionMatch="NotOlderThan")

    record(
        "answer", [status, body.get("reason"), body["details"].get("retryAfterSeconds"), body["details"].get("causes")]
    )
    assert (status, body["reason"]) == (504, "Timeout")


def test_a_list_of_an_exact_version_is_what_was_there(ground, namespace, ask):
    version = ask()[1]["metadata"]["resourceVersion"]
    ground.raw("DELETE", f"{maps(namespace)}/a")

    then = ask(labelSelector="app", resourceVersion=version, resourceVersionMatch="Exact")

    assert (then[0], names_in(then[1])) == (200, list("abcde"))
    assert then[1]["metadata"]["resourceVersion"] == version


@pytest.mark.parametrize("plural", ["pods", "secrets", "events", "serviceaccounts", "resourcequotas"])
def test_an_empty_list_has_items(ask, record, plural):
    status, body = ask(plural, labelSelector="none=such")

    record("body", body)
    assert (status, body["items"]) == (200, [])


def test_a_list_of_a_namespace_that_is_not_there_is_empty(ground, record):
    status, _, body = ground.raw("GET", pods("nowhere-to-be-found"))

    record("body", body)
    assert (status, body["items"]) == (200, [])
