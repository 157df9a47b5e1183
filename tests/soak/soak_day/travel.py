"""Let everybody who looks at the machine's clock see the world's: botocore, google-auth and our own signing.

TLS is left alone: certificates of a world are good for real days.
"""

from __future__ import annotations

import datetime as dt
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from multicluster.access.cached_endpoint import CachedEndpoint

if TYPE_CHECKING:
    import pytest

    from multicluster.simulator import ManualClock

OURS = ("kinds.eks.token_source", "kinds.gke.token_source", "access.refusal")


class _AnyDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, dt.datetime)


def travel(patch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    """Replace the clocks that no constructor takes; libraries' pauses between tries pass in virtual time, too."""

    class Travelled(dt.datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return clock.now().astimezone(tz) if tz is not None else clock.now().replace(tzinfo=None)

    for module in OURS:
        patch.setattr(f"multicluster.{module}.datetime", Travelled)
    patch.setattr("botocore.auth.get_current_datetime", lambda: clock.now().replace(tzinfo=None))
    patch.setattr("botocore.credentials.datetime", SimpleNamespace(datetime=Travelled, timedelta=dt.timedelta))
    patch.setattr("google.auth._helpers.utcnow", lambda: clock.now().replace(tzinfo=None))
    pausing = SimpleNamespace(**{**vars(time), "sleep": clock.advance})
    patch.setattr("botocore.endpoint.time", pausing)
    patch.setattr("google.auth._exponential_backoff.time", pausing)
    patch.setattr("urllib3.util.retry.time", pausing)
    defaults = CachedEndpoint.__init__.__kwdefaults__
    patch.setitem(defaults, "monotonic", lambda: clock.now().timestamp())
