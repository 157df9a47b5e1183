"""Answer Google's OAuth2 token endpoint, its token service, tokeninfo, and IAM's generateAccessToken."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from multicluster.simulator.google.errors import GoogleError
from multicluster.simulator.google.identities import CLOUD_PLATFORM, USERINFO_EMAIL, AccessToken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric import rsa

    from multicluster.simulator.google.identities import AccessTokens, ServiceAccount, ServiceAccounts

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
AUDIENCE = "https://oauth2.googleapis.com/token"  # google-auth writes this one whatever the key file's token_uri says
MAX_LIFE = 3600
LIFETIME = re.compile(r"(\d{1,5})s")


class OAuth:
    """Hand out access tokens for what proves an identity."""

    def __init__(self, accounts: ServiceAccounts, tokens: AccessTokens, now: Callable[[], dt.datetime]) -> None:
        self.accounts, self.tokens, self.now = accounts, tokens, now
        self.url = ""
        self.refresh_tokens: dict[str, ServiceAccount] = {}

    def token(self, body: bytes) -> web.Response:
        """Answer a grant: a signed JWT, a refresh token, or a token of another identity provider."""
        form = dict(parse_qsl(body.decode()))
        grant = form.get("grant_type")
        if grant == JWT_BEARER:
            return self._jwt(form.get("assertion", ""))
        if grant == "refresh_token" and form.get("refresh_token") in self.refresh_tokens:
            scopes = form.get("scope", f"{CLOUD_PLATFORM} {USERINFO_EMAIL}").split()
            return answer(self.tokens.mint(self.refresh_tokens[form["refresh_token"]], scopes), self.now())
        if grant == EXCHANGE:
            return self._exchange(form)
        error = "invalid_grant" if grant == "refresh_token" else "unsupported_grant_type"
        return refuse(error, "Bad Request" if error == "invalid_grant" else f"Invalid grant_type: {grant}")

    def _jwt(self, assertion: str) -> web.Response:
        try:
            head, claims, signed, signature = split(assertion)
        except (ValueError, binascii.Error):
            return refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)")
        account = self.accounts.all.get(str(claims.get("iss", "")))
        if account is None:
            return refuse("invalid_grant", "Invalid grant: account not found")
        key = account.keys.get(str(head.get("kid")))
        if key is None or head.get("alg") != "RS256" or not signed_by(key, signed, signature):
            return refuse("invalid_grant", "Invalid JWT Signature.")
        reason = self._judge(claims)
        if reason:
            return refuse("invalid_grant", f"Invalid JWT: {reason}")
        scopes = str(claims.get("scope", "")).split()
        if not scopes:
            return refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        return answer(self.tokens.mint(account, scopes), self.now())

    def _judge(self, claims: Mapping[str, Any]) -> str:
        """Say what is wrong with the claims of a signed JWT; empty when nothing is."""
        now, issued, ends = self.now().timestamp(), float(claims.get("iat", 0)), float(claims.get("exp", 0))
        if not issued <= now + 300 or not now < ends <= issued + MAX_LIFE:
            text = "Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
            return f"{text} Check your iat and exp values in the JWT claim."
        return "" if claims.get("aud") in {AUDIENCE, self.url + "/token"} else "Failed audience check."

    def _exchange(self, form: Mapping[str, str]) -> web.Response:
        """Exchange a token of another provider; it is not looked into, since that provider is outside this world."""
        if not form.get("subject_token") or not form.get("audience"):
            return refuse("invalid_request", "subject_token and audience are required")
        name = "federated-" + re.sub(r"[^a-z0-9-]", "-", form["audience"].rsplit("/", 1)[-1].lower())
        token = self.tokens.mint(self.accounts.add(name, "pool"), form.get("scope", CLOUD_PLATFORM).split())
        body = {"access_token": token.token, "expires_in": MAX_LIFE, "token_type": "Bearer"}
        return web.json_response({**body, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})

    def tokeninfo(self, token: str) -> web.Response:
        """Say what a token is good for."""
        found = self.tokens.find(token)
        if found is None:
            return refuse("invalid_token", "Invalid Value")
        left = int((found.expires - self.now()).total_seconds())
        info = {"azp": found.account.unique_id, "aud": found.account.unique_id, "scope": " ".join(found.scopes)}
        info |= {"exp": str(int(found.expires.timestamp())), "expires_in": str(left), "access_type": "online"}
        if USERINFO_EMAIL in found.scopes:
            info |= {"email": found.account.email, "email_verified": "true"}
        return web.json_response(info)

    def generate_access_token(self, caller: AccessToken, email: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Hand out a token of another account, if the caller may act as it."""
        account = self.accounts.all.get(email)
        allowed = account is not None and (
            account.impersonators is None or caller.account.email in account.impersonators
        )
        if account is None or not allowed:
            message = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
            raise GoogleError(403, message, reason="IAM_PERMISSION_DENIED", domain="iam.googleapis.com")
        scopes = body.get("scope") or []
        lifetime = LIFETIME.fullmatch(str(body.get("lifetime", "3600s")))
        if not scopes or lifetime is None or not 0 < int(lifetime[1]) <= MAX_LIFE:
            raise GoogleError(400, "Request contains an invalid argument.")
        token = self.tokens.mint(account, scopes, dt.timedelta(seconds=int(lifetime[1])))
        return {"accessToken": token.token, "expireTime": f"{token.expires:%Y-%m-%dT%H:%M:%SZ}"}


def signed_by(key: rsa.RSAPrivateKey, signed: bytes, signature: bytes) -> bool:
    """Tell whether a key made a signature with RS256."""
    try:
        key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def split(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    """Take a JWT apart: header, claims, what was signed, signature."""
    first, second, third = assertion.split(".")
    head, claims = (json.loads(decode(part)) for part in (first, second))
    return head, claims, f"{first}.{second}".encode(), decode(third)


def decode(part: str) -> bytes:
    """Decode unpadded base64url."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def refuse(error: str, description: str) -> web.Response:
    """Refuse a grant."""
    return web.json_response({"error": error, "error_description": description}, status=400)


def answer(token: AccessToken, now: dt.datetime) -> web.Response:
    """Hand out a token with its remaining life."""
    left = int((token.expires - now).total_seconds())
    return web.json_response({"access_token": token.token, "expires_in": left, "token_type": "Bearer"})
