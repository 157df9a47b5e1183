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


MOUNT = {"volumeMounts": [{"name": "v", "mountPath": "/data/in"}]}


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


def test_gpus_are_numbered(cluster, output):
    cluster.set_node("n1", allocatable={"nvidia.com/gpu": "2"})

    env = json.loads(output(*SHOW, container={"resources": {"limits": {"nvidia.com/gpu": 2}}}))

    assert env["NVIDIA_VISIBLE_DEVICES"] == "0,1"
