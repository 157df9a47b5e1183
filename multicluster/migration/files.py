"""Migrate the DAG files of folders, show what would change, and write it."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from multicluster.migration.source import Migrated

_NOT_READ = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_END = "\\ No newline at end of file\n"


def python_files(paths: Iterable[Path]) -> list[Path]:
    """Return files as they are named, and the Python files of folders; raises FileNotFoundError for what is not there.

    Hidden folders and virtual environments are passed by.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found |= dict.fromkeys(sorted(_within(path)))
        elif path.is_file():
            found[path] = None
        else:
            raise FileNotFoundError(f"{path}: there is no such file or folder")
    return list(found)


def _within(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_READ and not name.startswith(".")]
        yield from (Path(root, name) for name in files if name.endswith(".py"))


def diff(migrated: Migrated) -> str:
    """Return the unified diff, which ``patch -p1`` and ``git apply`` take; empty when nothing changes."""
    before, after = (text.decode("utf-8", "replace").splitlines(keepends=True) for text in _texts(migrated))
    name = migrated.file.lstrip("/")
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_END}" for line in lines)


def _texts(migrated: Migrated) -> tuple[bytes, bytes]:
    return migrated.before, migrated.after


def write(migrated: Migrated) -> None:
    """Replace the file at once, or not at all; its mode stays. Raises OSError."""
    path = Path(migrated.file).resolve()
    if path.read_bytes() != migrated.before:
        raise OSError(f"{migrated.file}: changed meanwhile; nothing was written to it")
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(migrated.after)
        shutil.copymode(path, fresh)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
