"""What is done around the work on one cluster: ask for a pool, keep its lease, see it ready, delete it, prove that."""
