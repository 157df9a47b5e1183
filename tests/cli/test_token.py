"""``multicluster token`` prints what kubectl asks for, and a token that the cluster takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import kubernetes.client
import pytest

from multicluster.cli import main
from multicluster.cli.token import timestamp, wanted_version

V1BETA1, V1 = "client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1"


@pytest.mark.parametrize(
    ("exec_info", "version"),
    [
        (None, V1BETA1),
        ("", V1BETA1),
        ("no json", V1BETA1),
        ("[]", V1BETA1),
        (json.dumps({"apiVersion": V1, "kind": "ExecCredential", "spec": {}}), V1),
        (json.dumps({"apiVersion": V1BETA1}), V1BETA1),
        (json.dumps({"apiVersion": "client.authentication.k8s.io/v9"}), V1BETA1),
    ],
)
def test_the_version_is_the_one_that_kubectl_asks_for(exec_info, version):
    assert wanted_version(exec_info) == version


def test_the_expiry_is_written_in_utc_and_whole_seconds():
    moment = datetime(2026, 11, 21, 7, 8, 9, 999999, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(moment) == "2026-11-21T05:08:09Z"


@pytest.mark.parametrize("name", ["gpu-use1", "gpu-euw4"])
def test_the_cluster_takes_the_token(multicluster_world, multicluster_registry, capsys, tmp_path, name):
    code = main(["token", name])
    printed = json.loads(capsys.readouterr().out)
    status = printed["status"]
    configuration = kubernetes.client.Configuration()
    configuration.host = multicluster_world.entrances[name].kubernetes.url
    configuration.ssl_ca_cert = str(tmp_path / "ca.pem")
    (tmp_path / "ca.pem").write_bytes(multicluster_world.entrances[name].kubernetes.ca_pem)
    headers = {"authorization": f"Bearer {status['token']}"}
    with kubernetes.client.ApiClient(configuration) as client:
        answer = client.rest_client.GET(f"{configuration.host}/api/v1/nodes", headers=headers)

    assert code == 0
    assert printed["kind"] == "ExecCredential"
    assert answer.status == 200
    assert datetime.fromisoformat(status["expirationTimestamp"]) > datetime.now(UTC) + timedelta(minutes=5)


def test_an_unknown_cluster_is_misuse_and_prints_nothing(multicluster_registry, capsys):
    code = main(["token", "gpu-use2"])
    printed = capsys.readouterr()

    assert code == 2
    assert printed.out == ""
    assert "gpu-use1" in printed.err


def test_json_is_printed_whether_it_is_asked_for_or_not(multicluster_registry, capsys):
    code = main(["token", "gpu-use1", "--output", "json"])

    assert (code, json.loads(capsys.readouterr().out)["kind"]) == (0, "ExecCredential")
