"""kubectl, whichever is installed, works as against a cluster."""

from __future__ import annotations

import re

import pytest

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


def test_apply_creates_changes_and_leaves_alone(ok, applied, cluster):
    assert applied("1") == "pod/p created\n"
    assert applied("2") == "pod/p configured\n"
    assert applied("2") == "pod/p unchanged\n"
    assert cluster.objects("pods")[0]["metadata"]["labels"] == {"a": "2"}


def test_pods_are_printed_as_a_table(ok, applied):
    applied()

    header, row = cells(ok("get", "po"))

    assert header == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert row[:4] == ["p", "1/1", "Running", "0"]
    assert cells(ok("get", "pods", "-A", "-o", "wide"))[0][6:8] == ["IP", "NODE"]


def test_nodes_are_printed_with_status_and_version(ok, cluster):
    cluster.add_node("n2", labels={}, taints=[], capacity={"cpu": "1"})

    assert [row[:2] + row[4:] for row in cells(ok("get", "nodes"))] == [
        ["NAME", "STATUS", "VERSION"],
        ["n1", "Ready", "v1.35.4"],
        ["n2", "NotReady", "v1.35.4"],
    ]


@pytest.mark.parametrize("kind", ["ev", "ns", "cm", "sa", "secrets", "jobs", "ds", "leases", "svc", "quota", "pvc"])
def test_every_resource_can_be_listed_by_its_short_name(ok, kind):
    assert isinstance(ok("get", kind, "-A"), str)


def test_one_object_can_be_read_as_yaml_and_by_path(ok, applied):
    applied()

    assert "kind: Pod" in ok("get", "pod", "p", "-o", "yaml")
    assert ok("get", "pod", "p", "-o", "jsonpath={.spec.nodeName}") == "n1"


def test_logs_are_followed_to_their_end(ok, applied):
    applied(seconds=0)

    assert ok("logs", "-f", "p") == "one\ntwo\n"


def test_descriptions_show_conditions_and_events(ok, applied):
    applied()

    pod, node = ok("describe", "pod", "p"), ok("describe", "node", "n1")

    assert "Container started" in pod
    assert re.search(r"Ready +True", node)


def test_wait_sees_the_condition(ok, applied):
    applied()

    assert ok("wait", "--for=condition=Ready", "pod/p", "--timeout=5s") == "pod/p condition met\n"


def test_exec_gives_output_and_exit_code_where_the_client_speaks_websocket(ok, applied, kubectl):
    applied()
    done = kubectl("exec", "p", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    if "Upgrade request required" in done.stderr or "unable to upgrade" in done.stderr:
        pytest.skip("this kubectl speaks SPDY only")

    assert (done.returncode, done.stdout) == (3, "out\n")
    assert done.stderr.startswith("err\n")
    assert ok("exec", "-i", "p", "--", "cat", stdin="typed\n") == "typed\n"


def test_delete_waits_until_the_pod_is_gone(ok, applied, cluster):
    applied()

    assert 'pod "p" deleted' in ok("delete", "pod", "p", "--grace-period=1")
    assert cluster.objects("pods") == []


def test_what_is_not_there_is_said_as_usual(kubectl):
    done = kubectl("get", "pod", "nope")

    assert (done.returncode, done.stderr) == (1, 'Error from server (NotFound): pods "nope" not found\n')


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


def test_nodes_are_labelled_tainted_cordoned_and_drained(ok, applied, cluster):
    applied()
    ok("label", "node", "n1", "pool=l4")
    ok("taint", "node", "n1", "gpu=yes:NoSchedule")

    ok("drain", "n1", "--force", "--ignore-daemonsets", "--grace-period=1", "--timeout=20s")

    (node,) = cluster.objects("nodes")
    assert node["metadata"]["labels"]["pool"] == "l4"
    assert node["spec"]["unschedulable"] is True
    assert {"key": "gpu", "value": "yes", "effect": "NoSchedule"} in node["spec"]["taints"]
    assert cluster.objects("pods") == []


def test_a_watch_prints_rows(ok, applied, kubectl):
    applied()

    rows = cells(kubectl("get", "pods", "--watch", "--request-timeout=1s").stdout)

    assert rows[1][:3] == ["p", "1/1", "Running"]


def test_a_pod_is_run_and_removed(ok):
    printed = ok("run", "r", "--image=busybox", "--restart=Never", "--", "echo", "ran")

    assert printed == "pod/r created\n"
