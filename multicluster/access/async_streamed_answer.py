"""Read an asynchronous answer bit by bit, with our own error where nothing more comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

READING = frozenset({"read", "readany", "readchunk", "readexactly", "readline", "readuntil", "text", "json"})


class AsyncStreamedAnswer:
    """An unread answer of aiohttp, or its ``content``; whatever is not about reading is the answer's own.

    *silent* makes the error for a silence that lasted longer than the time-out allows. It must be no TimeoutError: at
    one of those the stock watch sends its request again, for ever.
    """

    def __init__(self, answer: Any, silent: Callable[[Exception], Exception]) -> None:
        self._answer = answer
        self._silent = silent

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._answer, name)
        if name == "content":
            return AsyncStreamedAnswer(found, self._silent)
        return self._translating(found) if name in READING else found

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while line := await self.readline():
            yield line

    async def __aenter__(self) -> Self:
        await self._answer.__aenter__()
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._answer.__aexit__(*reason)

    def _translating(self, read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def reading(*arguments: Any, **options: Any) -> Any:
            try:
                return await read(*arguments, **options)
            except TimeoutError as error:
                raise self._silent(error) from error

        return reading
