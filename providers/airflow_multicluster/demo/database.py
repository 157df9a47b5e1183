"""Make Airflow's SQLite database once per version, and copy it from then on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from importlib import metadata
from pathlib import Path

NAME = "airflow.db"


def template() -> Path:
    """Return where the template of this Airflow version belongs; it need not be there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "airflow-multicluster" / f"airflow-{metadata.version('apache-airflow-core')}.sqlite"


def ready_database(home: Path) -> bool:
    """Give *home* a database, before Airflow is imported; False when there is no template and ``make`` must run.

    An existing database is left alone.
    """
    database = home / NAME
    if database.exists():
        return True
    try:
        shutil.copyfile(template(), database)
    except OSError:
        return False
    return True


def make_database(home: Path) -> None:
    """Let Airflow create *home*'s database and keep a copy as the template, where the cache can be written."""
    from airflow.utils.db import initdb

    initdb()
    try:
        _keep(home / NAME)
    except OSError:
        return


def _keep(database: Path) -> None:
    target = template()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    os.close(descriptor)
    with sqlite3.connect(database) as source, sqlite3.connect(name) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    Path(name).replace(target)
