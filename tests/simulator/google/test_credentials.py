"""google-auth gets its tokens from this world in every way the toolkit uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import google.auth
import google.auth.exceptions
import google.auth.impersonated_credentials
import google.auth.transport.requests
import google.oauth2.service_account
import pytest
import requests

from multicluster.simulator import World

SCOPES = ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"]
EMAIL = "airflow@acme.iam.gserviceaccount.com"
Request = google.auth.transport.requests.Request


def tokeninfo(world: World, token: str) -> dict[str, Any]:
    answer = requests.get(world.google.url + "/tokeninfo", params={"access_token": token}, timeout=5)
    info: dict[str, Any] = answer.json()
    return info


def test_the_metadata_server_gives_the_default_credentials(world: World, env: dict[str, str]) -> None:
    credentials, project = google.auth.default(scopes=SCOPES)

    credentials.refresh(Request())

    assert project == "acme"
    assert credentials.service_account_email == EMAIL
    assert tokeninfo(world, credentials.token)["email"] == EMAIL


def test_the_metadata_server_hands_one_token_out_until_its_end_is_near(world: World, env: dict[str, str]) -> None:
    first, _ = google.auth.default(scopes=SCOPES)
    second, _ = google.auth.default(scopes=SCOPES)

    first.refresh(Request())
    second.refresh(Request())

    assert first.token == second.token


def test_the_metadata_server_refuses_requests_without_its_header(world: World) -> None:
    answer = requests.get(f"http://{world.metadata_host}/computeMetadata/v1/project/project-id", timeout=5)

    assert answer.status_code == 403


def test_a_service_account_key_is_exchanged_for_a_token(
    world: World, env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(world.google.key_file("deployer")))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    credentials, _ = google.auth.default(scopes=SCOPES)
    credentials.refresh(Request())

    assert tokeninfo(world, credentials.token)["email"] == "deployer@acme.iam.gserviceaccount.com"


def test_a_jwt_signed_with_another_key_is_refused(world: World, env: dict[str, str]) -> None:
    info, other = world.google.key_file("deployer"), world.google.key_file("deployer")
    forged = {**info, "private_key": other["private_key"]}
    credentials = google.oauth2.service_account.Credentials.from_service_account_info(forged, scopes=SCOPES)

    with pytest.raises(google.auth.exceptions.RefreshError, match="Invalid JWT Signature"):
        credentials.refresh(Request())


def test_a_key_of_an_account_that_is_gone_is_refused(world: World, env: dict[str, str]) -> None:
    info = world.google.key_file("deployer")
    world.google.accounts.all.clear()
    credentials = google.oauth2.service_account.Credentials.from_service_account_info(info, scopes=SCOPES)

    with pytest.raises(google.auth.exceptions.RefreshError, match="account not found"):
        credentials.refresh(Request())


def test_the_user_is_the_email_only_with_the_scope_for_it(world: World, env: dict[str, str]) -> None:
    info = world.google.key_file()
    service_account = google.oauth2.service_account.Credentials
    named = service_account.from_service_account_info(info, scopes=SCOPES)
    numbered = service_account.from_service_account_info(info, scopes=SCOPES[:1])

    users = []
    for credentials in (named, numbered):
        credentials.refresh(Request())
        found = world.google.tokens.find(credentials.token)
        assert found is not None
        users.append(found.user)

    assert users[0] == EMAIL
    assert users[1].isdigit()
    assert len(users[1]) == 21


def test_impersonation_takes_its_endpoint_as_an_argument(world: World, env: dict[str, str], credentials: Any) -> None:
    target = world.google.accounts.add("trainer", "acme", impersonators=[EMAIL]).email
    override = f"{world.google.url}/v1/projects/-/serviceAccounts/{target}:generateAccessToken"
    acting = google.auth.impersonated_credentials.Credentials(
        credentials, target, SCOPES, lifetime=600, iam_endpoint_override=override
    )

    acting.refresh(Request())

    assert tokeninfo(world, acting.token)["email"] == target
    assert int(tokeninfo(world, acting.token)["expires_in"]) <= 600


def test_impersonation_without_the_right_is_denied(world: World, env: dict[str, str], credentials: Any) -> None:
    target = world.google.accounts.add("trainer", "acme", impersonators=[]).email
    override = f"{world.google.url}/v1/projects/-/serviceAccounts/{target}:generateAccessToken"
    acting = google.auth.impersonated_credentials.Credentials(
        credentials, target, SCOPES, iam_endpoint_override=override
    )

    with pytest.raises(google.auth.exceptions.RefreshError, match="getAccessToken"):
        acting.refresh(Request())


def test_a_federated_identity_acts_as_a_service_account(
    world: World, env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "subject").write_text("token of another provider")
    email = world.google.account.email
    document = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/aws/providers/eks",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": world.google.url + "/v1/token",
        "credential_source": {"file": str(tmp_path / "subject")},
        "service_account_impersonation_url": (
            f"{world.google.url}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
        ),
    }
    (tmp_path / "adc.json").write_text(json.dumps(document))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))

    credentials, _ = google.auth.default(scopes=SCOPES)
    credentials.refresh(Request())

    assert tokeninfo(world, credentials.token)["email"] == email


def test_a_token_of_nobody_is_401_and_one_without_scope_403(world: World, env: dict[str, str]) -> None:
    url = f"{world.google.url}/v1/projects/acme/locations/europe-west4/clusters/gpu"
    weak = world.google.tokens.mint(world.google.account, ["https://www.googleapis.com/auth/userinfo.email"]).token

    answers = [
        requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5) for token in ("ya29.nobody", weak)
    ]

    assert [answer.status_code for answer in answers] == [401, 403]
    assert answers[0].json()["error"]["status"] == "UNAUTHENTICATED"
    assert answers[1].json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_an_account_without_rights_is_denied(world: World, env: dict[str, str], call: Any) -> None:
    world.google.account.allowed = False

    answer = call("GET", "clusters/gpu")

    assert answer.status_code == 403
    assert answer.json()["error"]["status"] == "PERMISSION_DENIED"
