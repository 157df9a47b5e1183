"""A real Airflow, each part a process: what tests/endings and tests/kills are performed on."""
