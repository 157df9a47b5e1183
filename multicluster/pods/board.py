"""Keep what is known of the pods that somebody waits for, and of no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from multicluster.pods.entry import Entry, Sighting
from multicluster.pods.source import DELETED, Change, Document


class Board:
    """The entries of one namespace, kept up to date by a follower; it tells of the pods that carry all *labels*."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._entries: dict[str, Entry] = {}
        self._shown: dict[str, Sighting] = {}
        self.listed = False
        """Whether a list was complete, and changes are told since."""
        self.forbidden = ""
        """Why no changes are told, in the server's words; empty while they are."""

    def __len__(self) -> int:
        return len(self._entries)

    def enter(self, name: str) -> Entry:
        """Return the entry of a pod for one more reader."""
        entry = self._entries.setdefault(name, Entry(name))
        entry.readers += 1
        return entry

    def leave(self, entry: Entry) -> None:
        """Forget the pod when this was its last reader."""
        entry.readers -= 1
        if not entry.readers:
            del self._entries[entry.name]

    def wake(self) -> None:
        """Let everybody look."""
        for entry in self._entries.values():
            entry.wake()

    @property
    def unlisted(self) -> int:
        """How many pods are to be asked for that a list may show."""
        return sum(not entry.settled and not entry.unlisted for entry in self._entries.values())

    def begin(self) -> None:
        """Take the beginning of a list."""
        self._shown = {}

    def show(self, items: Iterable[Document]) -> None:
        """Take a page of the list."""
        self._shown |= self.wanted(items)

    def end(self, version: str) -> None:
        """Take the end of the list: it is the truth, whatever was known before; what is newer will be told."""
        shown, self._shown = self._shown, {}
        self.compare(shown, version, alone=True)
        started, self.listed, self.forbidden = not self.listed, True, ""
        if started:
            self.wake()

    def change(self, change: Change) -> None:
        """Take a change.

        A pod that it calls deleted may have lost its labels only, so that its own GET has the last word; but what was
        seen of its end stays.
        """
        entry = self._entries.get(change.document["metadata"]["name"])
        if entry is None:
            return
        sighting = Sighting.of(change.document)
        if entry.seen is not None and sighting.version < entry.seen.version:
            return
        if change.kind == DELETED and not sighting.ended:
            entry.doubt()
        else:
            entry.see(sighting)

    def forbid(self, reason: str) -> None:
        """Let each pod be asked for by itself."""
        self.forbidden = reason
        self.listed = False
        self.wake()

    def wanted(self, items: Iterable[Document]) -> dict[str, Sighting]:
        """Return those of the items that somebody waits for, by name."""
        return {
            name: Sighting.of(document) for document in items if (name := document["metadata"]["name"]) in self._entries
        }

    def compare(self, shown: Mapping[str, Sighting], version: str, *, alone: bool) -> None:
        """Take note of what a list shows; not *alone*, changes are told at the same time, and may be newer.

        What it does not show is doubted, except for ends and for what is newer.
        """
        limit = int(version) if version.isdigit() else 0
        for entry in self._entries.values():
            sighting = shown.get(entry.name)
            known = -1 if entry.seen is None or alone else entry.seen.version
            if sighting is not None:
                if sighting.version >= known:
                    entry.see(sighting)
            elif entry.seen is None:
                entry.unlisted = True
            elif not entry.seen.ended and not entry.apart and known <= limit:
                entry.doubt()

    def answer(self, entry: Entry, document: Document | None) -> None:
        """Take note of the answer to a pod's own GET."""
        if document is None:
            entry.miss()
            return
        labels = document["metadata"].get("labels") or {}
        entry.apart = any(labels.get(key) != value for key, value in self._labels.items())
        sighting = Sighting.of(document)
        if entry.seen is None or sighting.version >= entry.seen.version:
            entry.see(sighting)
