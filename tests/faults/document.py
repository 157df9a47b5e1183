"""Write the table of docs/faults.md from the catalogue and from what is proven here."""

from __future__ import annotations

from collections.abc import Iterable

from multicluster.simulator.catalogue import rows

from .row import Row

HEAD = ["| Fault | Where | Strikes | What happens | What comes of it |", "|---|---|---|---|---|"]
LOOKS = {"life", "create and see", "delete twice", "ready", "make ready", "gone"}
"""Acts that tell of a pool: what they say is what comes of a fault."""


def outcome(row: Row) -> str:
    """Name what comes of a fault: what is said of the pool, or the class with a star where asking again may help."""
    if row.error is None:
        return f"*{', '.join(word.strip(': ') for word in row.words if word)}*" if row.act in LOOKS else "goes well"
    return f"`{row.error.__name__}`{'*' if getattr(row.error, 'transient', False) else ''}"


def written(table: Iterable[Row], elsewhere: Iterable[str]) -> list[str]:
    """Return the lines of the table, a fault each."""
    comes: dict[str, list[str]] = {name: [] for name in elsewhere}
    for one in table:
        comes.setdefault(one.fault, [])
        if outcome(one) not in comes[one.fault]:
            comes[one.fault].append(outcome(one))
    lines = []
    for fault in rows():
        name, times = str(fault["fault"]), {"always": "until cleared", 1: "once", "now": "at once"}[fault["times"]]
        ends = ", ".join(comes.get(name) or ["nobody of ours meets it"])
        lines.append(f"| `{name}` | {fault['where']} | {times} | {fault['what']} | {ends} |")
    return [*HEAD, *lines]
