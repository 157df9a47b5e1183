"""Run one operator against a simulated cluster, as a worker and a triggerer would."""
