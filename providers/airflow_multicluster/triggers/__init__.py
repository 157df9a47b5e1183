"""The same waits, in the triggerer. Their arguments are names and numbers only."""
