"""Find the texts and values that registry documents are read from."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from multicluster.errors import RegistryDocumentError
from multicluster.registry.problem import Problem
from multicluster.registry.yaml_text import MAX_BYTES, MAX_DEPTH

ENVIRONMENT = "MULTICLUSTER_REGISTRY"
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One registry document, not looked at yet: a text of YAML, or a value that was read elsewhere."""

    label: str
    """What messages call it: a path, ``argument``, ``connection multicluster_default``."""
    text: str | None = field(default=None, repr=False)
    value: Any = field(default=None, repr=False)

    @classmethod
    def of_value(cls, label: str, value: Any) -> Source:
        """Take a document that was read elsewhere; tuples, mappings and dates become what YAML would have given."""
        try:
            text = json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)
            text.encode()
            plain = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise RegistryDocumentError(f"{label}: no plain document: {error}") from error
        if _deeper(plain, MAX_DEPTH):
            raise RegistryDocumentError(f"{label}: nested deeper than {MAX_DEPTH} levels")
        return cls(label=label, value=plain)


SourceLike = str | Path | Mapping[str, Any] | Source
"""A file, a folder, a document, or a document with its label."""


def from_environment() -> list[Path]:
    """Return the files and folders of MULTICLUSTER_REGISTRY, separated like PATH. Raises RegistryDocumentError."""
    paths = [part for part in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if part.strip()]
    if not paths:
        raise RegistryDocumentError(f"no cluster registry: name its file or folder, or set {ENVIRONMENT}")
    return [Path(part) for part in paths]


def read_sources(wanted: Iterable[SourceLike]) -> tuple[list[Source], list[Problem]]:
    """Read everything that is *wanted*; a file that is named twice is read once."""
    found: dict[str, Source] = {}
    problems: list[Problem] = []
    for at, one in enumerate(wanted):
        if isinstance(one, Source):
            found[f"source {at}"] = one
        elif isinstance(one, Mapping):
            found[f"source {at}"] = Source.of_value("argument", one)
        else:
            for file in _files(one, problems):
                real = os.path.realpath(file)
                if real not in found and (text := _read(file, problems)) is not None:
                    found[real] = Source(label=str(file), text=text)
    return list(found.values()), problems


def _files(named: object, problems: list[Problem]) -> list[Path]:
    if not isinstance(named, str | Path):
        raise RegistryDocumentError(f"a registry is a file, a folder or a document, not a {type(named).__name__}")
    if not str(named).strip():
        problems.append(Problem(source="''", message="names no file and no folder"))
        return []
    try:
        path = Path(named).expanduser()
        mode = path.stat().st_mode
    except (RuntimeError, ValueError, OSError) as error:
        problems.append(Problem(source=str(named), message=_why(error)))
        return []
    if stat.S_ISDIR(mode):
        return _listed(path, problems)
    if not stat.S_ISREG(mode):
        problems.append(Problem(source=str(path), message="is a pipe, a socket or a device; name a file or a folder"))
        return []
    return [path]


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror}"
    return "nobody of that name has a home folder" if isinstance(error, RuntimeError) else "no path looks like that"


def _listed(path: Path, problems: list[Problem]) -> list[Path]:
    try:
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    except OSError as error:
        problems.append(Problem(source=str(path), message=f"cannot be listed: {error.strerror}"))
        return []
    if not files:
        problems.append(Problem(source=str(path), message=f"the folder holds no {', '.join(SUFFIXES)} file"))
    return files


def _read(file: Path, problems: list[Problem]) -> str | None:
    label = str(file)
    data = b""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) <= MAX_BYTES:
            return data.decode("utf-8-sig")
        problems.append(Problem(source=label, message=f"larger than {MAX_BYTES >> 20} MiB"))
    except OSError as error:
        problems.append(Problem(source=label, message=_why(error)))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        problems.append(Problem(source=label, line=line, column=column, message="not UTF-8"))
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} has no place in it")


def _deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        containers = [one for one in level if isinstance(one, dict | list)]
        level = [below for one in containers for below in (one.values() if isinstance(one, dict) else one)]
    return any(isinstance(one, dict | list) for one in level) if level else False
