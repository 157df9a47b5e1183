"""What is left of a node pool that the cloud no longer knows."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime


class LeftoverKind(enum.Enum):
    """What can be left."""

    INSTANCE = "instance"
    """A machine that carries the labels of a pool that is not there. It costs money."""
    SCHEDULE = "schedule"
    """A dead-man schedule for a pool that is not there; when it fires it finds nothing."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """Something of a pool that is gone."""

    kind: LeftoverKind
    id: str
    """The cloud's id: of an instance, or the schedule's name."""
    pool: str
    """The name of the pool it belonged to."""
    since: datetime | None = None
    """When it was made, where the cloud says so."""
    ours: bool = False
    """Whether the pool's name or tags prove that the pool was ours."""
