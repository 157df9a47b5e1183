"""Tell trouble that passes from trouble that stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from multicluster.brackets.finding import Finding
from multicluster.errors import MulticlusterError

TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500


@dataclass
class Trouble:
    """What went wrong in the block; ``finding`` is None when nothing did."""

    finding: Finding | None = None


@contextmanager
def trouble(subject: str) -> Iterator[Trouble]:
    """Turn errors of the block into a finding: transient ones let the lookout go on, others end it."""
    from kubernetes.client.exceptions import ApiException

    found = Trouble()
    try:
        yield found
    except MulticlusterError as error:
        text = f"{subject}: {type(error).__name__}: {error}"
        found.finding = Finding(status="waiting" if error.transient else "failed", text=text)
    except ApiException as error:
        passing = error.status is None or error.status >= SERVER_ERROR or error.status == TOO_MANY_REQUESTS
        text = f"{subject}: the cluster answered {error.status} {error.reason}{_words(error)}"
        found.finding = Finding(status="waiting" if passing else "failed", text=text)


def _words(error: Any) -> str:
    """Return what the API server said: the right that is missing, the object that is not there."""
    try:
        return f": {json.loads(error.body)['message']}"
    except (TypeError, ValueError, LookupError):
        return ""
