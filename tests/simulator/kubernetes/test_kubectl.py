"""kubectl, whichever is installed, works as against a cluster."""

from __future__ import annotations

import re

import pytest

from multicluster.simulator.kubernetes import NodeShape

POD = """
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {a: "%s"}}
spec:
  restartPolicy: Never
  containers: [{name: base, image: busybox, command: [sh, -c, 'echo one; sleep 0.3; echo two; sleep %s']}]
"""


@pytest.fixture
def ok(kubectl):
    """Run kubectl, which must succeed; return what it prints."""

    def run(*arguments, stdin=None):
        done = kubectl(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def applied(ok, cluster):
    def apply(label="1", seconds=60):
        printed = ok("apply", "-f", "-", stdin=POD % (label, seconds))
        cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")
        return printed

    return apply


def cells(table):
    return [re.split(r"\s{2,}", line.strip()) for line in table.strip().splitlines()]


def test_nodes_are_printed_with_status_and_version(ok, cluster):
    cluster.add_node("n2", NodeShape(capacity={"cpu": "1"}))

    assert [row[:2] + row[4:] for row in cells(ok("get", "nodes"))] == [
        ["NAME", "STATUS", "VERSION"],
        ["n1", "Ready", "v1.35.4"],
        ["n2", "NotReady", "v1.35.4"],
    ]


@pytest.mark.parametrize("kind", ["ev", "ns", "cm", "sa", "secrets", "jobs", "ds", "leases", "svc", "quota", "pvc"])
def test_every_resource_can_be_listed_by_its_short_name(ok, kind):
    assert isinstance(ok("get", kind, "-A"), str)


def test_objects_sent_in_protobuf_are_understood(ok, cluster):
    ok("create", "namespace", "n")
    ok("create", "configmap", "cm", "--from-literal=a=b", "-n", "n")
    ok("create", "secret", "generic", "s", "--from-literal=k=v", "-n", "n")
    ok("create", "serviceaccount", "trainer", "-n", "n")

    (secret,) = cluster.objects("secrets", "n")
    assert (secret["type"], secret["data"]) == ("Opaque", {"k": "dg=="})
    assert cluster.objects("configmaps", "n")[0]["data"] == {"a": "b"}
    assert "trainer" in ok("get", "sa", "-n", "n")
    assert ok("auth", "can-i", "list", "pods") == "yes\n"
    assert "deleted" in ok("delete", "namespace", "n")


def test_a_watch_prints_rows(ok, applied, kubectl):
    applied()

    rows = cells(kubectl("get", "pods", "--watch", "--request-timeout=1s").stdout)

    assert rows[1][:3] == ["p", "1/1", "Running"]
