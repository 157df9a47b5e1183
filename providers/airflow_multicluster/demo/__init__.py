"""The demo's Airflow side: a DAG run by ``dag.test()``, or a whole standalone Airflow, in a process of its own."""
