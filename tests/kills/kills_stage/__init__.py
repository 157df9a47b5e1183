"""Node pools on a real Airflow whose parts are killed, and what becomes of the pools."""
