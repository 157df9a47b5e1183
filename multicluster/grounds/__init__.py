"""Put the clusters of a simulated world on real Kubernetes testbeds: the bridge to ``infra/testbed``."""
