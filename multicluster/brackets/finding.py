"""What one look found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["done", "failed", "waiting"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Whether to go on waiting, and why, in words a person can act on."""

    status: Status
    text: str
    lease: str = ""
    """What is known of the pool's lease, in words; empty where nothing is."""
    soon: bool = False
    """Whether the next look should come soon: it may be the last one, and idle GPUs cost money."""

    enough: bool = False
    """Whether a wait that ends now, since its time is over, ends well all the same."""

    @property
    def settled(self) -> bool:
        """Whether looking again cannot change anything."""
        return self.status != "waiting"

    @property
    def lines(self) -> tuple[str, ...]:
        """What there is to say, line by line."""
        return tuple(filter(None, (self.lease, self.text)))

    def to_event(self) -> dict[str, str]:
        """Return the payload of a trigger's event."""
        return {"status": self.status, "text": self.text}
