"""Find what outlived its work on all clusters, say what is to become of it, and delete it.

Everything is read from the clouds, at the moment it is needed; Airflow is asked only whether a run is alive.
"""
