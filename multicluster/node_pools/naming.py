"""Names that follow from the owner, so that asking twice is asking for one thing."""

from __future__ import annotations

import hashlib
import re

NAME_LIMIT = 40
"""GKE allows 40 characters for a node pool's name, EKS 63."""
PREFIX = "mc-"
"""What all names of ours begin with; the rights in infra/iam go by it."""
OURS = re.compile(r"mc-([a-z0-9-]+-)?[0-9a-f]{20}")


def owner(*, deployment: str, dag_id: str, run_id: str, group_id: str, map_index: int = -1) -> str:
    """Return the digest (20 hex characters) of who asks: deployment, DAG, run, group and map index."""
    parts = "\x00".join((deployment, dag_id, run_id, group_id, str(map_index)))
    return hashlib.sha256(parts.encode()).hexdigest()[:20]


def pool_name(owner_digest: str, *, hint: str = "") -> str:
    """Return the pool's name: ``mc-HINT-DIGEST``, lower case, starting with a letter, at most 40 characters.

    *hint* makes the name readable (a group id); what a cloud does not allow in a name is left out.
    """
    room = NAME_LIMIT - len("mc--") - len(owner_digest)
    readable = re.sub(r"[^a-z0-9]+", "-", hint.lower()).strip("-")[: max(room, 0)].strip("-")
    return "-".join(part for part in ("mc", readable, owner_digest) if part)


def is_ours(name: str) -> bool:
    """Whether *name* is one that ``pool_name`` makes of an owner's digest."""
    return OURS.fullmatch(name) is not None


def request_token(owner_digest: str, name: str) -> str:
    """Return the idempotency token of a create call: the same for the same owner and name (64 characters)."""
    return hashlib.sha256(f"{owner_digest}\x00{name}".encode()).hexdigest()
