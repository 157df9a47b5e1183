"""One thing that is wrong in a registry source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from multicluster.errors import RegistryDocumentError
from multicluster.registry.printable import printable

SHOWN = 20
"""Problems that people are told at once."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong, in which source, and where; line and column count from 1 and are None outside of files."""

    source: str
    message: str
    line: int | None = None
    column: int | None = None
    cluster: str | None = None
    field: str = ""
    """Dotted path below the cluster, or below the document."""

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}:{self.column}" if self.line else self.source
        named = f"cluster {self.cluster!r}: " if self.cluster else ""
        return printable(f"{place}: {named}{self.field + ': ' if self.field else ''}{self.message}")


def refusal(problems: Sequence[Problem]) -> RegistryDocumentError:
    """Return the error that tells *problems*, each in a line of its own."""
    if len(problems) == 1:
        return RegistryDocumentError(str(problems[0]))
    lines = "".join(f"\n  {line}" for line in shown(problems))
    return RegistryDocumentError(f"{len(problems)} problems in the registry:{lines}")


def shown(problems: Sequence[Problem]) -> list[str]:
    """Return a line for each of the first SHOWN problems, and how many more there are."""
    more = len(problems) - SHOWN
    return [str(one) for one in problems[:SHOWN]] + ([f"... and {more} more"] if more > 0 else [])
