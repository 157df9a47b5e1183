"""One cluster, context or user block of a kubeconfig, read field by field."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multicluster.errors import AccessError


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A block, and the folder that its relative paths start from. No error quotes a value: it may be a secret."""

    name: str
    block: Mapping[str, Any] = field(repr=False)
    folder: Path
    where: str
    """Cluster, context, file and block, for errors."""
    wrong: type[AccessError] = AccessError
    """What is raised for a field that cannot be used."""

    def refuse(self, key: str, why: str) -> AccessError:
        """Return the error of a field that cannot be used."""
        return self.wrong(f"{self.where}: {key} {why}")

    def text(self, key: str) -> str | None:
        """Return a text, None when it is absent or empty."""
        value = self.block.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.refuse(key, f"is {_kind(value)} and must be a text; put it in quotes")
        if "\0" in value:
            raise self.refuse(key, "holds a NUL character")
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; false when it is absent."""
        value = self.block.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(key, f"is {_kind(value)} and must be true or false, without quotes")
        return bool(value)

    def mapping(self, key: str) -> Mapping[str, Any] | None:
        """Return a block within this one, None when it is absent or empty."""
        value = self.block.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.refuse(key, f"is {_kind(value)} and must be a mapping")
        return value or None

    def file(self, key: str) -> Path | None:
        """Return a path, resolved like kubectl's."""
        value = self.text(key)
        return self.folder / value if value else None

    def pem(self, key: str) -> bytes | None:
        """Return the content of ``key-data`` (base64), or of the file that ``key`` names; None when neither is given.

        What is named and empty is refused: without it a connection would trust, or show, something else.
        """
        given = [name for name in (f"{key}-data", key) if name in self.block]
        filled = [name for name in given if self.text(name)]
        if not given:
            return None
        if not filled:
            raise self.refuse(given[0], "is empty; give it a value, or leave it out")
        content = self._read(key) if filled[0] == key else self._decoded(filled[0])
        if not content.strip():
            raise self.refuse(filled[0], "names nothing: it is empty")
        return content

    def _decoded(self, key: str) -> bytes:
        text = (self.text(key) or "").replace("\r", "").replace("\n", "")  # Go's decoder skips these two
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            raise self.refuse(key, "is not base64") from None

    def _read(self, key: str) -> bytes:
        path = self.file(key)
        try:
            return path.read_bytes() if path else b""
        except OSError as error:
            raise self.refuse(key, f"cannot be read: {error}") from error


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), f"of type {type(value).__name__}")
