"""kubectl's everyday commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .pods import IMAGE, NO_IMAGE, OWN, STAYS, container, pod, unique

TIMEOUT = 60


def _program():
    """The newest kubectl of the testbed's binaries, else the one that is installed."""
    built = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "airflow-multicluster", "testbed")
    found = sorted(built.glob("bin-*/kubectl"), key=lambda file: file.stat().st_mtime)
    return str(found[-1]) if found else shutil.which("kubectl")


@pytest.fixture
def kubectl(pods, ground, tmp_path):
    """Run kubectl in the namespace; return what came of it."""
    program = _program()
    if program is None:
        pytest.skip("there is no kubectl")
    options = ["--kubeconfig", str(ground.kubeconfig), "--cache-dir", str(tmp_path), "--namespace", pods.namespace]

    def run(*arguments, stdin=None):
        command = [program, *options, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, input=stdin, check=False)

    return run


@pytest.fixture
def ok(kubectl):
    """Run kubectl, which has to succeed; return what it prints."""

    def run(*arguments, stdin=None):
        done = kubectl(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def up(pods):
    return pods.start(pod(f"echo one; echo two; {STAYS}", metadata={"labels": {"team": "ml"}}))


def shape(text):
    """A table without what differs from run to run: ages, addresses, nodes."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.strip().splitlines()]
    return [[re.sub(r"^\d+[smhd]\d*[smhd]?$", "<age>", cell) for cell in row] for row in rows]


def test_pods_are_listed(ok, up, record):
    printed = shape(ok("get", "pods"))

    assert printed[1][:4] == ["p", "1/1", "Running", "0"]
    record("table", printed)


@pytest.mark.parametrize("word", ["po", "pod", "pods", "pods.v1.", "all"])
def test_a_resource_has_several_names(ok, up, word):
    assert "1/1" in ok("get", word)


def test_more_columns_are_to_be_had(ok, up, pods, record, names):
    names[pods.get()["spec"]["nodeName"]] = "<node>"

    record("table", shape(ok("get", "pods", "-o", "wide", "--show-labels")))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("name", "pod/p"),
        ("jsonpath={.status.phase}", "Running"),
        ("jsonpath={.items[*].metadata.name}", ""),
        ("custom-columns=N:.metadata.name,P:.status.phase", "N P p Running"),
        ("go-template={{.metadata.name}}", "p"),
    ],
)
def test_what_is_printed_can_be_chosen(ok, up, form, expected):
    assert " ".join(ok("get", "pod", "p", "-o", form).split()) == expected


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_a_pod_is_printed_whole(ok, up, form):
    printed = ok("get", "pod", "p", "-o", form)

    assert re.search(r'"?kind"?: "?Pod"?', printed)
    assert re.search(r'"?phase"?: "?Running"?', printed)


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (pod("true"), "0/1 Completed"),
        (pod("exit 3"), "0/1 Error"),
        (pod(image=NO_IMAGE), "0/1 ImagePullBackOff"),
        (pod("exit 1", restartPolicy="Always"), "0/1 CrashLoopBackOff"),
        (pod(initContainers=[container("first", STAYS)]), "0/1 Init:0/1"),
        (pod("true", initContainers=[container("first", "exit 1")]), "0/1 Init:Error"),
        (pod(initContainers=[container("side", STAYS, restartPolicy="Always")]), "2/2 Running"),
        (pod(command=["no-such-program"]), "0/1 StartError"),
        (pod(nodeSelector={"there": "no"}), "0/1 Pending"),
    ],
    ids=["done", "error", "image", "crash", "init", "init error", "sidecar", "start error", "pending"],
)
def test_the_state_of_a_pod_is_shown_in_words(ok, pods, eventually, document, shown):
    pods.create(document)

    assert eventually(lambda: shape(ok("get", "pod", "p"))[1][:3] == ["p", *shown.split()], 40)


def test_a_pod_being_deleted_is_shown_as_terminating(ok, pods):
    pods.start(pod("trap '' TERM; while :; do sleep 1; done", terminationGracePeriodSeconds=20))

    ok("delete", "pod", "p", "--wait=false")

    assert shape(ok("get", "pods"))[1][2] == "Terminating"
    ok("delete", "pod", "p", "--force", "--grace-period=0")


def test_a_pod_is_described_with_its_events(ok, pods, up, eventually):
    pods.said("Started")

    printed = ok("describe", "pod", "p")

    for line in ("Name:             p", "Status:           Running", "Container started", "team=ml", "QoS Class: "):
        assert line in printed
    assert re.search(r"Ready +True", printed)


def test_a_node_is_described(ok, pods, up):
    printed = ok("describe", "node", pods.get()["spec"]["nodeName"])

    assert re.search(r"Ready +True", printed)
    assert "Allocated resources:" in printed
    assert pods.namespace in printed


def test_nodes_are_listed(ok, pods, up):
    node = pods.get()["spec"]["nodeName"]
    rows = {row[0]: row for row in shape(ok("get", "nodes"))}

    assert rows["NAME"] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert rows[node][1:3] == ["Ready", "<none>"]
    assert rows[node][4].startswith("v1.35.")


def test_a_log_is_printed(ok, pods, up):
    pods.log_until("two")

    assert ok("logs", "p") == "one\ntwo\n"
    assert ok("logs", "p", "--tail=1") == "two\n"
    assert ok("logs", "-l", "team=ml", "--prefix") == "[pod/p/base] one\n[pod/p/base] two\n"


def test_a_log_is_followed_to_its_end(ok, pods):
    pods.start(pod("echo one; sleep 2; echo two"))

    assert ok("logs", "-f", "p") == "one\ntwo\n"


def test_the_first_of_several_containers_is_meant(kubectl, pods):
    pods.start(pod(containers=[container("a", f"echo from a; {STAYS}"), container("b", STAYS)]))
    pods.log_until("from a", query="container=a")

    done = kubectl("logs", "p")

    assert done.stdout == "from a\n"
    assert done.stderr == 'Defaulted container "a" out of: a, b\n'
    assert "from a" in kubectl("logs", "p", "--all-containers").stdout


def test_a_command_is_executed(kubectl, up):
    done = kubectl("exec", "p", "--", "sh", "-c", "echo out; echo err >&2; exit 3")

    assert (done.returncode, done.stdout) == (3, "out\n")
    assert done.stderr == "err\ncommand terminated with exit code 3\n"


def test_a_command_takes_input(ok, up):
    assert ok("exec", "-i", "p", "--", "cat", stdin="hello\n") == "hello\n"


def test_files_are_copied_out_and_in(ok, up, tmp_path):
    there = tmp_path / "there"
    there.write_text("content\n")

    ok("cp", str(there), "p:copied")
    assert ok("exec", "p", "--", "cat", "copied") == "content\n"
    ok("cp", "p:copied", str(tmp_path / "back"))

    assert (tmp_path / "back").read_text() == "content\n"


def test_a_document_is_applied_once(ok, pods):
    document = json.dumps({"apiVersion": "v1", "kind": "Pod", **pod()})

    assert ok("apply", "-f", "-", stdin=document) == "pod/p created\n"
    assert ok("apply", "-f", "-", stdin=document) == "pod/p unchanged\n"
    changed = json.dumps({"apiVersion": "v1", "kind": "Pod", **pod(metadata={"labels": {"a": "b"}})})
    assert ok("apply", "-f", "-", stdin=changed) == "pod/p configured\n"
    assert pods.get()["metadata"]["labels"] == {"a": "b"}


def test_a_document_with_faults_is_refused(kubectl, pods):
    document = {"apiVersion": "v1", "kind": "Pod", **pod()}
    document["spec"]["wrong"] = True

    done = kubectl("create", "-f", "-", stdin=json.dumps(document))

    assert done.returncode == 1
    assert 'unknown field "spec.wrong"' in done.stderr


def test_a_pod_is_run_and_waited_for(ok, pods):
    assert ok("run", "p", f"--image={IMAGE}", "--restart=Never", "--", "sleep", "3") == "pod/p created\n"

    assert ok("wait", "--for=condition=Ready", "pod/p", "--timeout=20s") == "pod/p condition met\n"
    assert ok("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/p", "--timeout=20s") == "pod/p condition met\n"
    assert ok("delete", "pod", "p") == f'pod "p" deleted from {pods.namespace} namespace\n'
    assert ok("wait", "--for=delete", "pod/p", "--timeout=20s") == ""


def test_a_deletion_waits_until_the_pod_is_gone(ok, pods, up):
    ok("delete", "pod", "-l", "team=ml")

    assert pods.ground.raw("GET", f"{pods.path}/p")[0] == 404


def test_labels_and_annotations_are_put_on_and_taken_off(ok, up, pods):
    assert ok("label", "pod", "p", "a=b") == "pod/p labeled\n"
    assert ok("label", "pod", "p", "team-") == "pod/p unlabeled\n"
    assert ok("annotate", "pod", "p", "example.com/note=hi") == "pod/p annotated\n"

    assert pods.get()["metadata"]["labels"] == {"a": "b"}
    assert pods.get()["metadata"]["annotations"] == {"example.com/note": "hi"}


def test_a_label_is_not_changed_by_accident(kubectl, up, record):
    done = kubectl("label", "pod", "p", "team=other")

    assert done.returncode == 1
    record("words", done.stderr)


def test_a_pod_is_patched(ok, up, pods):
    assert ok("patch", "pod", "p", "-p", '{"metadata": {"labels": {"a": "b"}}}') == "pod/p patched\n"

    assert pods.get()["metadata"]["labels"] == {"a": "b", "team": "ml"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["get", "pod", "absent"],
        ["get", "nonsense"],
        ["logs", "absent"],
        ["exec", "absent", "--", "true"],
        ["delete", "pod", "absent"],
        ["top", "pods"],
    ],
    ids=["get", "resource", "logs", "exec", "delete", "top"],
)
def test_what_is_not_there_is_said(kubectl, record, arguments):
    done = kubectl(*arguments)

    assert done.returncode == 1
    record("words", done.stderr)


def test_nothing_is_said_where_there_is_nothing(kubectl, pods):
    assert kubectl("get", "pods").stderr == f"No resources found in {pods.namespace} namespace.\n"


def test_a_node_is_cordoned_drained_and_opened_again(ok, pods, ground):
    label = unique("drained")
    with ground.node(labels={"is": label}, taints=[OWN]) as node:
        pods.start(pod(nodeSelector={"is": label}))

        assert ok("cordon", node) == f"node/{node} cordoned\n"
        assert "SchedulingDisabled" in ok("get", "node", node)
        printed = ok("drain", node, "--force", "--ignore-daemonsets", "--timeout=40s")

        assert f"node/{node} drained" in printed
        assert pods.ground.raw("GET", f"{pods.path}/p")[0] == 404
        assert ok("uncordon", node) == f"node/{node} uncordoned\n"


def test_a_node_is_tainted(ok, pods, ground):
    with ground.node(taints=[OWN]) as node:
        assert ok("taint", "node", node, "a=b:NoSchedule") == f"node/{node} tainted\n"
        assert ok("taint", "node", node, "a:NoSchedule-") == f"node/{node} untainted\n"


def test_a_job_is_made_and_shown(ok, pods, eventually):
    template = {"spec": {"restartPolicy": "Never", "containers": [container("base", "true")]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": template}}
    assert ok("apply", "-f", "-", stdin=json.dumps(job)) == "job.batch/j created\n"

    assert ok("wait", "--for=condition=Complete", "job/j", "--timeout=30s") == "job.batch/j condition met\n"
    header, row = shape(ok("get", "jobs"))
    assert header == ["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]
    assert row[:3] == ["j", "Complete", "1/1"]


def test_a_job_is_made_from_words(ok):
    assert ok("create", "job", "j", f"--image={IMAGE}", "--", "true") == "job.batch/j created\n"


def test_config_maps_and_secrets_are_made_and_shown(ok):
    ok("create", "configmap", "c", "--from-literal=a=1", "--from-literal=b=2")
    ok("create", "secret", "generic", "s", "--from-literal=a=1")

    assert shape(ok("get", "configmap", "c"))[1] == ["c", "2", "<age>"]
    assert shape(ok("get", "secret", "s"))[1] == ["s", "Opaque", "1", "<age>"]
    assert "a:  1 bytes" in ok("describe", "secret", "s")


def test_events_are_listed(ok, pods, up):
    pods.said("Started")

    rows = shape(ok("get", "events", "--field-selector=involvedObject.name=p,reason=Started"))

    assert rows[0] == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert rows[1][1:] == ["Normal", "Started", "pod/p", "Container started"]
    assert "Container started" in ok("events", "--for=pod/p")


def test_rights_can_be_asked_for(ok):
    assert ok("auth", "can-i", "create", "pods") == "yes\n"
    assert "conformance-admin" in ok("auth", "whoami")


def test_versions_and_resources_are_told(ok):
    assert "Server Version: v1.35." in ok("version")
    assert re.search(r"^pods +po +v1 +true +Pod$", ok("api-resources"), re.MULTILINE)
    assert "batch/v1" in ok("api-versions").splitlines()


def test_fields_are_explained(ok):
    assert "restartPolicy" in ok("explain", "pod.spec")
