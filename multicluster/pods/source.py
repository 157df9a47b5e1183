"""Say what a shared watch needs of an API server: pages of a list, one object, and the changes after a version."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, Protocol

Document = dict[str, Any]
"""An object as Kubernetes writes it in JSON."""
DELETED = "DELETED"
BOOKMARK = "BOOKMARK"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A part of a list that is consistent at *version*; *rest* asks for the next part and is empty on the last."""

    items: list[Document]
    version: str
    rest: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One line of a watch; *kind* is ADDED, MODIFIED, DELETED or BOOKMARK."""

    kind: str
    document: Document

    @property
    def version(self) -> str:
        """The version from which a watch can go on after this change."""
        return str(self.document["metadata"]["resourceVersion"])


class SourceError(Exception):
    """Base of what may befall a request; stays inside this room. *retry_after* is the server's wish, in seconds."""

    def __init__(self, text: str, *, retry_after: float = 0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class BrokenOffError(SourceError):
    """No usable answer, or one that broke off: a watch may go on from where it was."""


class HistoryGoneError(SourceError):
    """The server does not go on from there (410, an ERROR event, an error for a watch): begin with a list."""


class NotAllowedError(SourceError):
    """The identity may not list or watch here (403)."""


class Source(Protocol):
    """One collection of one namespace: pods, or events. May raise any SourceError, and fatal MulticlusterErrors."""

    async def page(self, *, size: int, rest: str = "", about: str = "") -> Page:
        """Return a page of at most *size* items of the newest state; of events, only those *about* one object."""
        ...

    async def get(self, name: str) -> Document | None:
        """Return the object in its newest state; None where there is none. Other refusals are the client's errors."""
        ...

    def changes(self, version: str, *, seconds: int, silence: float) -> AsyncGenerator[Change, None]:
        """Yield what happens after *version*, for so many seconds; a silence of *silence* seconds breaks it off."""
        ...
