"""Write durations for people."""

from __future__ import annotations

from datetime import timedelta


def hours(duration: timedelta) -> str:
    """Return hours and minutes, 1h05m; nothing less than 0h00m."""
    minutes = max(int(duration.total_seconds()), 0) // 60
    return f"{minutes // 60}h{minutes % 60:02d}m"
