"""Rewrite DAG files that use stock operators for remote clusters; needs libcst, and neither Airflow nor a cluster."""

from __future__ import annotations
