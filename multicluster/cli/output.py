"""Print results: tables for people, JSON for machines; talk goes to stderr."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from multicluster.registry.printable import printable


def add_output_argument(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the ``--output json|text`` that every command has."""
    parser.add_argument("--output", choices=("text", "json"), default="text", help="what to print on stdout")


def say(message: str) -> None:
    """Print talk, progress or an error to stderr."""
    if sys.stderr is None:
        return
    try:
        print(printable(message, keep="\n"), file=sys.stderr, flush=True)
    except OSError:  # nobody listens; the exit code still tells
        return


def print_json(value: Any) -> None:
    """Print *value* as one JSON document; what JSON has no word for (times, paths) is printed as its str."""
    print(printable(json.dumps(value, indent=2, default=str, ensure_ascii=_is_ascii()), keep="\n"))


def counted(number: int, noun: str) -> str:
    """Return *number* and its noun: ``1 cluster``, ``2 clusters``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def print_text(text: str) -> None:
    """Print lines of somebody else's, such as a file's, without commands to the terminal."""
    print(printable(text, keep="\n\t"), end="")


def replace_strange_characters() -> None:
    """Let stdout and stderr write ``?`` for what their encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _is_ascii() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("_", "-") in {"ascii", "us-ascii"}


def print_rows(args: argparse.Namespace, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print *rows* as ``--output`` asks: a JSON list with all keys, or a table of *columns*."""
    if args.output == "json":
        print_json([dict(row) for row in rows])
    else:
        print_table(columns, [[_cell(row.get(column)) for column in columns] for row in rows])


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: Rich on a terminal, aligned columns without ornament anywhere else."""
    if sys.stdout.isatty():
        _print_rich(columns, rows)
        return
    lines = [[column.upper() for column in columns], *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.upper(), overflow="fold")
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ",".join(str(item) for item in value) or "-"
    return str(value)
