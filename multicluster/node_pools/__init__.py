"""What a node pool is, whichever cloud runs it."""
