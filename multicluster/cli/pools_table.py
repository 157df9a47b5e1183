"""Show node pools to people: a table where it fits, else a few lines for each."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from multicluster.cli.output import print_table, say
from multicluster.cli.pool_rows import COLUMNS, cells
from multicluster.registry.printable import printable

GAP = 2


def print_pools(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print *rows*, and which switches could not be asked for."""
    shown = [cells(dict(row)) for row in rows]
    if sys.stdout.isatty() and _width(shown) > shutil.get_terminal_size().columns:
        print("\n".join(printable(line) for row, cell in zip(rows, shown, strict=True) for line in _lines(row, cell)))
    else:
        print_table(COLUMNS, [[cell[column] for column in COLUMNS] for cell in shown])
    for row in rows:
        if row["armed_error"]:
            say(f"{row['cluster']}/{row['pool']}: whether it is armed is unknown: {row['armed_error']}")


def _width(shown: Sequence[Mapping[str, str]]) -> int:
    widths = [max(len(column), *(len(cell[column]) for cell in shown)) if shown else len(column) for column in COLUMNS]
    return sum(widths) + GAP * (len(COLUMNS) - 1)


def _lines(row: Mapping[str, Any], cell: Mapping[str, str]) -> list[str]:
    machines = " ".join(str(part) for part in (row["size"], row["machine_type"]) if part is not None)
    used = f"{cell['gpu-hours']} GPU-hours" + (f", {cell['cost']}" if row["usd"] is not None else "")
    lines = [
        f"{cell['cluster']}/{cell['pool']}",
        f"  state  {cell['state']} ({row['status']}), age {cell['age']}" + (f", {machines}" if machines else ""),
        f"  owner  {cell['owner']}",
        f"  lease  {cell['lease']}, ends {cell['ends']}, dead-man switch {cell['armed']}",
        f"  used   {used}",
    ]
    return lines + [f"  why    {problem}" for problem in row["problems"]]
