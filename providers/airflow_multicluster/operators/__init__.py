"""Tasks that act."""
