"""The plays that are performed on a real Airflow and a simulated world."""
