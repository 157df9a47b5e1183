"""What is mounted, as the kernel lists it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

LISTED = Path("/proc/self/mounts")


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One mounted file system; a place may be in no encoding at all, as file names may."""

    place: Path
    kind: str
    options: tuple[str, ...]


def listed(file: Path = LISTED) -> list[Mount]:
    """List the mounts of this namespace, in the order in which they were made."""
    lines = [line.split(b" ") for line in file.read_bytes().split(b"\n") if line]
    return [
        Mount(place=Path(os.fsdecode(plain(place))), kind=kind.decode(), options=tuple(os.fsdecode(words).split(",")))
        for _, place, kind, words, *_ in lines
    ]


def plain(word: bytes) -> bytes:
    r"""Undo how the kernel writes blanks, tabs, line feeds and backslashes, which is \040, \011, \012 and \134."""
    return re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), word)
