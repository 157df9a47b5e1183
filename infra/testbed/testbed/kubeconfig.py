"""Kubeconfig files: who one is, and where the API server is."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from testbed.certificates import Authority, write_key
from testbed.home import Home
from testbed.state import State


def write(home: Home, state: State, *, user: str, groups: Sequence[str] = (), to: Path | None = None) -> Path:
    """Issue a client certificate for *user* in *groups* and write a kubeconfig that holds it; give its path.

    Asked twice for a user, the second replaces the first; *to* keeps one apart from those that people ask for.
    """
    pair = Authority.load(home.pki, "ca").issue(user, groups=groups)
    authority = (home.pki / "ca.crt").read_bytes()
    path = to or home.kubeconfig(user)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    write_key(path, json.dumps(document(state, user, authority, pair.certificate, pair.key), indent=1).encode())
    return path


def document(state: State, user: str, authority: bytes, certificate: bytes, key: bytes) -> dict[str, Any]:
    """Give a kubeconfig with one context, named after the cluster; JSON is YAML too."""
    name = state.cluster_name
    cluster = {"server": state.server, "certificate-authority-data": encoded(authority)}
    credential = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": credential}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }


def encoded(data: bytes) -> str:
    """Write bytes as kubeconfigs hold them."""
    return base64.b64encode(data).decode()
