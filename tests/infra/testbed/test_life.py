"""A testbed that runs: what commands answer, what nodes do, and that nothing is left of it."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .conftest import Launcher
from .residue import below, content, left, name

pytestmark = [pytest.mark.testbed, pytest.mark.slow]

GPU = "nvidia.com/gpu"


@pytest.fixture(scope="module")
def running(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """One testbed without nodes for the tests of this file."""
    one = Launcher(home=tmp_path_factory.mktemp("life") / "home")
    one("up", "--nodes", "0", "--cluster-name", "life")
    yield one
    one("down")


@pytest.fixture
def node(running: Launcher) -> Iterator[Callable[..., str]]:
    """Let nodes join; they are gone after the test."""
    names: list[str] = []

    def add(*words: str) -> str:
        names.append(f"node-{len(names) + 1}")
        running("node", "add", names[-1], *words)
        return names[-1]

    yield add
    for one in names:
        running("node", "remove", one)


def kubectl(testbed: Launcher, *words: str, given: str = "", fails: bool = False) -> str:
    up = testbed("up", "--cluster-name", "life")
    command = [up["kubectl"], "--kubeconfig", up["kubeconfig"], *words]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=180, check=False)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def get(testbed: Launcher, *words: str) -> Any:
    return json.loads(kubectl(testbed, "get", *words, "--output", "json"))


def run_pod(testbed: Launcher, pod: str, script: str, **spec: Any) -> None:
    container = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", script], **spec.pop("container", {})}
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container], **spec},
    }
    kubectl(testbed, "apply", "--filename", "-", given=json.dumps(document))


def until(look: Callable[[], Any], seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"not within {seconds} seconds: {look}"
        threading.Event().wait(0.1)
    return found


def test_up_answers_all_that_a_caller_needs(running):
    answer = running("up", "--cluster-name", "life")

    assert answer["kubernetes"] == "v1.35.4"
    assert answer["clusterName"] == "life"
    assert answer["server"].startswith("https://127.0.0.1:")
    assert Path(answer["kubeconfig"]).stat().st_mode & 0o077 == 0
    assert json.loads(kubectl(running, "version", "--output", "json"))["serverVersion"]["gitVersion"] == "v1.35.4"


def test_up_over_a_running_testbed_refuses_to_make_it_another(running):
    refused = running.run("up", "--cluster-name", "other")

    assert refused.returncode == 1
    assert "end it first" in refused.stderr


def test_a_node_joins_as_its_caller_wants_it(running, node):
    one = node(
        "--gpus", "2", "--capacity", "example.com/nic=3", "--provider-id", "aws:///us-east-1a/i-0abc",
        "--label", "pool=train", "--label", "topology.kubernetes.io/zone=us-east-1a",
        "--label", "k8s.io/cloud-provider-aws=life",
        "--taint", "example.com/startup:NoSchedule", "--taint", f"{GPU}=present:NoExecute",
    )  # fmt: skip

    found = get(running, "node", one)
    allocatable, labels = found["status"]["allocatable"], found["metadata"]["labels"]
    assert (allocatable[GPU], allocatable["example.com/nic"]) == ("2", "3")
    assert labels["pool"] == "train"
    assert labels["topology.kubernetes.io/zone"] == "us-east-1a"
    assert labels["k8s.io/cloud-provider-aws"] == "life"
    assert found["spec"]["providerID"] == "aws:///us-east-1a/i-0abc"
    taints = {(taint["key"], taint.get("value"), taint["effect"]) for taint in found["spec"]["taints"]}
    assert taints == {("example.com/startup", None, "NoSchedule"), (GPU, "present", "NoExecute")}


def test_a_node_keeps_the_gpus_that_were_advertised_later(running, node):
    one = node()

    running("node", "gpus", one, "4")

    assert get(running, "node", one)["status"]["allocatable"][GPU] == "4"
    assert running("status")["nodes"] == [{"name": one, "running": True, "ready": True, "gpus": "4", "taints": []}]


def test_a_pod_runs_with_logs_exec_and_what_a_pod_in_a_cluster_finds(running, node):
    node()
    until(lambda: get(running, "serviceaccounts")["items"])
    run_pod(running, "alive", "echo $KUBERNETES_SERVICE_HOST; ls /run/secrets/kubernetes.io/serviceaccount; sleep 600")
    kubectl(running, "wait", "--for=condition=Ready", "pod/alive", "--timeout=120s")

    until(lambda: {"ca.crt", "namespace", "token"} <= set(kubectl(running, "logs", "alive").split()))
    assert kubectl(running, "exec", "--stdin", "alive", "--", "cat", given="hello") == "hello"
    assert "Connection refused" in kubectl(running, "exec", "alive", "--", "nslookup", "example.com", fails=True)
    kubectl(running, "exec", "alive", "--", "sh", "-c", "nc -w 3 $KUBERNETES_SERVICE_HOST 443 </dev/null")
    kubectl(running, "delete", "pod", "alive", "--now")


def test_the_api_server_answers_under_the_name_that_pods_use(running):
    pki = running.home / "pki"
    trust = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    address = get(running, "service", "kubernetes")["spec"]["clusterIP"]

    plain = socket.create_connection((address, 443), timeout=10)
    with trust.wrap_socket(plain, server_hostname="kubernetes.default.svc") as secure:
        assert secure.version() == "TLSv1.3"


def test_images_are_pulled_and_unknown_ones_refused(running, node):
    node()
    run_pod(running, "pulled", "true", container={"image": "busybox", "imagePullPolicy": "Always"})
    run_pod(running, "unknown", "true", container={"image": "nobody/has:this"})

    until(lambda: get(running, "pod", "pulled")["status"]["phase"] == "Succeeded")
    waiting = until(lambda: get(running, "pod", "unknown")["status"].get("containerStatuses", [{}])[0].get("state"))
    assert waiting["waiting"]["reason"] in {"ErrImagePull", "ImagePullBackOff"}
    assert "nobody/has:this: not found" in waiting["waiting"]["message"]
    kubectl(running, "delete", "pod", "pulled", "unknown", "--now")


def test_a_pod_that_takes_too_much_memory_is_killed_for_it(running, node):
    node()
    limits = {"resources": {"limits": {"memory": "32Mi"}}}
    run_pod(running, "hungry", "x=a; while true; do x=$x$x; done", container=limits)

    state = until(
        lambda: (
            get(running, "pod", "hungry")["status"].get("containerStatuses", [{}])[0].get("state", {}).get("terminated")
        )
    )
    assert (state["reason"], state["exitCode"]) == ("OOMKilled", 137)
    kubectl(running, "delete", "pod", "hungry", "--now")


def test_a_removed_node_is_gone_with_all_that_ran_on_it(running):
    running("node", "add", "doomed")
    run_pod(running, "on-doomed", "sleep 600", nodeSelector={"kubernetes.io/hostname": "doomed"})
    kubectl(running, "wait", "--for=condition=Ready", "pod/on-doomed", "--timeout=120s")
    pids = {int(pid) for path in groups(running, "doomed") for pid in path.read_text().split()}
    assert pids
    assert len(parts(running, "doomed")) >= 4  # machine, containerd, kubelet, shim

    running("node", "remove", "doomed")

    assert [item["metadata"]["name"] for item in get(running, "nodes")["items"]] == []
    assert groups(running, "doomed") == []
    assert parts(running, "doomed") == []
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert not (running.home / "nodes" / "doomed").exists()
    assert running("node", "remove", "doomed") == {"name": "doomed"}
    kubectl(running, "delete", "pod", "on-doomed", "--force", "--grace-period=0")


def parts(testbed: Launcher, one: str) -> list[Path]:
    marks = [f"MULTICLUSTER_TESTBED_MARK={testbed.home}".encode(), f"MULTICLUSTER_TESTBED_PART=node/{one}".encode()]
    found = Path("/proc").glob("[0-9]*/environ")
    return [path.parent for path in found if set(marks) <= set(content(path).split(b"\0"))]


def groups(testbed: Launcher, one: str) -> list[Path]:
    found = (Path(path) for path, _, _ in below("/sys/fs/cgroup"))
    return [path / "cgroup.procs" for path in found if f"/{name(testbed.home)}/{one}/" in f"{path}/"]


def test_a_certificate_is_a_user_in_groups(running):
    path = running("kubeconfig", "--user", "ann", "--group", "dev", "--group", "ops")["kubeconfig"]

    who = json.loads(kubectl(running, "--kubeconfig", path, "auth", "whoami", "--output", "json"))["status"]["userInfo"]
    assert (who["username"], who["groups"]) == ("ann", ["dev", "ops", "system:authenticated"])
    assert "forbidden" in kubectl(running, "--kubeconfig", path, "get", "pods", fails=True).lower()


def test_logs_are_found_by_the_name_of_their_component(running, node):
    one = node()

    assert {"etcd", "kube-apiserver", f"{one}/kubelet", f"{one}/containerd"} <= set(running("logs")["components"])
    assert running("logs", f"{one}/kubelet", "--lines", "2")["lines"][1:]
    assert "there are: etcd" not in running.run("logs", "nothing").stdout
    assert f"{one}/kubelet" in running.run("logs", "nothing").stderr


def test_two_testbeds_share_no_port_no_network_and_no_node(running, launcher):
    launcher("up", "--nodes", "1", "--cluster-name", "life")

    mine, theirs = (json.loads((one.home / "state.json").read_text())["claim"] for one in (launcher, running))
    assert set(mine.values()) & set(theirs.values()) == set()
    assert [item["metadata"]["name"] for item in get(launcher, "nodes")["items"]] == ["cpu-1"]
    launcher("down")
    assert left(launcher.home) == []
    assert running("status")["good"]


def test_a_webhook_says_who_a_token_is(launcher, tmp_path):
    webhook = ThreadingHTTPServer(("127.0.0.1", 0), Reviewer)
    threading.Thread(target=webhook.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{webhook.server_port}/"
    file = tmp_path / "webhook.yaml"
    file.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "w",
        "clusters": [{"name": "w", "cluster": {"server": url}}], "users": [{"name": "w", "user": {}}],
        "contexts": [{"name": "w", "context": {"cluster": "w", "user": "w"}}],
    }))  # fmt: skip
    up = launcher(
        "up", "--nodes", "0", "--authentication-webhook", str(file), "--authentication-webhook-cache-ttl", "0s"
    )

    document = json.loads(Path(up["kubeconfig"]).read_text())
    document["users"][0]["user"] = {"token": "of-eve"}
    (tmp_path / "eve.yaml").write_text(json.dumps(document))
    command = [up["kubectl"], "--kubeconfig", str(tmp_path / "eve.yaml"), "auth", "whoami", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    webhook.shutdown()
    webhook.server_close()
    assert json.loads(done.stdout)["status"]["userInfo"]["username"] == "eve"


class Reviewer(BaseHTTPRequestHandler):
    """Says of the token ``of-NAME`` that it is NAME's."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        user = {"username": review["spec"]["token"].removeprefix("of-")}
        body = json.dumps({**review, "status": {"authenticated": True, "user": user}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
