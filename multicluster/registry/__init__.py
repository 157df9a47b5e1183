"""Names to clusters: reading the registry document, selecting from it, and handing out clients."""
