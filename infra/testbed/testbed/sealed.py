"""Files that are made once and kept: each has its size written beside it, last, so that half of one does not count."""

from __future__ import annotations

from pathlib import Path


def seal(path: Path) -> None:
    """Say that a file is whole as it is now."""
    mark(path).write_text(str(path.stat().st_size))


def whole(path: Path) -> bool:
    """Say whether a file is there as it was sealed: a full disk or a killed copy leaves less of it."""
    try:
        return path.stat().st_size == int(mark(path).read_text())
    except (OSError, ValueError):
        return False


def mark(path: Path) -> Path:
    """Name the file that holds the size of another."""
    return path.with_name(f"{path.name}.size")
