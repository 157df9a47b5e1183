"""Read an answer bit by bit, with our own error where nothing more comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from urllib3.exceptions import ReadTimeoutError


class StreamedAnswer:
    """An unread urllib3 answer; whatever is not about reading is the answer's own.

    *silent* makes the error for a silence that lasted longer than the time-out allows.
    """

    def __init__(self, answer: Any, silent: Callable[[Exception], Exception]) -> None:
        self._answer = answer
        self._silent = silent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)

    def __iter__(self) -> Iterator[bytes]:
        with self._translating():
            yield from self._answer

    @property
    def data(self) -> bytes:
        """The whole body."""
        with self._translating():
            body: bytes = self._answer.data
        return body

    def read(self, *arguments: Any, **options: Any) -> bytes:
        """Read as urllib3 does."""
        with self._translating():
            read: bytes = self._answer.read(*arguments, **options)
        return read

    def stream(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        """Yield what comes, as urllib3 does."""
        with self._translating():
            yield from self._answer.stream(*arguments, **options)

    def read_chunked(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        """Yield chunks, as urllib3 does."""
        with self._translating():
            yield from self._answer.read_chunked(*arguments, **options)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except ReadTimeoutError as error:
            raise self._silent(error) from error
