"""What a container finds: environment, files, folders."""

from __future__ import annotations

import json
import os

import pytest


@pytest.fixture
def output(run_pod, new_pod, core):
    """Run a command in a pod and return what it wrote."""

    def run(*command, container=None, **spec):
        run_pod(new_pod("p", *command, container=container or {}, **spec))
        return core.read_namespaced_pod_log("p", "default", _preload_content=False).data.decode()

    return run


@pytest.fixture
def config(cluster):
    cluster.create("configmaps", {"metadata": {"name": "cm"}, "data": {"KEY": "from map", "file.txt": "text"}})
    cluster.create("secrets", {"metadata": {"name": "s"}, "stringData": {"TOKEN": "from secret"}})


SHOW = ("python", "-c", "import os, json; print(json.dumps(dict(os.environ)))")


def test_nothing_of_our_own_environment_is_handed_down(output, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")

    env = json.loads(output(*SHOW))

    assert "canary" not in str(env)
    assert set(env) <= {
        "PATH",
        "HOME",
        "HOSTNAME",
        "LANG",
        "LC_CTYPE",
        "PYTHONUNBUFFERED",
        "MULTICLUSTER_NODE",
        "MULTICLUSTER_MOUNTS",
        "MULTICLUSTER_SIMULATOR",
    }
    assert env["HOME"] != os.environ["HOME"]


def test_variables_may_use_those_before_them(output):
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2 $(C) $$(A)"}]

    assert json.loads(output(*SHOW, container={"env": env}))["B"] == "12 $(C) $(A)"


def test_the_command_may_use_variables(output):
    assert output("echo", "$(A)", container={"env": [{"name": "A", "value": "1"}]}) == "1\n"


def test_a_pod_learns_about_itself(output):
    fields = ("metadata.name", "metadata.namespace", "metadata.labels['a']", "spec.nodeName", "status.podIP")
    env = [{"name": f"F{i}", "valueFrom": {"fieldRef": {"fieldPath": path}}} for i, path in enumerate(fields)]
    env.append({"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}})
    container = {"env": env, "resources": {"limits": {"cpu": "1.5"}}}

    found = json.loads(output(*SHOW, container=container, metadata={"labels": {"a": "b"}}))

    assert [found[f"F{i}"] for i in range(5)] == ["p", "default", "b", "n1", "127.0.0.1"]
    assert found["CPU"] == "1500"


def test_values_come_from_maps_and_secrets(output, config):
    env = [
        {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "KEY"}}},
        {"name": "TWO", "valueFrom": {"secretKeyRef": {"name": "s", "key": "TOKEN"}}},
        {"name": "THREE", "valueFrom": {"secretKeyRef": {"name": "none", "key": "k", "optional": True}}},
    ]
    sources = [{"configMapRef": {"name": "cm"}, "prefix": "P_"}, {"secretRef": {"name": "none", "optional": True}}]

    found = json.loads(output(*SHOW, container={"env": env, "envFrom": sources}))

    assert (found["ONE"], found["TWO"], found["P_KEY"]) == ("from map", "from secret", "from map")
    assert "THREE" not in found


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"configMapKeyRef": {"name": "cm2", "key": "k"}}, 'configmap "cm2" not found'),
        ({"secretKeyRef": {"name": "s2", "key": "k"}}, 'secret "s2" not found'),
        ({"configMapKeyRef": {"name": "cm", "key": "k"}}, "couldn't find key k in ConfigMap default/cm"),
    ],
)
@pytest.mark.usefixtures("config")
def test_a_missing_reference_keeps_the_container_waiting(cluster, new_pod, container_in, env, message):
    cluster.create("pods", new_pod("p", container={"env": [{"name": "A", "valueFrom": env}]}))

    pod = container_in("p", "waiting", "CreateContainerConfigError")

    assert pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"] == message


def test_a_container_starts_once_what_it_refers_to_is_there(cluster, new_pod, container_in):
    reference = {"configMapKeyRef": {"name": "late", "key": "k"}}
    cluster.create("pods", new_pod("p", container={"env": [{"name": "A", "valueFrom": reference}]}))
    container_in("p", "waiting", "CreateContainerConfigError")

    cluster.create("configmaps", {"metadata": {"name": "late"}, "data": {"k": "v"}})

    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")


def test_a_missing_volume_source_is_told_by_an_event(cluster, new_pod):
    volume = {"name": "v", "configMap": {"name": "late"}}
    cluster.create("pods", new_pod("p", volumes=[volume]))

    cluster.wait_until("events", lambda events: any(e["reason"] == "FailedMount" for e in events))


MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/data/in"}]}


@pytest.mark.parametrize(
    ("volume", "path", "expected"),
    [
        ({"configMap": {"name": "cm"}}, "file.txt", "text"),
        ({"configMap": {"name": "cm", "items": [{"key": "KEY", "path": "sub/k"}]}}, "sub/k", "from map"),
        ({"secret": {"secretName": "s"}}, "TOKEN", "from secret"),
        (
            {"projected": {"sources": [{"secret": {"name": "s"}}, {"configMap": {"name": "cm"}}]}},
            "TOKEN",
            "from secret",
        ),
        ({"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}}, "n", "p"),
    ],
)
def test_maps_and_secrets_are_files(output, config, volume, path, expected):
    assert output("cat", f"/data/in/{path}", container=MOUNT, volumes=[{"name": "v", **volume}]) == expected


def test_a_mount_path_is_the_real_one_wherever_it_stands(output):
    script = "echo a > /data/in/x; cat /data/in/x; ls -d '/data/in'; echo /data/input /mnt/data/in; echo $WHERE"
    env = [{"name": "WHERE", "value": "file=/data/in/y"}]
    container = {**MOUNT, "env": env}

    first, folder, others, where = output("sh", "-c", script, container=container, volumes=[{"name": "v"}]).splitlines()

    assert first == "a"
    assert folder.endswith("/volumes/v")
    assert others == "/data/input /mnt/data/in"
    assert where == f"file={folder}/y"


def test_the_mounts_are_told_to_programs_that_build_paths(output):
    script = (
        "import os, json; path = '/data' + '/in'; "
        "print(json.loads(os.environ['MULTICLUSTER_MOUNTS'])[path] == os.environ['MULTICLUSTER_MOUNT_V'])"
    )

    assert output("python", "-c", script, container=MOUNT, volumes=[{"name": "v"}]) == "True\n"


def test_an_empty_folder_is_shared_by_the_containers_of_a_pod(cluster, new_pod, core):
    document = new_pod("p", "sh", "-c", "until test -s /data/in/x; do sleep 0.02; done; cat /data/in/x")
    document["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    writer = {"name": "writer", "image": "busybox", "command": ["sh", "-c", "echo shared > /data/in/x"], **MOUNT}
    document["spec"]["containers"][0] |= MOUNT
    document["spec"]["containers"].append(writer)

    cluster.create("pods", document)
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Succeeded")

    log = core.read_namespaced_pod_log("p", "default", container="base", _preload_content=False)
    assert log.data == b"shared\n"


def test_gpus_are_numbered(cluster, output):
    cluster.set_node("n1", allocatable={"nvidia.com/gpu": "2"})

    env = json.loads(output(*SHOW, container={"resources": {"limits": {"nvidia.com/gpu": 2}}}))

    assert env["NVIDIA_VISIBLE_DEVICES"] == "0,1"
