"""One line of the table: a figure of ours, its anchor from the same run, and the bar that it must reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured figure.

    ``ratio`` is *how many times faster than the anchor* where the bar says ">= Nx", and *how many times the anchor's
    cost* where it says "<= Nx"; None where there is no anchor. ``holds`` is the bar's verdict, nobody's opinion.
    """

    name: str
    unit: str
    ours: float
    anchor: float | None
    ratio: float | None
    bar: str
    holds: bool

    def as_dict(self) -> dict[str, object]:
        """Give the row as results.json holds it, rounded to what the measurement can tell."""
        return {key: _rounded(value) for key, value in asdict(self).items()}


def faster(name: str, unit: str, *, ours: float, anchor: float, at_least: float) -> Row:
    """Ask for a figure that is so many times smaller than its anchor."""
    ratio = anchor / ours
    holds = ratio >= at_least
    return Row(name=name, unit=unit, ours=ours, anchor=anchor, ratio=ratio, bar=f">= {at_least:g}x faster", holds=holds)


def no_dearer(name: str, unit: str, *, ours: float, anchor: float, at_most: float) -> Row:
    """Ask for a figure that is at most so many times its anchor."""
    ratio = ours / anchor
    bar = f"<= {at_most:g}x the anchor"
    return Row(name=name, unit=unit, ours=ours, anchor=anchor, ratio=ratio, bar=bar, holds=ratio <= at_most)


def within(name: str, unit: str, *, ours: float, anchor: float | None = None, at_most: float) -> Row:
    """Ask for a figure below an absolute bar; the anchor, if there is one, is shown beside it."""
    ratio = ours / anchor if anchor else None
    bar = f"<= {at_most:g} {unit}"
    return Row(name=name, unit=unit, ours=ours, anchor=anchor, ratio=ratio, bar=bar, holds=ours <= at_most)


def shown(name: str, unit: str, *, ours: float, anchor: float) -> Row:
    """Show a figure for which no bar was set."""
    ratio = ours / anchor if anchor else None
    return Row(name=name, unit=unit, ours=ours, anchor=anchor, ratio=ratio, bar="none", holds=True)


def _rounded(value: object) -> object:
    return float(f"{value:.4g}") if isinstance(value, float) else value


Figure = Callable[[int], list[Row]]
"""A figure measures itself, repeated so many times, and gives its rows."""
