"""Keep the Authorization header of a client's requests good."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from multicluster.access.endpoint import Endpoint
from multicluster.access.kind import ClusterAccess
from multicluster.access.refusal import refusal, refusal_without_token
from multicluster.access.token import Finding, Token, sendable
from multicluster.errors import CredentialError

SLOTS = ("authorization", "BearerToken")
"""Where Kubernetes clients look for the header; kubernetes 36 renamed it (kubernetes-client/python#2582)."""


class Authorization:
    """The header of one cluster: a token from its cache, a password that never changes, or nothing."""

    def __init__(self, access: ClusterAccess, endpoint: Endpoint, *, name: str) -> None:
        self._name = name
        self._endpoint = endpoint
        self._tokens = access.tokens

    def fill(self, configuration: Any) -> None:
        """Write the whole header, without a prefix, into every slot of a client's configuration; may mint."""
        self._write(configuration, self._tokens.token() if self._tokens else None)

    async def fill_async(self, configuration: Any) -> None:
        """Do the same without blocking the event loop."""
        self._write(configuration, await self._tokens.token_async() if self._tokens else None)

    def sign(self, headers: Mapping[str, str], configuration: Any) -> dict[str, str]:
        """Return a request's headers with a header that is good now; one that the caller brought stays.

        What the client's own code made of its configuration is not relied upon: kubernetes 36.0.0 forgets the header,
        and kubernetes_asyncio before 32 calls no asynchronous hook.
        """
        before = configuration.api_key.get(SLOTS[0])
        self.fill(configuration)
        return _replaced(headers, before, configuration)

    async def sign_async(self, headers: Mapping[str, str], configuration: Any) -> dict[str, str]:
        """Do the same without blocking the event loop."""
        before = configuration.api_key.get(SLOTS[0])
        await self.fill_async(configuration)
        return _replaced(headers, before, configuration)

    def _write(self, configuration: Any, token: Token | None) -> None:
        header = _bearer(token) if token else self._password()
        if header:
            configuration.api_key = dict.fromkeys(SLOTS, header)

    def _password(self) -> str | None:
        header = self._endpoint.authorization
        if header is not None and not all(map(sendable, header.split(" "))):
            raise CredentialError(
                f"cluster {self._name!r}: its password holds a character that no header can carry; correct its source"
            )
        return header

    def renew(self, headers: Mapping[str, str], answer: Mapping[str, str] | None, *, again: bool) -> dict[str, str]:
        """Return the request's headers with a new token after a 401 whose headers are *answer*.

        Raises CredentialError when there is no token to renew, or when this is the second 401, after asking whoever
        gave out the credentials what they know of it.
        """
        token = self._tokens.token() if self._tokens else None
        if self._tokens is None or token is None or again:
            raise self._refusal(token, answer, _found(token))
        if headers.get("authorization") == _bearer(token):
            self._tokens.drop(token)
            token = self._tokens.token()
        return {**headers, "authorization": _bearer(token)}

    async def renew_async(
        self, headers: Mapping[str, str], answer: Mapping[str, str] | None, *, again: bool
    ) -> dict[str, str]:
        """Do the same without blocking the event loop."""
        token = await self._tokens.token_async() if self._tokens else None
        if self._tokens is None or token is None or again:
            raise self._refusal(token, answer, await asyncio.to_thread(_found, token))
        if headers.get("authorization") == _bearer(token):
            self._tokens.drop(token)
            token = await self._tokens.token_async()
        return {**headers, "authorization": _bearer(token)}

    def _refusal(
        self, token: Token | None, answer: Mapping[str, str] | None, finding: Finding | None
    ) -> CredentialError:
        name, server = self._name, self._endpoint.server
        if self._tokens is None or token is None:
            return refusal_without_token(name=name, server=server)
        age, left = self._tokens.age(token), self._tokens.left(token)
        return refusal(name=name, server=server, token=token, age=age, left=left, headers=answer, finding=finding)


def _found(token: Token | None) -> Finding | None:
    return token.inquire() if token is not None and token.inquire is not None else None


def _replaced(headers: Mapping[str, str], before: str | None, configuration: Any) -> dict[str, str]:
    header = configuration.api_key.get(SLOTS[0])
    if header is None or headers.get("authorization", before) != before:
        return dict(headers)
    return {**headers, "authorization": header}


def _bearer(token: Token) -> str:
    return f"Bearer {token.value}"
