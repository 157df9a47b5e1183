"""200 brackets in one DAG, beside the same five stock tasks built by hand; per bracket, imports apart."""

from __future__ import annotations

from fresh import Child, interleaved
from row import Row, no_dearer


def measure(repeat: int) -> list[Row]:
    """Build the DAG in fresh processes."""
    children = {name: Child(script=f"dags/{name}_200.py") for name in ("stock", "bracket")}
    medians = interleaved(children, repeat)
    ours, anchor = medians["bracket"]["bracket"], medians["stock"]["bracket"]
    return [
        no_dearer("one of 200 brackets in a DAG, vs five stock tasks", "ms", ours=ours, anchor=anchor, at_most=1.15)
    ]
