"""Show at the end what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from multicluster.cli.demo.facts import Facts

COLUMNS = ("", "AWS", "Google")


def rows(facts: Facts) -> list[tuple[str, str, str]]:
    """Return the proof as rows; a row that is no cloud's own has its value in the first column of values."""
    aws, google = facts.aws, facts.google
    minted = facts.tokens_minted
    return [
        ("node pools left", str(len(aws.pools_left)), str(len(google.pools_left))),
        ("instances left", str(len(aws.instances_left)), str(len(google.instances_left))),
        ("instances rented", str(aws.instances_launched), str(google.instances_launched)),
        ("tokens that API servers saw", str(aws.tokens_seen), str(google.tokens_seen)),
        ("tokens they refused", str(aws.tokens_refused), str(google.tokens_refused)),
        ("tokens minted", ", ".join(f"{count} for {name}" for name, count in minted.items()) or "0", ""),
        ("files used to authenticate", str(len(facts.auth_files)), ""),
        ("processes used to authenticate", str(len(facts.auth_subprocesses)), ""),
        ("GPU seconds used", f"{facts.gpu_busy_seconds:.1f}", ""),
        ("GPU seconds idle", f"{facts.gpu_idle_seconds:.1f}", ""),
        ("seconds in all", f"{facts.seconds:.1f}", ""),
    ]


def print_proof(facts: Facts, out: TextIO) -> None:
    """Print the proof: Rich on a terminal, aligned columns anywhere else."""
    if out.isatty():
        _print_rich(facts, out)
        return
    table = [COLUMNS, *rows(facts)]
    widths = [max(len(row[at]) for row in table if at == 0 or row[2] or not at) for at in range(2)]
    lines = [f"  {name:<{widths[0]}}  {first:<{widths[1]}}  {second}".rstrip() for name, first, second in table]
    out.write("\n".join(lines) + "\n")


def _print_rich(facts: Facts, out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 2))
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for row in rows(facts):
        table.add_row(*row)
    Console(file=out, highlight=False).print(table)
