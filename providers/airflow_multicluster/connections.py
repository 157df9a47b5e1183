"""Look Airflow connections up for the core, which does not know Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def connection_facts(connection_id: str) -> Mapping[str, Any]:
    """Return conn_type, host, login, password, schema, port and extra (a dict) of a connection.

    Blocks; from a trigger call it off the loop. Raises LookupError when there is none of that id.
    """
    from airflow.providers.common.compat.sdk import AirflowException
    from airflow.sdk import Connection

    try:
        connection: Any = Connection.get(connection_id)
    except AirflowException as error:
        raise LookupError(f"no Airflow connection {connection_id!r} could be read: {error}") from error
    return {
        "conn_type": connection.conn_type,
        "host": connection.host,
        "login": connection.login,
        "password": connection.password,
        "schema": connection.schema,
        "port": connection.port,
        "extra": connection.extra_dejson,
    }
