"""Look for secrets in whatever a run has left: files, and every column of every table, in every usual coding."""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

CODED = 16
"""How long a secret is, at the least, for what base64 makes of it to be no accident in compressed bytes."""


Place = tuple[str, bytes]


def hits(folder: Path, secrets: Mapping[str, str]) -> list[str]:
    """Name each place below *folder* that holds a secret, as ``secret in place``."""
    return found(places(folder), secrets)


def found(places: Iterable[Place], secrets: Mapping[str, str]) -> list[str]:
    """Name each of the places that holds a secret, as ``secret in place``."""
    wanted = {name: forms(value) for name, value in secrets.items()}
    return sorted(
        {
            f"{name} in {place}"
            for place, content in places
            for name, codings in wanted.items()
            if any(coding in content for coding in codings)
        }
    )


def places(folder: Path) -> Iterator[Place]:
    """Give all that can be looked into: files, names of files, and cells of databases."""
    for file in sorted(folder.rglob("*")):
        name = str(file.relative_to(folder))
        yield f"the name {name}", name.encode()
        if file.is_file() and not file.is_symlink():
            with contextlib.suppress(FileNotFoundError):  # whoever has made it may be at work
                yield name, file.read_bytes()  # a database too: what was deleted stands there until it is written over
            if file.suffix == ".db":
                with contextlib.closing(sqlite3.connect(file)) as connection:
                    yield from cells(connection.cursor(), "SELECT name FROM sqlite_master WHERE type = 'table'")


def cells(cursor: Any, tables: str) -> Iterator[Place]:
    """Give every cell of every table that the query *tables* names, compressed ones as they were before."""
    cursor.execute(tables)
    for (table,) in cursor.fetchall():
        cursor.execute(f'SELECT * FROM "{table}"')
        columns = [column[0] for column in cursor.description]
        for row in cursor.fetchall():
            for column, value in zip(columns, row, strict=True):
                yield f"{table}.{column}", plain(value)


def plain(value: object) -> bytes:
    if isinstance(value, dict | list):  # PostgreSQL's JSON
        value = json.dumps(value)
    content = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    with contextlib.suppress(zlib.error):
        return zlib.decompress(content)
    return content


def forms(secret: str) -> set[bytes]:
    """Give a secret in plain, as JSON and URLs write it, and what base64 makes of it at each of three offsets."""
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3], quote(secret), quote_plus(secret)}
    codings = {text.encode() for text in texts}
    if len(secret) < CODED:
        return codings
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\0" * offset + secret.encode()).rstrip(b"=")
            codings.add(coded[(0, 2, 3)[offset] : -1])  # what does not depend on the neighbours
    return codings
