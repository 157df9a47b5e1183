"""Keep time limits while a task is deferred: Airflow itself does not count execution_timeout then."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

GRACE = timedelta(seconds=60)
"""Airflow's own time-out stands this much after ours, so that ours can say what was missing."""


def deadline(task: BaseOperator, context: Context, *, timeout: float) -> float:
    """Return when the task must end, in epoch seconds: *timeout* or execution_timeout after its first start.

    ``ti.start_date`` survives deferrals, so asking again after one gives the same moment.
    """
    ti: Any = context["ti"]
    started = (ti.start_date or datetime.now(UTC)).timestamp()
    limits = [timeout]
    if task.execution_timeout is not None:
        limits.append(task.execution_timeout.total_seconds())
    return float(started + min(limits))


def backstop(moment: float) -> timedelta:
    """Return the time-out to defer with."""
    return timedelta(seconds=max(moment - time.time(), 0)) + GRACE
