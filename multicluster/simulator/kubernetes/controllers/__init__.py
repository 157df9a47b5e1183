"""Controllers: loops that react to changes of the store."""
