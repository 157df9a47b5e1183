"""A PostgreSQL of Debian's packages in a folder of its own, as an unprivileged user, on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from airflow_stage.asked import ASKED
from airflow_stage.parts import Part, Parts
from airflow_stage.waiting import until
from multicluster.cli.demo.standalone import free_port

DRIVERS = ("psycopg2", "asyncpg")
USER = "nobody"
"""Who runs it when the tests run as root, which PostgreSQL refuses to be."""
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "shared_buffers=64MB")

KEEP = """
CREATE TABLE deleted_rows (of_table text, content jsonb);
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO deleted_rows VALUES (TG_TABLE_NAME, to_jsonb(OLD)); RETURN NULL; END $$;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'deleted_rows' LOOP
    EXECUTE format('CREATE TRIGGER keep AFTER DELETE ON %I FOR EACH ROW EXECUTE FUNCTION keep_row()', name);
  END LOOP; END $$;
CREATE TRIGGER keep_changed AFTER UPDATE OF next_kwargs ON task_instance FOR EACH ROW
  WHEN (OLD.next_kwargs IS NOT NULL) EXECUTE FUNCTION keep_row();
"""
"""Rows of triggers live for seconds; whoever looks for secrets in the end wants to see them too."""


def programs() -> Path | None:
    """Return the folder with initdb and postgres, the newest there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def missing() -> str:
    """Say why there can be no PostgreSQL here, or is not wanted; empty when there can."""
    if os.environ.get(ASKED) == "sqlite":
        return f"asked for by {ASKED}"
    if programs() is None:
        return "no PostgreSQL under /usr/lib/postgresql (apt-get install postgresql)"
    drivers = [name for name in DRIVERS if find_spec(name) is None]
    return f"no {' and no '.join(drivers)} (pip install psycopg2-binary asyncpg)" if drivers else ""


def start(parts: Parts, folder: Path, log: Path) -> tuple[str, Part]:
    """Make and start a database; returns its address for SQLAlchemy."""
    where = programs()
    if where is None:
        raise RuntimeError(missing())
    user = USER if os.geteuid() == 0 else None
    data = folder / "data"
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(folder, user)
        shutil.chown(data, user)
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    made = parts.start(
        [str(where / "initdb"), "--pgdata", str(data), "--username", "airflow", "--auth", "trust", "--no-sync"],
        log,
        env,
        user,
    )
    if not made.await_end(120) or made.process.returncode:
        raise RuntimeError(f"initdb failed:\n{made.tail()}")
    port = free_port()
    settings = [option for one in QUICK for option in ("-c", one)]
    command = [str(where / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
    part = parts.start([*command, *settings], log, env, user)
    ready = [str(where / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    until(lambda: _ends_well(ready, env), f"PostgreSQL; its log: {log}")
    return f"postgresql+psycopg2://airflow@127.0.0.1:{port}/postgres", part


def keep_deleted_rows(connection: Any) -> None:
    """Let the database remember rows that Airflow deletes, and what deferred tasks come back with."""
    with connection, connection.cursor() as cursor:
        cursor.execute(KEEP)


def _ends_well(command: list[str], env: dict[str, str]) -> bool:
    return subprocess.run(command, env=env, check=False).returncode == 0
