from __future__ import annotations

from collections.abc import Callable
from typing import Any

import google.auth
import google.auth.transport.requests
import pytest

from multicluster.simulator import World

SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")
Session = google.auth.transport.requests.AuthorizedSession


@pytest.fixture
def env(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    # google-auth reads this one variable when it is imported; a program started in the environment has it right.
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", env["GCE_METADATA_HOST"])
    # google-auth 2.6x asks iamcredentials.googleapis.com for `allowedLocations` behind an AuthorizedSession's back,
    # and has no setting to leave it. Nothing of a test may leave the machine.
    for owner in ("credentials.CredentialsWithRegionalAccessBoundary", "compute_engine.credentials.Credentials"):
        method = f"google.auth.{owner}._is_regional_access_boundary_lookup_required"
        monkeypatch.setattr(method, lambda _: False, raising=False)
    return env


@pytest.fixture
def credentials(env: dict[str, str]) -> Any:
    return google.auth.default(scopes=SCOPES)[0]


@pytest.fixture
def call(world: World, credentials: Any) -> Callable[..., Any]:
    """Call container v1 as an AuthorizedSession does; the path begins behind the location."""
    session = Session(credentials)

    def request(method: str, path: str, body: Any = None) -> Any:
        url = f"{world.google.url}/v1/projects/acme/locations/europe-west4/{path}"
        return session.request(method, url, json=body, timeout=10)

    return request
