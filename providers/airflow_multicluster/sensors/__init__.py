"""Tasks that wait for a proof."""
