"""The header on the wire, with the oldest and the newest Kubernetes clients; kubernetes 36 renamed the token's slot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OLDEST = ("kubernetes==31.0.0", "kubernetes-asyncio==31.1.0")
NEWEST = ("kubernetes<37", "kubernetes-asyncio<37")
ROOT = Path(__file__).parents[2]

EXPECTED = {
    "list": "ok",
    "create": "ok",
    "watch": "ok",
    "log": "ok",
    "exec": "ApiException 200",  # the recording server speaks no websocket
    "refused once": "ok",
    "refused": "CredentialError",
    "silent": "ClusterUnreachableError",
    "silent exec": "ClusterUnreachableError",
    "async list": "ok",
    "async watch": "ok",
    "async log": "ok",
    "async refused once": "ok",
    "async refused": "CredentialError",
    "async silent": "ClusterUnreachableError",
}
SYNC = [
    ("GET", "ml/pods", "sync-1"),
    ("POST", "ml/pods", "sync-1"),
    ("GET", "ml/pods", "sync-1"),
    ("GET", "ml/pods/p/log", "sync-1"),
    ("GET", "ml/pods/p/exec", "sync-1"),
    ("GET", "refuse-sync-1/pods", "sync-1"),
    ("GET", "refuse-sync-1/pods", "sync-2"),
    ("GET", "refuse/pods", "sync-2"),
    ("GET", "refuse/pods", "sync-3"),
    ("GET", "silent/pods", "quiet-1"),
    ("GET", "silent/pods/p/exec", "quiet-1"),
]
ASYNC = [
    ("GET", "ml/pods", "async-1"),
    ("GET", "ml/pods", "async-1"),
    ("GET", "ml/pods/p/log", "async-1"),
    ("GET", "refuse-async-1/pods", "async-1"),
    ("GET", "refuse-async-1/pods", "async-2"),
    ("GET", "refuse/pods", "async-2"),
    ("GET", "refuse/pods", "async-3"),
    ("GET", "silent/pods", "quiet-1"),
]


@pytest.fixture
def check(server, ca, answer, silence, tmp_path):
    """Run the check with an interpreter; return what it printed and what the server recorded."""
    (tmp_path / "ca.pem").write_bytes(ca.pem)

    def reply(request):
        namespace = _parts(request.path)[0]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if namespace == "silent":
            return silence
        if namespace in {"refuse", f"refuse-{token}"}:
            return answer(status=401)
        return answer(body=b"") if "watch=True" in request.path else answer()

    def run(python):
        server.answer = reply
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        script = ROOT / "tests/access/wire_check.py"
        done = subprocess.run(
            [python, script, server.url, tmp_path / "ca.pem"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        wire = [
            (
                recorded.method,
                "/".join(_parts(recorded.path)),
                recorded.headers.get("authorization", "").removeprefix("Bearer "),
            )
            for recorded in server.recorded
        ]
        return json.loads(done.stdout), wire

    return run


def _parts(path):
    return path.partition("?")[0].partition("/namespaces/")[2].split("/")


@pytest.fixture
def environment(tmp_path):
    """Make an environment with the given requirements, or skip with the reason."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("uv is not installed, so no environment with other clients can be made")

    def make(requirements):
        venv = tmp_path / "venv"
        commands = (
            [uv, "venv", "-q", "--python", sys.executable, venv],
            [uv, "pip", "install", "-q", "--python", venv / "bin/python", *requirements],
        )
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
            if done.returncode:
                pytest.skip(f"no environment with {', '.join(requirements)}: {done.stderr[-300:]}")
        return venv / "bin/python"

    return make


def test_pain_11_the_installed_clients_send_the_token_with_every_request(check):
    seen, wire = check(sys.executable)

    assert {key: seen[key] for key in EXPECTED} == EXPECTED
    assert wire == SYNC + ASYNC


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("requirements", [OLDEST, NEWEST], ids=["oldest", "newest"])
def test_pain_11_the_oldest_and_newest_clients_send_the_token_with_every_request(check, environment, requirements):
    seen, wire = check(environment(requirements))

    assert {key: seen[key] for key in EXPECTED} == EXPECTED
    assert wire == SYNC + ASYNC
