"""Secrets of every sort in what the stage uses, and where they must not be found."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary_hunt.hunt import Place, cells, places
from canary_hunt.planted import client_certificate, spent

from multicluster.simulator import World

if TYPE_CHECKING:
    from endings_stage.stage import Stage

SECRET = {"metadata": {"name": "keys"}, "stringData": {"word": "c4n4ry-of-a-kubernetes-secret"}}
"""What every pod of ours is given, as a variable and as a file."""
VARIABLE, ENVIRONMENT = "c4n4ry-of-an-airflow-variable", "c4n4ry-of-the-environment"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
SESSION_SECONDS = 7200


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What is to be looked for, and how the stage comes by it."""

    secrets: Mapping[str, str]
    env: Mapping[str, str]
    """What Airflow's own environment holds of it, and folders of its own for what it leaves."""
    client: Mapping[str, str]
    """The same of the kubeconfig's user, beside the token."""

    @classmethod
    def into(cls, world: World, root: Path) -> Planted:
        """Make a session of a role for Airflow, and a client's key."""
        session = world.aws.iam.open_session(world.aws.iam.add_role("airflow"), "worker", SESSION_SECONDS)
        certificate, key = client_certificate()
        for name in ("home", "tmp"):
            (root / name).mkdir()
        return cls(
            secrets={
                "session's key": session.secret,
                "session token": session.session_token,
                "kubeconfig's key": key.decode().splitlines()[2],
                "kubeconfig's token": world.entrances["here"].admin_token,
                "Kubernetes secret": SECRET["stringData"]["word"],
                "Airflow variable": VARIABLE,
                "environment": ENVIRONMENT,
            },
            env={
                "AWS_ACCESS_KEY_ID": session.id,
                "AWS_SECRET_ACCESS_KEY": session.secret,
                "AWS_SESSION_TOKEN": session.session_token,
                "AIRFLOW_VAR_API_TOKEN": VARIABLE,
                "WORKERS_PASSWORD": ENVIRONMENT,
                "HOME": str(root / "home"),
                "TMPDIR": str(root / "tmp"),
            },
            client={
                "client-certificate-data": base64.b64encode(certificate).decode(),
                "client-key-data": base64.b64encode(key).decode(),
            },
        )


def secrets(stage: Stage) -> dict[str, str]:
    """Give what was planted, and what was made of it since."""
    return {**stage.planted.secrets, **spent(stage.world)}


def left(stage: Stage) -> Iterator[Place]:
    """Give all that Airflow has left so far: files of every folder it writes to, and the rows of its database."""
    for name in ("airflow", "home", "tmp", "postgres"):
        yield from places(stage.root / name)
    if not stage.deployment.no_postgres:
        with contextlib.closing(stage.deployment.connect()) as connection:
            yield from rows(connection.cursor())


def rows(cursor: Any) -> Iterator[Place]:
    """Give the rows of PostgreSQL, also those deleted."""
    return cells(cursor, TABLES)
