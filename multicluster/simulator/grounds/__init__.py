"""Where the clusters of a world stand: simulated in its process, or on real Kubernetes testbeds."""
