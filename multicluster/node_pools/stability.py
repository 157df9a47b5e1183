"""Ready twice in a row: device plugins restart, and take their GPUs away for a moment."""

from __future__ import annotations

from dataclasses import dataclass

from multicluster.node_pools.readiness import Readiness


@dataclass(frozen=True, kw_only=True)
class Stability:
    """How often in a row a pool was found ready, and since when; two numbers, so that a trigger can keep them."""

    looks: int = 0
    since: float = 0.0
    """Epoch seconds of the first look in the row; 0 without one."""

    def seen(self, verdict: Readiness, *, at: float) -> Stability:
        """Return the state after a look at epoch second *at*; a verdict that is not ready starts anew."""
        if not verdict.ready:
            return Stability()
        return Stability(looks=self.looks + 1, since=self.since if self.looks else at)

    def reached(self, *, looks: int = 2, seconds: float = 0, at: float = 0) -> bool:
        """Whether it was ready *looks* times in a row, and at *at* for at least *seconds*."""
        return self.looks >= looks and (seconds <= 0 or at - self.since >= seconds)
