"""The folder in which a demo works, and the log that outlives it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from multicluster.cli.demo.abandoned import TemporaryFolder


def cache_folder() -> Path:
    """Return where the last log of each scenario is kept, and where testbeds of demos have their homes."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "airflow-multicluster"


class Workshop:
    """A temporary AIRFLOW_HOME, with the world's own folder in it, and the log that outlives it."""

    def __init__(self, name: str, logs: Path) -> None:
        self._folder = TemporaryFolder()
        self.home = self._folder.path
        self.log = self.home / "airflow.log"
        self._kept = logs / f"demo-{name}.log"

    def close(self) -> Path | None:
        """Remove everything but the log; returns where that is now, None when it could not be kept."""
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.move(self.log, self._kept)
        except OSError:
            return None
        finally:
            self._folder.remove()
        return self._kept
