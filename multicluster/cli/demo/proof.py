"""Show at the end what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from multicluster.cli.demo.scenarios import CLUSTERS

if TYPE_CHECKING:
    from multicluster.cli.demo.facts import Facts

COLUMNS = ("counted", "AWS", "Google", "in all")


def rows(facts: Facts) -> list[tuple[str, ...]]:
    """Return the proof as rows of COLUMNS; what no cloud counts for itself stands in the last column alone."""
    aws, google, minted = facts.aws, facts.google, facts.tokens_minted
    return [
        _clouds("node pools left", len(aws.pools_left), len(google.pools_left)),
        _clouds("instances left", len(aws.instances_left), len(google.instances_left)),
        _clouds("nodes left", len(aws.nodes_left), len(google.nodes_left)),
        *_on_testbeds(facts),
        _clouds("instances rented", aws.instances_launched, google.instances_launched),
        _clouds("tokens minted", minted.get(CLUSTERS["eks"], 0), minted.get(CLUSTERS["gke"], 0)),
        *_judged(facts),
        _clouds("tokens that API servers refused", aws.tokens_refused, google.tokens_refused),
        ("files used to authenticate", "", "", str(len(facts.auth_files))),
        ("processes used to authenticate", "", "", str(len(facts.auth_subprocesses))),
        ("GPU seconds in use", "", "", f"{facts.gpu_busy_seconds:.1f}"),
        ("GPU seconds idle", "", "", f"{facts.gpu_idle_seconds:.1f}"),
        ("seconds", "", "", f"{facts.seconds:.1f}"),
    ]


def _on_testbeds(facts: Facts) -> list[tuple[str, ...]]:
    if facts.ground != "testbed":
        return []
    aws, google = facts.aws, facts.google
    return [
        _clouds("kubelets left", len(aws.kubelets_left), len(google.kubelets_left)),
        _clouds("containers that containerd ran", len(aws.containers), len(google.containers)),
    ]


def _judged(facts: Facts) -> list[tuple[str, ...]]:
    """Count what the verifier logged; the simulator's API servers ask about every request, which says nothing."""
    if facts.ground != "testbed":
        return []
    return [_clouds("times the verifier said yes", facts.aws.tokens_accepted, facts.google.tokens_accepted)]


def _clouds(name: str, aws: int, google: int) -> tuple[str, ...]:
    return (name, str(aws), str(google), str(aws + google))


def print_end(facts: Facts, story: str, differences: Sequence[str], out: TextIO) -> None:
    """Print the proof and the verdict: Rich on a terminal, aligned columns anywhere else."""
    verdict = f"as promised: {story}" if not differences else f"NOT as promised: {story}"
    if out.isatty():
        _print_rich(facts, verdict, differences, out)
        return
    table = [COLUMNS, *rows(facts)]
    widths = [max(len(row[at]) for row in table) for at in range(len(COLUMNS))]
    lines = ["  ".join([row[0].ljust(widths[0]), *_right(row, widths)]) for row in table]
    out.write("\n".join(["", *lines, "", verdict, *(f"  {one}" for one in differences)]) + "\n")


def _right(row: tuple[str, ...], widths: list[int]) -> list[str]:
    return [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]


def _print_rich(facts: Facts, verdict: str, differences: Sequence[str], out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for at, column in enumerate(COLUMNS):
        table.add_column(column, justify="right" if at else "left")
    for row in rows(facts):
        table.add_row(*row)
    console = Console(file=out, highlight=False)
    console.print()
    console.print(table)
    console.print()
    console.print(Text(verdict, style="bold red" if differences else "bold green"))
    for one in differences:
        console.print(Text(f"  {one}", style="red"))
