"""A real Airflow on a simulated world, and the plays that are performed on it."""
