"""Act as a service account, also after the token of whoever acts was revoked."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from google.auth import impersonated_credentials
from google.auth.exceptions import RefreshError

from multicluster.kinds.gke.errors import iam_status


class Impersonation(impersonated_credentials.Credentials):  # type: ignore[misc, unused-ignore]
    """google-auth's credentials, which look at the clock only: a source's token that IAM refuses is renewed once."""

    def refresh(self, request: Any) -> None:
        """Ask IAM for a token. Raises what google-auth raises."""
        parent: Any = super()
        try:
            parent.refresh(request)
        except RefreshError as error:
            if iam_status(error) != HTTPStatus.UNAUTHORIZED:
                raise
            source: Any = self._source_credentials
            source.refresh(request)
            parent.refresh(request)
