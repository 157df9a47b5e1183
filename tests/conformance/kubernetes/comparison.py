"""Both grounds' answers side by side: the table per area, and what no reason explains."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .answers import differences

OUTCOME = "outcome"
GROUNDS = ("simulator", "testbed")
KNOWN = Path(__file__).with_name("known_differences.yaml")


@dataclass(frozen=True, kw_only=True)
class KnownDifference:
    """One entry of the list that may only shrink."""

    case: str
    differs: str
    reason: str


@dataclass
class Case:
    """What became of one case: per ground its outcome and its recorded answers."""

    outcomes: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def on_both(self) -> bool:
        """Whether it ran on both grounds."""
        return all(self.outcomes.get(ground, "skipped") != "skipped" for ground in GROUNDS)

    @property
    def passed_on_both(self) -> bool:
        """Whether it passed on both grounds."""
        return all(self.outcomes.get(ground) == "passed" for ground in GROUNDS)

    def differing(self) -> dict[str, list[str]]:
        """Return where the grounds differ, by what was recorded."""
        if len({self.outcomes[ground] for ground in GROUNDS}) > 1:
            return {OUTCOME: [" != ".join(self.outcomes[ground] for ground in GROUNDS)]}
        one, other = (self.answers.get(ground, {}) for ground in GROUNDS)
        found = {name: differences(one.get(name), other.get(name)) for name in sorted({*one, *other})}
        return {name: lines for name, lines in found.items() if lines}


def known_differences(path: Path = KNOWN) -> list[KnownDifference]:
    """Read the list of known differences."""
    return [KnownDifference(**entry) for entry in yaml.safe_load(path.read_text()) or []]


class Comparison:
    """Collects what pytest reports and judges it in the end."""

    def __init__(self, known: Iterable[KnownDifference]) -> None:
        self.cases: dict[str, Case] = defaultdict(Case)
        self._known = list(known)

    def add(self, case: str, ground: str, outcome: str, answers: Mapping[str, str]) -> None:
        """Take one report of one case; `answers` are JSON texts by name. A failure is not taken back."""
        kept = self.cases[case]
        if kept.outcomes.get(ground) != "failed":
            kept.outcomes[ground] = outcome
        kept.answers.setdefault(ground, {}).update({name: json.loads(text) for name, text in answers.items()})

    @property
    def possible(self) -> bool:
        """Whether any case ran on both grounds."""
        return any(case.on_both for case in self.cases.values())

    def problems(self) -> list[str]:
        """Return the differences without a reason, and the reasons without a difference."""
        known = {(entry.case, entry.differs) for entry in self._known}
        found = {
            (name, what): lines
            for name, case in sorted(self.cases.items())
            if case.on_both
            for what, lines in case.differing().items()
        }
        unexplained = [
            f"{case} ({what}): simulator != testbed\n    " + "\n    ".join(lines[:20])
            for (case, what), lines in found.items()
            if (case, what) not in known
        ]
        stale = [
            f"{case} ({what}): is a known difference, but there is none any more: remove it from {KNOWN.name}"
            for case, what in sorted(known - set(found))
            if case in self.cases and self.cases[case].on_both
        ]
        return unexplained + stale

    def table(self) -> list[str]:
        """Return the lines of the table: per area the cases, how many are equal on both, known differences."""
        rows = [("area", "cases", "equal on both", "known differences")]
        areas: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.cases):
            areas[_area(name)].append(name)
        counted = {area: self._counts(names) for area, names in areas.items()}
        rows += [(area, *map(str, counts)) for area, counts in counted.items()]
        rows.append(("all", *(str(sum(column)) for column in zip(*counted.values(), strict=True))))
        return ["  ".join([row[0].ljust(28), *(cell.rjust(17) for cell in row[1:])]) for row in rows]

    def reasons(self) -> list[str]:
        """Return the known differences with their reasons."""
        return [f"{entry.case} ({entry.differs}): {entry.reason}" for entry in self._known]

    def _counts(self, names: list[str]) -> tuple[int, int, int]:
        cases = [self.cases[name] for name in names]
        equal = sum(case.passed_on_both and not case.differing() for case in cases)
        return len(cases), equal, sum(entry.case in names for entry in self._known)


def _area(case: str) -> str:
    return case.partition("::")[0].removeprefix("test_").removesuffix(".py").replace("_", " ")
