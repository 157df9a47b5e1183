"""Read kubeconfig files as kubectl does, and find a context in them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from multicluster.errors import AccessError, CredentialError
from multicluster.kinds.kubeconfig.entry import Entry

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, where PyYAML has it: twenty times as fast on a large file."""
Documents = list[tuple[Path, Mapping[str, Any]]]


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
        wanted = _current(documents, name)
    found = _entry(documents, "context", wanted, f"cluster {name!r}: {where}")
    at = f"cluster {name!r}: context {wanted!r} of {where}"
    return Context(
        name=wanted,
        cluster=_entry(documents, "cluster", found.text("cluster") or "", at),
        user=_entry(documents, "user", found.text("user") or "", at, CredentialError),
    )


def _current(documents: Documents, name: str) -> str:
    for file, document in documents:
        entry = Entry(name="", block=document, folder=file.parent, where=f"cluster {name!r}: {file}")
        current = entry.text("current-context")
        if current:
            return current
    where = ", ".join(str(file) for file, _ in documents)
    raise AccessError(f"cluster {name!r}: no context is current in {where}; name one in the registry")


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
    except (yaml.YAMLError, RecursionError) as error:
        raise AccessError(f"cluster {name!r}: {file} is not YAML ({type(error).__name__})") from None
    except ValueError:
        raise AccessError(f"cluster {name!r}: {file} holds an impossible date or number; put it in quotes") from None
    if not isinstance(document, Mapping):
        raise AccessError(f"cluster {name!r}: {file} is no kubeconfig")
    return document


def _entry(documents: Documents, kind: str, wanted: str, where: str, wrong: type[AccessError] = AccessError) -> Entry:
    names = []
    for file, document in documents:
        items = document.get(f"{kind}s") or ()
        if not isinstance(items, list | tuple):
            raise AccessError(f"{where}: {kind}s in {file} must be a list")
        for item in items:
            if isinstance(item, Mapping) and item.get("name") == wanted:
                return _found(file, item, kind, where, wrong)
            names.append(str(item.get("name")) if isinstance(item, Mapping) else "?")
    near = difflib.get_close_matches(wanted, names, n=1)
    raise AccessError(f"{where} has no {kind} named {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _found(file: Path, item: Mapping[str, Any], kind: str, where: str, wrong: type[AccessError]) -> Entry:
    name, folder = str(item["name"]), file.absolute().parent
    what = f"{where}: {kind} {name!r}"
    block = Entry(name=name, block=item, folder=folder, where=what, wrong=wrong).mapping(kind) or {}
    return Entry(name=name, block=block, folder=folder, where=what, wrong=wrong)
