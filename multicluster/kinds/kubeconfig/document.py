"""Read kubeconfig files as kubectl does, and find a context in them."""

from __future__ import annotations

import base64
import binascii
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from multicluster.errors import AccessError

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML has it: twenty times as fast on a large file."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A cluster or user block, and the folder that its relative paths start from."""

    name: str
    block: Mapping[str, Any] = field(repr=False)
    folder: Path

    def text(self, key: str) -> str | None:
        """Return a value, None when it is absent or empty."""
        return str(self.block[key]) if self.block.get(key) else None

    def file(self, key: str) -> Path | None:
        """Return a path, resolved like kubectl's."""
        value = self.text(key)
        return self.folder / value if value else None

    def pem(self, key: str) -> bytes | None:
        """Return the content of ``key-data`` (base64), or of the file that ``key`` names."""
        try:
            if self.block.get(f"{key}-data"):
                return base64.b64decode(self.block[f"{key}-data"])
            path = self.file(key)
            return path.read_bytes() if path else None
        except (OSError, binascii.Error, TypeError) as error:
            raise AccessError(f"kubeconfig entry {self.name!r}: {key} cannot be read: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Context:
    """A context with what it refers to."""

    name: str
    cluster: Entry
    user: Entry


def read_context(path: str | None, wanted: str | None, *, name: str) -> Context:
    """Find context *wanted*, or the current one if None, in the file at *path*, or in kubectl's own files if None.

    *name* is the cluster's, for errors. Of equal names the first file's counts. Raises AccessError.
    """
    files = _files(path)
    documents = [(file, _parse(file, name)) for file in files if path or file.exists()]
    where = ", ".join(str(file) for file in files)
    if not documents:
        raise AccessError(f"cluster {name!r}: there is no kubeconfig at {where}")
    if wanted is None:
        current = [document["current-context"] for _, document in documents if document.get("current-context")]
        if not current:
            raise AccessError(f"cluster {name!r}: no context is current in {where}; name one in the registry")
        wanted = str(current[0])
    found = _entry(documents, "contexts", "context", wanted, f"cluster {name!r}: {where}")
    at = f"cluster {name!r}: context {wanted!r} of {where}"
    return Context(
        name=wanted,
        cluster=_entry(documents, "clusters", "cluster", found.text("cluster") or "", at),
        user=_entry(documents, "users", "user", found.text("user") or "", at),
    )


def _files(path: str | None) -> list[Path]:
    if path:
        return [Path(path).expanduser()]
    listed = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [Path(part).expanduser() for part in listed] or [Path("~/.kube/config").expanduser()]


def _parse(file: Path, name: str) -> Mapping[str, Any]:
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506  it is a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"cluster {name!r}: the kubeconfig cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:  # its text quotes the file, which may hold secrets
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise AccessError(f"cluster {name!r}: {file}, line {line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise AccessError(f"cluster {name!r}: {file} is not YAML ({type(error).__name__})") from None
    if not isinstance(document, Mapping):
        raise AccessError(f"cluster {name!r}: {file} is no kubeconfig")
    return document


def _entry(documents: list[tuple[Path, Mapping[str, Any]]], group: str, key: str, wanted: str, where: str) -> Entry:
    names = []
    for file, document in documents:
        for item in document.get(group) or ():
            if isinstance(item, Mapping) and item.get("name") == wanted:
                return Entry(name=wanted, block=item.get(key) or {}, folder=file.absolute().parent)
            names.append(str(item.get("name")) if isinstance(item, Mapping) else "?")
    near = difflib.get_close_matches(wanted, names, n=1)
    raise AccessError(f"{where} has no {key} named {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
