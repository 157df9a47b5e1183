"""Bring the listener into Airflow; named by the entry point ``airflow.plugins``."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowPlugin

from airflow_multicluster import listener


class ListenerPlugin(AirflowPlugin):
    """Hear of runs that time out."""

    name = "multicluster_listener"
    listeners = [listener]  # noqa: RUF012 - Airflow's own shape of it
