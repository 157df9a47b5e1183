"""Measure every figure, print one table, write results.json beside this file."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from row import Figure, Row

FIGURES = {
    "eks-first-reply": 9,
    "dag-parse": 25,
    "two-hundred-brackets": 7,
    "registry-of-a-thousand": 7,
    "demo": 3,
    "waiting": 1,
    "launch": 3,
}
"""The name of each figure (its module in figures/, dashes for underscores), and how often it is repeated."""
RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    """Run what was asked for; exit 0 when every bar holds, 1 when one does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=FIGURES, help="measure one figure; results.json is left alone")
    parser.add_argument("--repeat", type=int, help="rounds of each figure, instead of its own number")
    options = parser.parse_args()

    console = Console(stderr=True)
    rows: list[Row] = []
    for name, repeat in FIGURES.items():
        if options.only in (None, name):
            console.print(f"measuring {name} ...")
            measure: Figure = importlib.import_module(f"figures.{name.replace('-', '_')}").measure
            rows += measure(options.repeat or repeat)
    Console(width=None if sys.stdout.isatty() else 150).print(table(rows))
    if options.only is None:
        RESULTS.write_text(json.dumps([row.as_dict() for row in rows], indent=2) + "\n")
        console.print(f"written to {RESULTS.name}")
    return 0 if all(row.holds for row in rows) else 1


def table(rows: list[Row]) -> Table:
    """Draw the rows."""
    drawn = Table(title="medians; anchor and ours from the same run")
    for column in ("figure", "unit", "ours", "anchor", "ratio", "bar", "holds"):
        drawn.add_column(column, justify="left" if column in {"figure", "unit", "bar"} else "right")
    for row in rows:
        anchor = "-" if row.anchor is None else f"{row.anchor:.4g}"
        ratio = "-" if row.ratio is None else f"{row.ratio:.3g}x"
        drawn.add_row(row.name, row.unit, f"{row.ours:.4g}", anchor, ratio, row.bar, "yes" if row.holds else "NO")
    return drawn


if __name__ == "__main__":
    sys.exit(main())
