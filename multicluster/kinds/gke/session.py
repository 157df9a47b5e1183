"""Keep credentials, and what speaks to Google with them, together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import requests
from requests.auth import AuthBase

from multicluster.access.kind import Network
from multicluster.access.single_flight import PerProcessLock
from multicluster.kinds.gke.bounded_request import BoundedRequest
from multicluster.kinds.gke.patience import patient

UNAUTHORIZED = 401


@dataclass(frozen=True, kw_only=True)
class GoogleSession:
    """Credentials that several clusters share; whoever refreshes them holds ``lock``."""

    credentials: Any = field(repr=False)
    request: BoundedRequest
    http: requests.Session
    """For node pools, whose callers decide whether to ask again."""
    patient: requests.Session
    """For what nobody asks again."""
    lock: PerProcessLock

    @classmethod
    def of(cls, credentials: Any, network: Network) -> Self:
        """Return a session for *credentials*, which are refreshed within *network*'s time-outs; no network is used."""
        lock, request, http, asking = PerProcessLock(), BoundedRequest(network), requests.Session(), patient()
        http.auth = asking.auth = GoogleBearer(credentials, request, lock)
        return cls(credentials=credentials, request=request, http=http, patient=asking, lock=lock)


class GoogleBearer(AuthBase):
    """Put the credentials' token on each request; after a 401, a new one once.

    google-auth's own AuthorizedSession is not used: since 2.6x it also sends the token to
    iamcredentials.googleapis.com (``allowedLocations``), in a thread of its own and with no setting to leave it.
    """

    def __init__(self, credentials: Any, request: BoundedRequest, lock: PerProcessLock) -> None:
        self._credentials = credentials
        self._request = request
        self._lock = lock

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign *request*. Raises google-auth's errors when no token can be had."""
        with self._lock:
            if not self._credentials.valid:
                self._credentials.refresh(self._request)
            self._credentials.apply(request.headers)
        request.hooks["response"] = [*request.hooks.get("response", []), self._replay]
        return request

    def _replay(self, response: requests.Response, **how: Any) -> requests.Response:
        if response.status_code != UNAUTHORIZED:
            return response
        _ = response.content  # read to its end, the connection can be used again
        again = response.request.copy()
        again.hooks = {"response": []}
        refused = str(again.headers.get("Authorization", "")).removeprefix("Bearer ")
        with self._lock:
            if self._credentials.token == refused:
                self._credentials.refresh(self._request)
            self._credentials.apply(again.headers)
        answer: requests.Response = response.connection.send(again, **how)
        answer.history.append(response)
        return answer
