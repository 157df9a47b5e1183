"""One line of the table: a fault, what of ours meets it, and what comes of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Row:
    """``error`` None means that it goes well, at last; ``words`` stand in the error, or in what the act says."""

    fault: str
    on: str
    act: str
    error: type[Exception] | None
    words: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    identity: str = ""
    """How the cluster is reached: a key of IDENTITIES; empty: as the world's registry says."""
    used: bool = False
    """Whether the act was done once before the fault, so that clients and tokens are there."""

    def __str__(self) -> str:
        chosen = self.options.get("operation") or self.options.get("service") or ""
        return " ".join(part for part in (self.fault, self.on, self.act, str(chosen), self.identity) if part)


def row(
    fault: str,
    act: str,
    error: type[Exception] | None,
    *words: str,
    identity: str = "",
    used: bool = False,
    **options: Any,
) -> Row:
    """Write a line; *act* begins with the cluster, *options* are those of the fault."""
    on, _, verb = act.partition(" ")
    return Row(fault=fault, on=on, act=verb, error=error, words=words, options=options, identity=identity, used=used)
