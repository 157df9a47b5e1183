"""Hand out one token until it must be renewed."""

from __future__ import annotations

import asyncio

from multicluster.access.clock import Clock, system_clock
from multicluster.access.single_flight import SingleFlight
from multicluster.access.token import Token, TokenSource


class CachedTokens:
    """A cluster's tokens: one mint serves all threads, and a forked child waits for none of its parent's.

    A token is used until its ``expires_at``. A failed mint fails everybody who waited for it, once.
    """

    def __init__(self, source: TokenSource, *, clock: Clock = system_clock) -> None:
        self._source = source
        self._clock = clock
        self._token: Token | None = None
        self._renewal: SingleFlight[Token] = SingleFlight(self._renew)
        self.minted = 0
        """How many tokens were made so far."""

    def token(self) -> Token:
        """Return a token that is still good; blocks while one is made. Raises AccessError."""
        token = self._usable()
        return self._renewal() if token is None else token

    async def token_async(self) -> Token:
        """Return a token that is still good; the event loop goes on while one is made. Raises AccessError."""
        token = self._usable()
        return await asyncio.to_thread(self._renewal) if token is None else token

    def drop(self, token: Token) -> None:
        """Forget *token*, which an API server refused; does nothing when a newer one is there already."""
        if self._token == token:
            self._token = None

    def age(self, token: Token) -> float | None:
        """Return how old *token* is, seconds; None when nobody knows."""
        return None if token.minted_at is None else max(0.0, (self._clock() - token.minted_at).total_seconds())

    def left(self, token: Token) -> float:
        """Return for how long *token* may still be used, seconds."""
        return (token.expires_at - self._clock()).total_seconds()

    def _usable(self) -> Token | None:
        token = self._token
        return token if token is not None and self._clock() < token.expires_at else None

    def _renew(self) -> Token:
        usable = self._usable()
        if usable is not None:
            return usable
        self._token = token = self._source.mint()
        self.minted += 1
        return token
