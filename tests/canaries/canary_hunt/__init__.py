"""Search for secrets: what tests/canaries and tests/endings share."""
