"""A day of many clusters in one virtual time."""
