"""The kubelet: pods bound to a node become processes of this machine."""
