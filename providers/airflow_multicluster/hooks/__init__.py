"""Reach a cluster of the registry the way Airflow's hooks do."""
