"""Tables: what `kubectl get` prints."""

from __future__ import annotations

import pytest

from .test_create import idle, maps, pods

TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


def shape(table):
    return [
        [column["name"], column["type"], column["format"], column["priority"]] for column in table["columnDefinitions"]
    ]


def cells(table):
    return [["<age>" if name == "Age" else cell for name, cell in _named(table, row)] for row in table["rows"]]


def _named(table, row):
    return zip([column["name"] for column in table["columnDefinitions"]], row["cells"], strict=True)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/{n}/pods",
        "/api/v1/namespaces/{n}/configmaps",
        "/api/v1/namespaces/{n}/secrets",
        "/api/v1/namespaces/{n}/events",
        "/api/v1/namespaces/{n}/serviceaccounts",
        "/api/v1/namespaces/{n}/resourcequotas",
        "/api/v1/nodes",
        "/api/v1/namespaces",
        "/apis/batch/v1/namespaces/{n}/jobs",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/{n}/roles",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/{n}/rolebindings",
        "/apis/coordination.k8s.io/v1/namespaces/{n}/leases",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/apps/v1/namespaces/{n}/daemonsets",
        "/apis/events.k8s.io/v1/namespaces/{n}/events",
    ],
)
def test_every_resource_has_its_columns(ground, namespace, record, path):
    status, headers, table = ground.raw("GET", path.format(n=namespace), headers=TABLE)

    record("columns", shape(table))
    record("content type", headers["Content-Type"])
    assert (status, table["kind"]) == (200, "Table")


def test_a_pod_is_a_row(ground, namespace, record):
    ground.raw("POST", pods(namespace), idle("p"))

    record("list", cells(ground.raw("GET", pods(namespace), headers=TABLE)[2]))
    table = ground.raw("GET", f"{pods(namespace)}/p", headers=TABLE)[2]

    record("one", {**table, "columnDefinitions": len(table["columnDefinitions"]), "rows": cells(table)})
    assert table["rows"][0]["cells"][:4] == ["p", "0/1", "Pending", "0"]


@pytest.mark.parametrize("include", ["None", "Metadata", "Object"])
def test_a_row_holds_as_much_of_its_object_as_is_asked(ground, namespace, record, include):
    ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "v"}})

    table = ground.raw("GET", f"{maps(namespace)}/a?includeObject={include}", headers=TABLE)[2]

    record("object", table["rows"][0].get("object"))
    assert table["rows"][0]["cells"][:2] == ["a", 1]


def test_a_resource_in_rows(ground, namespace, record):
    ground.raw("POST", f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "5"}}}
    ground.raw("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)

    for path in (f"/api/v1/namespaces/{namespace}/secrets", f"/api/v1/namespaces/{namespace}/serviceaccounts",
                 f"/api/v1/namespaces/{namespace}/configmaps"):  # fmt: skip
        record(path.rpartition("/")[2], cells(ground.raw("GET", path, headers=TABLE)[2]))
    table = ground.raw("GET", f"/api/v1/namespaces?fieldSelector=metadata.name%3D{namespace}", headers=TABLE)[2]
    record("namespaces", cells(table))
    assert table["rows"][0]["cells"][1] == "Active"


def test_a_job_is_a_row(ground, namespace, record):
    container = {"name": "base", "image": "busybox:1.36"}
    template = {"spec": {"restartPolicy": "Never", "schedulerName": "nobody", "containers": [container]}}
    ground.raw(
        "POST",
        f"/apis/batch/v1/namespaces/{namespace}/jobs",
        {"metadata": {"name": "j"}, "spec": {"suspend": True, "template": template}},
    )

    rows = cells(ground.raw("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs", headers=TABLE)[2])

    record("rows", [row[:1] + row[2:3] for row in rows])
    assert rows[0][0] == "j"


@pytest.mark.parametrize(
    "accept", ["application/json;as=Chart;v=v1;g=meta.k8s.io", "text/plain;as=Table;v=v1;g=meta.k8s.io"]
)
def test_another_shape_is_not_to_be_had(ground, namespace, record, accept):
    status, _, body = ground.raw("GET", maps(namespace), headers={"Accept": accept})

    record("answer", [status, body])
    assert status == 406


def test_metadata_alone_can_be_had(ground, namespace, record):
    ground.raw("POST", maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "v"}})
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

    status, _, body = ground.raw("GET", f"{maps(namespace)}/a", headers={"Accept": accept})

    record("status", status)
    assert (status, body["metadata"]["name"]) == (200, "a")
