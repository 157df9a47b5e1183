"""Temporary folders of demos: marked as in use, removed when their demo dies, or else by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from multicluster.grounds.lifeline import Lifeline

PREFIX = "multicluster-demo-"
ALIVE = "alive"
_REMOVE = 'n=0; while [ -e "$1" ] && [ $n -lt 30 ]; do rm -rf "$1"; sleep 1; n=$((n + 1)); done'
"""Again while it comes back: what the demo had started is still ending."""


class TemporaryFolder:
    """A folder of this process, which is removed in any case: by ``remove``, by a shell that survives, by the next."""

    def __init__(self) -> None:
        remove_abandoned(Path(tempfile.gettempdir()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._mark = mark(self.path)
        self._lifeline = Lifeline(["/bin/sh", "-c", _REMOVE, "remove", str(self.path)], Path(os.devnull))

    def remove(self) -> None:
        """Remove it with all that is in it. Twice is once."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lifeline.dismiss()
        self._mark.close()


def mark(folder: Path) -> TextIO:
    """Mark a folder as in use for as long as this process lives and the file is open: nobody sees it unlocked."""
    file = (folder / f"{ALIVE}.new").open("w")
    fcntl.flock(file, fcntl.LOCK_EX)
    (folder / f"{ALIVE}.new").rename(folder / ALIVE)
    return file


def remove_abandoned(place: Path) -> list[Path]:
    """Remove this user's folders whose demo is gone, and return them; one that bears no mark is left alone."""
    return [folder for folder in sorted(place.glob(f"{PREFIX}*")) if _remove_if_abandoned(folder)]


def _remove_if_abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        with (folder / ALIVE).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # no mark, in use, or gone meanwhile
        return False
    return not folder.exists()
