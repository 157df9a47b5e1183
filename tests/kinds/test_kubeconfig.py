from __future__ import annotations

import base64
import datetime as dt
import json
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from multicluster.access.kind import ClusterContext, Network
from multicluster.errors import AccessError, CredentialError, NodePoolsUnsupportedError
from multicluster.kinds.kubeconfig.access import KubeconfigAccess
from multicluster.kinds.kubeconfig.options import KubeconfigOptions

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
EKS_SERVER = "https://ABC.gr7.eu-west-1.eks.amazonaws.com"


class Kubeconfigs:
    """Writes kubeconfigs and opens contexts of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW

    def write(self, *, name="config", user=None, current=None, **cluster):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": "https://one.example", **cluster}}],
            "users": [{"name": "u", "user": user or {"token": "canary"}}],
            "contexts": [{"name": "kind-one", "context": {"cluster": "c", "user": "u"}}],
        }
        if current:
            document["current-context"] = current
        path.write_text(yaml.safe_dump(document))
        return path

    def open(self, path, context="kind-one", network=None, **options):
        options = KubeconfigOptions(path=str(path) if path else None, context=context, **options)
        return KubeconfigAccess(
            options, ClusterContext(name="laptop", clock=lambda: self.now, network=network or Network())
        )


@pytest.fixture
def kubeconfigs(tmp_path):
    return Kubeconfigs(tmp_path)


@pytest.fixture(autouse=True)
def _no_machine(monkeypatch, tmp_path):
    for name in ("KUBECONFIG", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def no_subprocess(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a subprocess was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr("os.system", refuse)
    monkeypatch.setenv("PATH", "")


def test_server_ca_and_token_come_from_the_context(kubeconfigs):
    access = kubeconfigs.open(kubeconfigs.write(**{"certificate-authority-data": base64.b64encode(b"CA").decode()}))

    assert (access.endpoint().server, access.endpoint().ca_pem) == ("https://one.example", b"CA")
    assert access.tokens.token().value == "canary"


def test_relative_paths_start_at_the_kubeconfigs_folder(kubeconfigs):
    path = kubeconfigs.write(
        name="sub/config",
        user={"tokenFile": "token", "client-certificate": "../cert.pem", "client-key": "../key.pem"},
        **{"certificate-authority": "ca.pem"},
    )
    (path.parent / "ca.pem").write_bytes(b"CA")
    (path.parent / "token").write_text("from-file")
    (path.parent.parent / "cert.pem").write_bytes(b"CERT")
    (path.parent.parent / "key.pem").write_bytes(b"KEY")
    access = kubeconfigs.open(path)
    endpoint = access.endpoint()

    assert (endpoint.ca_pem, endpoint.client_certificate_pem, endpoint.client_key_pem) == (b"CA", b"CERT", b"KEY")
    assert access.tokens.token().value == "from-file"


def test_data_wins_over_files_as_in_kubectl(kubeconfigs):
    data = base64.b64encode(b"DATA").decode()
    path = kubeconfigs.write(**{"certificate-authority": "missing.pem", "certificate-authority-data": data})

    assert kubeconfigs.open(path).endpoint().ca_pem == b"DATA"


def test_a_home_folder_is_expanded(kubeconfigs, tmp_path):
    kubeconfigs.write(name="home/.kube/config")

    assert kubeconfigs.open("~/.kube/config").endpoint().server == "https://one.example"


def test_without_a_path_kubectls_files_are_read_and_the_first_wins(kubeconfigs, monkeypatch, tmp_path):
    first, second = kubeconfigs.write(name="first"), kubeconfigs.write(name="second", server="https://two.example")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{first}:{second}")

    assert kubeconfigs.open(None).endpoint().server == "https://one.example"


def test_an_unknown_context_is_answered_with_the_nearest(kubeconfigs):
    path = kubeconfigs.write()

    with pytest.raises(AccessError, match=r"cluster 'laptop': .*no context named 'kind-on'; did you mean 'kind-one'\?"):
        kubeconfigs.open(path, context="kind-on").endpoint()


def test_a_missing_file_is_named(kubeconfigs):
    with pytest.raises(AccessError, match="missing"):
        kubeconfigs.open(kubeconfigs.folder / "missing").endpoint()


def test_broken_yaml_is_named_by_line_and_not_quoted(kubeconfigs):
    path = kubeconfigs.folder / "broken"
    path.write_text("users:\n- token: canary: x\n")

    with pytest.raises(AccessError, match="line 2") as caught:
        kubeconfigs.open(path).endpoint()
    assert "canary" not in str(caught.value)


def test_the_current_context_counts_only_when_asked_for(kubeconfigs):
    path = kubeconfigs.write(current="kind-one")

    assert kubeconfigs.open(path, context=None, use_current_context=True).endpoint().server == "https://one.example"
    with pytest.raises(ValidationError, match="useCurrentContext"):
        KubeconfigOptions(path=str(path))
    with pytest.raises(ValidationError, match="not both"):
        KubeconfigOptions(path=str(path), context="kind-one", use_current_context=True)


def test_proxy_server_name_and_skipped_verification_are_honoured(kubeconfigs):
    path = kubeconfigs.write(
        **{"proxy-url": "http://p:1", "tls-server-name": "inner", "insecure-skip-tls-verify": True}
    )
    endpoint = kubeconfigs.open(path).endpoint()
    through = kubeconfigs.open(path, network=Network(proxy_url="http://q:2")).endpoint()

    assert (endpoint.proxy_url, endpoint.tls_server_name, endpoint.verify_tls) == ("http://p:1", "inner", False)
    assert through.proxy_url == "http://q:2"


def test_a_password_becomes_a_header_that_no_repr_shows(kubeconfigs):
    access = kubeconfigs.open(kubeconfigs.write(user={"username": "jane", "password": "canary"}))
    header = access.endpoint().authorization

    assert header == "Basic " + base64.b64encode(b"jane:canary").decode()
    assert access.tokens is None
    assert header not in repr(access.endpoint())


def test_a_refused_static_token_is_read_again(kubeconfigs):
    path = kubeconfigs.write()
    access = kubeconfigs.open(path)
    old = access.tokens.token()
    path.write_text(path.read_text().replace("canary", "rotated"))
    access.tokens.drop(old)

    assert access.tokens.token().value == "rotated"


def test_an_auth_provider_is_refused_with_a_way_out(kubeconfigs):
    access = kubeconfigs.open(kubeconfigs.write(user={"auth-provider": {"name": "gcp"}}))

    with pytest.raises(CredentialError, match=r"auth-provider 'gcp'.*kind eks or gke"):
        access.endpoint()


def test_there_are_no_node_pools(kubeconfigs):
    with pytest.raises(NodePoolsUnsupportedError, match="kubeconfig"):
        kubeconfigs.open(kubeconfigs.write()).node_pools()


def signed(token: str) -> str:
    encoded = token.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


AWS = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws"}


@pytest.mark.parametrize(
    ("exec_block", "host"),
    [
        ({**AWS, "args": ["--region", "us-west-2", "eks", "get-token", "--cluster-name", "gpu", "--output", "json"]},
         "sts.us-west-2.amazonaws.com"),
        ({**AWS, "args": ["eks", "get-token", "--cluster-id=gpu"]}, "sts.eu-west-1.amazonaws.com"),
        ({**AWS, "command": "/opt/aws", "args": ["eks", "get-token", "--cluster-name", "gpu"],
          "env": [{"name": "AWS_REGION", "value": "eu-north-1"}]}, "sts.eu-north-1.amazonaws.com"),
        ({**AWS, "command": "aws-iam-authenticator", "args": ["token", "-i", "gpu"]}, "sts.eu-west-1.amazonaws.com"),
    ],
)  # fmt: skip
def test_pain_20_plugins_of_aws_are_replaced_in_process(kubeconfigs, monkeypatch, no_subprocess, exec_block, host):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    access = kubeconfigs.open(kubeconfigs.write(user={"exec": exec_block}, server=EKS_SERVER))

    url = signed(access.tokens.token().value)

    assert url.startswith(f"https://{host}/?")
    assert access.endpoint().server == EKS_SERVER


@pytest.mark.parametrize(
    "exec_block",
    [
        {**AWS, "args": ["eks", "get-token", "--cluster-name", "gpu", "--profile", "train"]},
        {**AWS, "args": ["eks", "get-token", "--cluster-name", "gpu"],
         "env": [{"name": "AWS_PROFILE", "value": "train"}]},
        {**AWS, "command": "aws-iam-authenticator", "args": ["token", "-i", "gpu"],
         "env": [{"name": "AWS_PROFILE", "value": "train"}]},
    ],
)  # fmt: skip
def test_pain_20_a_plugins_profile_is_used(kubeconfigs, monkeypatch, tmp_path, no_subprocess, exec_block):
    file = tmp_path / "credentials"
    file.write_text("[train]\naws_access_key_id = AKIATRAIN\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    access = kubeconfigs.open(kubeconfigs.write(user={"exec": exec_block}, server=EKS_SERVER))

    assert "AKIATRAIN" in signed(access.tokens.token().value)


@pytest.mark.parametrize(
    "exec_block",
    [
        {**AWS, "command": "kubelogin", "args": ["get-token"]},
        {**AWS, "args": ["eks", "get-token", "--cluster-name", "gpu", "--endpoint-url", "https://evil.example"]},
        {**AWS, "args": ["eks", "get-token"]},
        {**AWS, "args": ["sts", "get-token", "--cluster-name", "gpu"]},
        {**AWS, "args": ["eks", "get-token", "--cluster-name", "gpu"], "env": [{"name": "AWS_SECRET", "value": "x"}]},
        {**AWS, "command": "gke-gcloud-auth-plugin", "args": ["--surprise"]},
    ],
)
def test_pain_20_other_plugins_are_not_run_unless_allowed(kubeconfigs, no_subprocess, exec_block):
    access = kubeconfigs.open(kubeconfigs.write(user={"exec": exec_block}))

    with pytest.raises(CredentialError, match="allowExec: true"):
        access.endpoint()


@pytest.mark.parametrize("weak", [{"insecure-skip-tls-verify": True}, {"server": "http://one.example"}])
def test_a_google_token_is_never_sent_where_tls_is_not_verified(kubeconfigs, no_subprocess, weak):
    plugin = {"apiVersion": AWS["apiVersion"], "command": "gke-gcloud-auth-plugin"}
    access = kubeconfigs.open(kubeconfigs.write(user={"exec": plugin}, **weak))

    with pytest.raises(CredentialError, match="not sent where TLS is not verified"):
        access.endpoint()


@pytest.fixture
def plugin(kubeconfigs):
    """Write a plugin that counts its runs, keeps what it was told, and prints *status*."""

    def write(status, code=0, version="client.authentication.k8s.io/v1", **block):
        answer = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
        script = kubeconfigs.folder / "plugin.sh"
        script.write_text(
            f'#!/bin/sh\necho x >> "$RUNS"\necho "$KUBERNETES_EXEC_INFO" > "$RUNS.info"\n'
            f"echo trouble >&2\nprintf '%s' '{answer}'\nexit {code}\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        environment = [{"name": "RUNS", "value": str(kubeconfigs.folder / "runs")}]
        exec_block = {"apiVersion": version, "command": "./plugin.sh", "env": environment, **block}
        return kubeconfigs.open(kubeconfigs.write(user={"exec": exec_block}), allow_exec=True)

    return write


def runs(kubeconfigs):
    return len((kubeconfigs.folder / "runs").read_text().split())


@pytest.mark.parametrize("version", ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"])
def test_an_allowed_plugin_is_run_once_and_again_when_its_token_expires(kubeconfigs, plugin, version):
    until = (NOW + dt.timedelta(minutes=10)).isoformat()
    access = plugin({"token": "from-plugin", "expirationTimestamp": until}, version=version)
    access.endpoint()
    values = [access.tokens.token().value for _ in range(3)]
    once = runs(kubeconfigs)
    kubeconfigs.now += dt.timedelta(minutes=10)
    access.tokens.token()

    assert (values, once, runs(kubeconfigs)) == (["from-plugin"] * 3, 1, 2)


def test_a_plugin_is_run_again_after_a_refusal(kubeconfigs, plugin):
    access = plugin({"token": "from-plugin"})
    access.tokens.drop(access.tokens.token())
    access.tokens.token()

    assert runs(kubeconfigs) == 2


def test_a_plugin_is_told_about_the_cluster_when_it_asks(kubeconfigs, plugin):
    plugin({"token": "t"}, provideClusterInfo=True).tokens.token()
    told = json.loads((kubeconfigs.folder / "runs.info").read_text())

    assert told["spec"]["cluster"]["server"] == "https://one.example"
    assert told["spec"]["interactive"] is False


def test_a_plugins_client_certificate_is_used(plugin):
    access = plugin({"clientCertificateData": "CERT", "clientKeyData": "KEY"})

    assert (access.endpoint().client_certificate_pem, access.endpoint().client_key_pem) == (b"CERT", b"KEY")
    assert access.tokens is None


@pytest.mark.parametrize(
    ("status", "more", "words"),
    [
        ({"token": "canary"}, {"code": 3}, "ended with 3: trouble"),
        ({}, {}, "neither token nor client certificate"),
        (["canary"], {}, "printed no ExecCredential"),
        ({"token": "canary", "expirationTimestamp": "soon"}, {}, "printed no ExecCredential"),
        ({"token": "canary"}, {"interactiveMode": "Always"}, "talk to a person"),
        ({"token": "canary"}, {"version": "client.authentication.k8s.io/v1alpha1"}, "its apiVersion"),
        ({"token": "canary"}, {"command": "./nowhere"}, "nowhere"),
    ],
)
def test_a_plugin_that_fails_is_named_with_its_words_and_without_its_token(plugin, status, more, words):
    with pytest.raises(CredentialError, match=words) as caught:
        plugin(status, **more).endpoint()
    assert "canary" not in str(caught.value)


def test_contexts_of_one_process_are_isolated(kubeconfigs):
    one = kubeconfigs.open(kubeconfigs.write(name="one", user={"token": "a"}))
    two = kubeconfigs.open(kubeconfigs.write(name="two", user={"token": "b"}, server="https://two.example"))

    assert [(a.endpoint().server, a.tokens.token().value) for a in (one, two, one)] == [
        ("https://one.example", "a"),
        ("https://two.example", "b"),
        ("https://one.example", "a"),
    ]
