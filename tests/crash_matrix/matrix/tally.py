"""Add up what came of many seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from matrix.play import Outcome


@dataclass
class Tally:
    """What came of all seeds so far."""

    seeds: int = 0
    pools: int = 0
    kills: int = 0
    hours: float = 0.0
    overstay: float = 0.0
    worst: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    deleted_by: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Add one."""
        self.seeds += 1
        self.pools += outcome.pools
        self.kills += outcome.kills
        self.hours += outcome.lasted / 3600
        self.faults += outcome.faults
        self.deleted_by += outcome.deleted_by
        if outcome.overstay > self.overstay:
            self.overstay, self.worst = outcome.overstay, outcome.seed
        if outcome.violations:
            self.violations.append((outcome.seed, outcome.violations))

    def add_all(self, outcomes: Iterable[Outcome]) -> None:
        """Add several."""
        for outcome in outcomes:
            self.add(outcome)

    def lines(self) -> list[str]:
        """Say it, as the last thing of a run."""
        deleted = ", ".join(f"{who} {count}" for who, count in self.deleted_by.most_common())
        struck = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()) if count)
        found = [f"seed {seed}: {one}" for seed, laws in sorted(self.violations) for one in laws]
        return [
            f"seeds              {self.seeds}",
            f"pools made         {self.pools}, in {self.hours:,.0f} virtual hours",
            f"deletions          {self.deleted_by.total()}: {deleted}",
            f"faults injected    {sum(self.faults.values())}: {struck or 'none'}",
            f"kills              {self.kills}",
            f"longest overstay   {self.overstay:.0f} virtual seconds (seed {self.worst})",
            f"violations         {len(self.violations)}",
            *found,
        ]
