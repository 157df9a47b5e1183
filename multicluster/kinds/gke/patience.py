"""Ask Google again when it answers that it is too busy."""

from __future__ import annotations

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TRIES_MORE = 3
PAUSE_FACTOR = 0.5
"""Seconds: the first further try follows at once, the second after 1 s, the third after 2 s."""
TOO_BUSY = (429, 503)


def patient() -> requests.Session:
    """Return a session that asks up to three times more where the answer is 429 or 503; the last answer is returned.

    For what nobody above asks again: tokens, and where a cluster is. Silence and cut connections are not repeated.
    """
    again = Retry(
        total=TRIES_MORE,
        connect=0,
        read=False,  # raised as it is, not as "too many tries"
        redirect=0,
        other=0,
        status=TRIES_MORE,
        status_forcelist=TOO_BUSY,
        allowed_methods=None,
        backoff_factor=PAUSE_FACTOR,
        raise_on_status=False,
        respect_retry_after_header=False,  # it may say hours
    )
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=again))
    session.mount("http://", HTTPAdapter(max_retries=again))
    return session
