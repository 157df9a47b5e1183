"""A plugin may hang, print anything, or leave children: it ends in time, and in no secret shown."""

from __future__ import annotations

import datetime as dt
import json
import os
import select
import shlex
import time
import traceback

import pytest

from multicluster.access.endpoint import Endpoint
from multicluster.errors import CredentialError
from multicluster.kinds.kubeconfig.entry import Entry
from multicluster.kinds.kubeconfig.exec_block import exec_block
from multicluster.kinds.kubeconfig.exec_plugin import ExecPlugin
from multicluster.kinds.kubeconfig.last_words import last_words

V1 = "client.authentication.k8s.io/v1"
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def plugin(tmp_path):
    def make(script=None, ca=None, **block):
        command = {"command": "sh", "args": ["-c", script]} if script is not None else {}
        user = Entry(
            name="u", block={"exec": {"apiVersion": V1, **command, **block}}, folder=tmp_path, where="user 'u'"
        )
        endpoint = Endpoint(server="https://one.example", ca_pem=ca)
        return ExecPlugin(exec_block(user), name="laptop", clock=lambda: NOW, endpoint=endpoint)

    return make


@pytest.fixture
def in_a_second(monkeypatch):
    monkeypatch.setattr("multicluster.kinds.kubeconfig.exec_plugin.TIME_LIMIT_SECONDS", 1)


def answering(**status):
    answer = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status})
    return f"printf %s {shlex.quote(answer)}"


def failure(made) -> str:
    """Run the plugin, which fails; return the error with everything that a log would show of it."""
    with pytest.raises(CredentialError) as caught:
        made.mint()
    return "".join(traceback.format_exception(caught.value)[-1:]) + repr(caught.value.__cause__)


def test_a_plugin_that_hangs_is_killed_with_its_children_and_its_arguments_are_not_shown(plugin, in_a_second, tmp_path):
    text = failure(plugin(f"sleep 60 & echo $! > {tmp_path}/child; wait # s3cr3t"))

    child = int((tmp_path / "child").read_text())
    assert "'sh' of kubeconfig user 'u': it took too long (the limit is 1 s)" in text
    assert "by hand" in text
    assert not [word for word in ("s3cr3t", "sleep", "install") if word in text]
    assert gone(child)


def gone(pid):
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 5)[0])
    finally:
        os.close(handle)


def test_a_child_that_holds_the_output_open_delays_nothing(plugin):
    started = time.monotonic()
    token = plugin("sleep 60 & " + answering(token="t")).mint()

    assert token.value == "t"
    assert time.monotonic() - started < 50


def test_endless_output_is_cut_off(plugin):
    assert "it printed more than" in failure(plugin("exec cat /dev/zero"))


def test_a_failed_plugins_last_words_are_shown_without_secrets(plugin):
    text = failure(
        plugin(
            'echo "s3cr3t-first" >&2; '
            'echo "refused: token=abcd1234 for $PASS eyJhbGciOiJSUzI1NiJ9.eyJz.sig" >&2; exit 3',
            env=[{"name": "PASS", "value": "hunter22"}],
        )
    )

    assert "it ended with 3: refused: token=[...] for [...] [...]; run the user's exec command by hand" in text
    assert not [word for word in ("s3cr3t", "abcd1234", "hunter22", "eyJ") if word in text]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("error: not logged in, run kubelogin login", "error: not logged in, run kubelogin login"),
        ("open /etc/kube/login.yaml: no such file", "open /etc/kube/login.yaml: no such file"),
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer [...]"),
        ("get https://bob:pw@host/x failed", "get https[...]host/x failed"),
        ("GET https://h/cb?code=abc failed", "GET https://h/cb[...] failed"),
        ("ya29.a0AfH6SMBx7 refused", "[...] refused"),
        ('{"access_token": "abcdef"}', '{"access_token": "[...]"}'),
        ("\x1b[1mred\x07", " [1mred"),
        ("the token has expired, log in again", "the token has expired, log in again"),
        ("", ""),
    ],
)
def test_last_words_keep_sense_and_lose_tokens(said, shown):
    assert shown == last_words(said.encode()).rstrip()


