"""The demo's DAG."""
