"""Who calls the API server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class User:
    """An authenticated caller. `system:authenticated` is added to `groups` by the API server."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How often a verifier outside of this process accepted a token, and refused one."""

    accepted: int = 0
    refused: int = 0


Authenticate = Callable[[str], User | None]
ADMIN = User(name="kubernetes-admin", groups=("system:masters",))
ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))


def nobody(_token: str) -> None:
    """Know no token."""
