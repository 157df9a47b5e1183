"""Service accounts in pods: the volume that carries one, and the token in it."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable

from multicluster.simulator.kubernetes.documents import Document, name_of, namespace_of, uid_of
from multicluster.simulator.kubernetes.names import generated
from multicluster.simulator.kubernetes.users import User

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
ISSUER = "https://kubernetes.default.svc"
_SECONDS = 3607


class ServiceAccountTokens:
    """Issues the tokens of one cluster and knows them again. Their shape is a real server's."""

    def __init__(self, now: Callable[[], dt.datetime]) -> None:
        self._now = now
        self._key = secrets.token_bytes(32)

    def issue(self, pod: Document, *, audience: str = "", seconds: int = _SECONDS) -> str:
        """Return a token of a pod's service account."""
        issued = int(self._now().timestamp())
        account = str(pod["spec"]["serviceAccountName"])
        bound = {"namespace": namespace_of(pod), "pod": {"name": name_of(pod), "uid": uid_of(pod)}}
        claims = {
            "aud": [audience or ISSUER],
            "exp": issued + seconds,
            "iat": issued,
            "iss": ISSUER,
            "kubernetes.io": {**bound, "serviceaccount": {"name": account}},
            "sub": f"system:serviceaccount:{namespace_of(pod)}:{account}",
        }
        signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def user(self, token: str) -> User | None:
        """Return whose token it is; None for one that is not ours, has expired or is for somebody else."""
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
        if claims["exp"] < self._now().timestamp() or ISSUER not in claims["aud"]:
            return None
        namespace = claims["kubernetes.io"]["namespace"]
        return User(name=claims["sub"], groups=("system:serviceaccounts", f"system:serviceaccounts:{namespace}"))

    def _signature(self, signed: str) -> str:
        return _text(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())


def mount_account(spec: Document) -> None:
    """Give each container of a pod its service account's folder, as a server's admission does."""
    if spec.get("automountServiceAccountToken") is False:
        return
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    bare = [container for container in containers if FOLDER not in _mounted(container)]
    if not bare:
        return
    name = generated("kube-api-access-")
    spec["volumes"] = [*(spec.get("volumes") or []), {"name": name, "projected": _projected()}]
    for container in bare:
        mount = {"name": name, "readOnly": True, "mountPath": FOLDER}
        container["volumeMounts"] = [*(container.get("volumeMounts") or []), mount]


def _mounted(container: Document) -> set[str]:
    return {mount.get("mountPath") for mount in container.get("volumeMounts") or []}


def _projected() -> Document:
    return {
        "defaultMode": 0o644,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ],
    }


def _encoded(document: Document) -> str:
    return _text(json.dumps(document, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
