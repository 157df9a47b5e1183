"""``multicluster kubeconfig`` lets kubectl in everywhere, and holds no secret."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from multicluster.access.endpoint import Endpoint
from multicluster.cli import main
from multicluster.cli.kubeconfig import kubeconfig


@pytest.fixture
def multicluster_clusters():
    return {"eks": ("gpu-use1",), "gke": ("gpu-euw4",), "plain": ("laptop",)}


def printed(capsys) -> dict:
    return yaml.safe_load(capsys.readouterr().out)


def test_every_cluster_has_a_context_and_the_first_is_current(multicluster_registry, capsys):
    code = main(["kubeconfig"])
    document = printed(capsys)

    assert code == 0
    assert [one["name"] for one in document["contexts"]] == ["gpu-use1", "gpu-euw4", "laptop"]
    assert document["current-context"] == "gpu-use1"


def test_names_choose_clusters_and_the_current_one(multicluster_registry, capsys):
    main(["kubeconfig", "laptop", "gpu-euw4"])
    document = printed(capsys)

    assert [one["name"] for one in document["clusters"]] == ["laptop", "gpu-euw4"]
    assert document["current-context"] == "laptop"


def test_users_ask_this_command_and_hold_no_secret(multicluster_world, multicluster_registry, capsys):
    main(["kubeconfig"])
    text = capsys.readouterr().out
    plugin = yaml.safe_load(text)["users"][0]["user"]["exec"]

    assert Path(plugin["command"]).is_absolute()
    assert plugin["args"][-2:] == ["token", "gpu-use1"]
    assert plugin["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert plugin["interactiveMode"] == "Never"
    assert plugin["env"] == [{"name": "MULTICLUSTER_REGISTRY", "value": os.environ["MULTICLUSTER_REGISTRY"]}]
    for entrance in multicluster_world.entrances.values():
        assert entrance.admin_token not in text


def test_relative_sources_are_made_absolute(multicluster_registry, capsys, monkeypatch):
    source = Path(os.environ["MULTICLUSTER_REGISTRY"])
    monkeypatch.chdir(source.parent)
    main(["kubeconfig", "--registry", source.name])

    assert printed(capsys)["users"][0]["user"]["exec"]["env"][0]["value"] == str(source)


def test_an_endpoint_is_written_as_kubectl_reads_it(multicluster_registry):
    endpoint = Endpoint(server="https://a", tls_server_name="b", verify_tls=False, proxy_url="http://c", ca_pem=b"pem")
    clusters = {"laptop": (multicluster_registry["laptop"], endpoint)}

    assert kubeconfig(clusters, current="laptop", sources="")["clusters"] == [
        {
            "name": "laptop",
            "cluster": {
                "server": "https://a",
                "certificate-authority-data": "cGVt",
                "insecure-skip-tls-verify": True,
                "tls-server-name": "b",
                "proxy-url": "http://c",
            },
        }
    ]


def test_a_cluster_that_cannot_be_found_is_left_out_and_said(multicluster_world, multicluster_registry, capsys):
    multicluster_world.inject("server-error", operation="clusters.get|get_cluster|GetCluster", service="container")
    code = main(["kubeconfig"])
    streams = capsys.readouterr()

    assert code == 1
    assert [one["name"] for one in yaml.safe_load(streams.out)["clusters"]] == ["gpu-use1", "laptop"]
    assert "gpu-euw4" in streams.err


def test_a_current_cluster_that_is_not_written_is_misuse(multicluster_registry, capsys):
    code = main(["kubeconfig", "laptop", "--current", "gpu-use1"])
    streams = capsys.readouterr()

    assert (code, streams.out) == (2, "")
    assert "--current gpu-use1: is not among the clusters that are written" in streams.err


def test_no_other_cluster_is_current_than_the_one_that_was_asked_for(multicluster_world, multicluster_registry, capsys):
    multicluster_world.inject("server-error", operation="clusters.get|get_cluster|GetCluster", service="container")
    code = main(["kubeconfig", "--current", "gpu-euw4"])

    assert (code, printed(capsys)["current-context"]) == (1, "")


def test_a_cluster_that_is_named_twice_is_written_once(multicluster_registry, capsys):
    code = main(["kubeconfig", "laptop", "laptop"])

    assert (code, [one["name"] for one in printed(capsys)["clusters"]]) == (0, ["laptop"])


def test_a_path_that_the_environment_cannot_hold_is_misuse(multicluster_registry, capsys, tmp_path):
    path = tmp_path / "a:b.yaml"
    path.write_bytes(Path(os.environ["MULTICLUSTER_REGISTRY"]).read_bytes())
    code = main(["kubeconfig", "laptop", "--registry", str(path)])
    streams = capsys.readouterr()

    assert (code, streams.out) == (2, "")
    assert "rename it" in streams.err


def test_a_proxys_password_is_not_written(multicluster_registry):
    endpoint = Endpoint(server="https://a", proxy_url="http://user:hunter2@c")
    document = kubeconfig({"laptop": (multicluster_registry["laptop"], endpoint)}, current="laptop", sources="")

    assert "hunter2" not in yaml.safe_dump(document)


def real_kubectl() -> str | None:
    """Find a kubectl that reads its kubeconfig once: Google's dispatcher reads it twice, which empties a pipe."""
    found = shutil.which("kubectl")
    if found is None:
        return None
    beside = sorted(Path(found).resolve().parent.glob("kubectl.1.*"))
    return str(beside[0]) if beside else found


@pytest.mark.skipif(real_kubectl() is None, reason="kubectl is not installed")
@pytest.mark.parametrize("name", ["gpu-use1", "gpu-euw4", "laptop"])
def test_kubectl_gets_the_nodes_of_every_cluster_from_a_pipe(multicluster_registry, name, tmp_path):
    command = Path(sys.executable).parent / "multicluster"
    line = f"'{real_kubectl()}' --kubeconfig <('{command}' kubeconfig '{name}') get nodes -o name"
    result = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.stdout.split() == [f"node/{name}-system-0"], result.stderr
