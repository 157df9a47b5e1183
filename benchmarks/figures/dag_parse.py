"""Parse of a DAG file with one bracket, cold, beside a file with one stock KubernetesPodOperator."""

from __future__ import annotations

from fresh import CHILDREN, Child, interleaved
from row import Row, no_dearer


def measure(repeat: int) -> list[Row]:
    """Parse each file in fresh processes that hold Airflow's core and no provider."""
    children = {
        name: Child(script="parse.py", arguments=(str(CHILDREN / "dags" / f"{name}.py"),))
        for name in ("stock", "bracket")
    }
    medians = interleaved(children, repeat)
    ours, anchor = medians["bracket"]["parse"], medians["stock"]["parse"]
    return [
        no_dearer(
            "DAG file with one bracket, cold parse, vs one stock pod", "ms", ours=ours, anchor=anchor, at_most=1.05
        )
    ]