def test_a_command_that_is_not_there_is_named_with_the_install_hint(plugin):
    made = plugin(command="/opt/nosuch", args=["s3cr3t"], installHint="get it from the wiki")
    text = failure(made)

    assert "'nosuch' of kubeconfig user 'u': it cannot be started: No such file or directory; get it from" in text
    assert "s3cr3t" not in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"token": 123}, "its token is no text"),
        ({"token": {"a": "s3cr3t"}}, "its token is no text"),
        ({"token": "s3cr3t\nX: y"}, "or holds white space"),
        ({"token": "s3cr3t☃"}, "or holds white space"),
        ({"clientCertificateData": 1, "clientKeyData": 2}, "its clientCertificateData is no text"),
        ({"clientCertificateData": "C", "clientKeyData": 2}, "its clientKeyData is no text"),
        ({"token": "s3cr3t", "clientCertificateData": "C"}, "client certificate with its key"),
        ({"token": "s3cr3t", "expirationTimestamp": 5}, "expirationTimestamp is no RFC 3339 time"),
        ({"token": "s3cr3t", "expirationTimestamp": "2026-11-21T12:00:00"}, "expirationTimestamp is no RFC 3339"),
    ],
)
def test_an_answer_of_another_shape_is_refused_without_quoting_it(plugin, status, words):
    text = failure(plugin(answering(**status)))

    assert words in text
    assert "s3cr3t" not in text


@pytest.mark.parametrize("printed", ["s3cr3t", "[1]", "{}", '{"status": null}', "", "[" * 5000])
def test_what_is_no_exec_credential_is_refused(plugin, printed):
    assert "it printed no ExecCredential" in failure(plugin(f"printf %s {shlex.quote(printed)}"))


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"])
def test_the_ends_of_time_mean_never(plugin, until):
    assert plugin(answering(token="t", expirationTimestamp=until)).mint().expires_at.year == 9999


def test_a_tokens_line_end_is_no_part_of_it(plugin):
    assert plugin(answering(token="t\n")).mint().value == "t"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"args": "-c"}, "exec: args must be a list"),
        ({"args": {"a": "s3cr3t"}}, "exec: args must be a list"),
        ({"args": [1]}, "exec: args must be a list of texts"),
        ({"env": {"A": "s3cr3t"}}, "exec: env must be a list"),
        ({"env": ["A=s3cr3t"]}, "env item 1 must have"),
        ({"env": [{"name": "B", "value": "b"}, {"name": "A"}]}, "env item 2 must have"),
        ({"env": [{"name": "A", "value": 5}]}, "env item 1 must have"),
        ({"env": [{"name": "A=B", "value": "s3cr3t"}]}, "env item 1: name must be"),
        ({"env": [{"name": "", "value": "s3cr3t"}]}, "env item 1: name must be"),
        ({"env": [{"name": "A", "value": "s3cr3t\0"}]}, "env item 1: value holds a NUL"),
        ({"command": ""}, "exec: command is missing"),
        ({"command": 5}, "exec: command is a number"),
        ({"provideClusterInfo": "yes"}, "exec: provideClusterInfo is"),
    ],
)
def test_a_wrong_exec_block_is_refused_by_its_field(plugin, block, words):
    with pytest.raises(CredentialError, match=words) as caught:
        plugin(**{"command": "sh", **block})
    assert "s3cr3t" not in str(caught.value)


def test_the_clusters_ca_is_told_in_base64_as_client_go_does(plugin):
    made = plugin(
        'test "$(echo "$KUBERNETES_EXEC_INFO" | grep -c \'"certificate-authority-data": "/w=="\')" = 1 && '
        + answering(token="t"),
        ca=b"\xff",
        provideClusterInfo=True,
    )

    assert made.mint().value == "t"
