"""Who the worker is: other ways to credentials than the world's own keys."""

from __future__ import annotations

import base64
import json
import time

from .stage import Stage

ROLE = "arn:aws:iam::111122223333:role/airflow-gpu"


def role(stage: Stage) -> None:
    """Assume a role with the keys that are there."""
    stage.auth["eks"] = {"credentials": {"roles": [{"roleArn": ROLE}]}}


def web(stage: Stage) -> None:
    """Assume a role with the OIDC token of a pod, as an EKS cluster gives it."""
    claims = {"sub": "system:serviceaccount:airflow:worker", "exp": time.time() + 3600, "aud": "sts", "iss": "oidc"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims, "")]
    token = stage.folder / "token"
    token.write_text(".".join(parts))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        stage.patch.delenv(name)
    stage.patch.setenv("AWS_ROLE_ARN", ROLE)
    stage.patch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))


def key_file(stage: Stage) -> None:
    """Use the key of a Google service account."""
    path = stage.folder / "key.json"
    path.write_text(json.dumps(stage.world.google.key_file("trainer")))
    stage.auth["gke"] = {"credentials": {"serviceAccountFile": str(path)}}


def impersonated(stage: Stage) -> None:
    """Act as another Google service account."""
    stage.auth["gke"] = {"credentials": {"impersonate": [stage.world.google.accounts.add("other", "acme").email]}}


IDENTITIES = {"role": role, "web": web, "key file": key_file, "impersonated": impersonated}
