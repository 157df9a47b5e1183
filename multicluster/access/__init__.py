"""From a cluster to API clients that renew their own credentials."""
