"""A real Kubernetes on one machine, without Docker: the launcher behind ``infra/testbed/run``."""

from __future__ import annotations
