"""Who calls the API server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class User:
    """An authenticated caller. `system:authenticated` is added to `groups` by the API server."""

    name: str
    groups: tuple[str, ...] = ()


Authenticate = Callable[[str], User | None]
ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))
