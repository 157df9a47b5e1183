"""Read a container's log in pieces, each line once, whatever ends, breaks off or is rotated away in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 10**9
LONGEST = 2**20
"""Bytes of a line that are kept together; a longer one is told in parts."""
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, kw_only=True)
class LogCursor:
    """How far a log has been read. Times are nanoseconds of the epoch, as the node's clock had them.

    A kubelet can be asked for the lines since a whole second only; lines may share a time stamp, and those of stdout
    and stderr may be out of order. But a log is only appended to, so that the lines since one second are the same at
    every read, with new ones after them: a cursor counts. When its ``first`` line is no longer the first, the log has
    been rotated, and the time stamp of the ``last`` one has to do.
    """

    since: int
    """The second of the epoch from which lines are counted: the one before the last line's."""
    first: int
    lines: int
    last: int
    same: int
    """How many of the lines, the last ones, have the time stamp of the last."""

    def __str__(self) -> str:
        return f"{self.since} {self.first} {self.lines} {self.last} {self.same}"

    @classmethod
    def parse(cls, text: object) -> LogCursor | None:
        """Read what ``str`` wrote; None for anything else."""
        words = text.split() if isinstance(text, str) else []
        if len(words) != 5 or not all(word.isdecimal() for word in words):  # noqa: PLR2004
            return None
        since, first, lines, last, same = map(int, words)
        return cls(since=since, first=first, lines=lines, last=last, same=same)

    @property
    def time(self) -> datetime:
        """When the last line was written."""
        return moment(self.last)

    @property
    def since_time(self) -> str:
        """What to ask the kubelet for."""
        return datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def furthest(*cursors: LogCursor | None) -> LogCursor | None:
    """Return the one that is ahead of the others; they are of one log."""
    known = [cursor for cursor in cursors if cursor is not None]
    return max(known, key=lambda cursor: (cursor.since, cursor.first, cursor.lines), default=None)


def moment(nanoseconds: int) -> datetime:
    """Return the time, to the microsecond."""
    return datetime.fromtimestamp(nanoseconds // SECOND, UTC).replace(microsecond=nanoseconds % SECOND // 1000)


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """A line, or a part of a very long one, without its time stamp and newline."""

    time: int
    text: str
    gone_since: int | None = None
    """When the last line before this one was written, if lines between them have been rotated away, as it seems."""


@dataclass(slots=True)
class _Second:
    """The lines of one second: how many there are, and which one was the first."""

    order: int
    first: int
    lines: int = 0


class LogReader:
    """Turns answers of ``GET .../log?timestamps=true`` into lines that no answer before has told.

    For each answer: ``begin``, ``feed`` for what comes, ``finish``. A line counts as written when the next one is asked
    for, or ``written`` is called; one that could not be written is told again.
    """

    def __init__(self, cursor: LogCursor | None = None) -> None:
        self._start: LogCursor | None = None
        self._last = (cursor.last, cursor.same) if cursor else (0, 0)
        self.cursor = cursor
        """How far the lines have been written; None before the first."""
        self.begin()

    def begin(self) -> None:
        """Expect an answer to a request with ``sinceTime=cursor.since_time``, without one where there is no cursor."""
        self._start = self.cursor
        self._since = self.cursor.since if self.cursor else None
        self._seconds: dict[int, _Second] = {}
        self._seen = 0
        self._same = 0
        self._rotated = False
        self._gone_since: int | None = None
        self._rest = b""
        self._open: tuple[int, bool] | None = None
        self._handed_out = False

    def feed(self, data: bytes) -> Iterator[LogLine]:
        """Yield the new lines in what has come."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from self._take(line, whole=True)
        while len(self._rest) > LONGEST:
            cut = _between_characters(self._rest, LONGEST)
            part, self._rest = self._rest[:cut], self._rest[cut:]
            yield from self._take(part, whole=False)

    def finish(self, *, ended: bool) -> Iterator[LogLine]:
        """Take note that the answer is over; when the container has *ended*, what has no newline is a line, too."""
        rest, self._rest = self._rest, b""
        if ended and (rest or self._open):
            yield from self._take(rest, whole=True)

    def written(self) -> None:
        """Move the cursor behind the line that was handed out last, without asking for the next."""
        if self._handed_out:
            self._close()

    def _take(self, data: bytes, *, whole: bool) -> Iterator[LogLine]:
        if self._open is None:
            time, text = _parsed(data)
            if time is None:
                yield from self._unstamped(data)
                return
            data, self._open = text, (time, self._is_new(time))
        time, new = self._open
        if new and data:
            gone_since, self._gone_since = self._gone_since, None
            self._handed_out = whole
            yield LogLine(time=time, text=data.decode("utf-8", "backslashreplace"), gone_since=gone_since)
            if self._open is None:
                return  # it was called written
        if whole:
            self._close()

    def _close(self) -> None:
        if self._open is not None and self._open[1]:
            self._advance(self._open[0])
        self._open, self._handed_out = None, False

    def _unstamped(self, data: bytes) -> Iterator[LogLine]:
        """Tell what the kubelet says itself, but not the end of a line that ``sinceTime`` has cut in two."""
        if data and (self._start is None or self._seen > self._start.lines):
            yield LogLine(time=self._last[0], text=data.decode("utf-8", "backslashreplace"))

    def _is_new(self, time: int) -> bool:
        """Count a line, and tell whether it is behind the cursor from which this answer began."""
        second, start = time // SECOND, self._start
        if self._since is None:
            self._since = second - 1
        if second < self._since:
            return start is None or self._seen >= start.lines
        self._seen += 1
        self._seconds.setdefault(second, _Second(self._seen, time)).lines += 1
        if start is None:
            return True
        if self._seen == 1 and time != start.first:
            self._rotated = True
            self._gone_since = start.last if time > start.last else None
        return self._seen > start.lines if not self._rotated else self._is_later(time, start)

    def _is_later(self, time: int, start: LogCursor) -> bool:
        self._same += time == start.last
        if time <= start.last and self._same <= start.same:
            return False
        self._start = None  # from here on all is new
        return True

    def _advance(self, time: int) -> None:
        if self._since is None or time // SECOND < self._since:
            return  # the node's clock was set back: such a line cannot be counted
        self._since = max(self._since, time // SECOND - 1)
        self._seconds = {second: of for second, of in self._seconds.items() if second >= self._since}
        last, same = self._last
        self._last = (time, same + 1 if time == last else 1)
        self.cursor = LogCursor(
            since=self._since,
            first=min(self._seconds.values(), key=lambda of: of.order).first,
            lines=sum(of.lines for of in self._seconds.values()),
            last=time,
            same=self._last[1],
        )


def _parsed(line: bytes) -> tuple[int | None, bytes]:
    stamp, _, text = line.partition(b" ")
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return None, line
    fraction = int(found[2].ljust(9, b"0")) if found[2] else 0
    return _second(found[1] + found[3]) * SECOND + fraction, text


@lru_cache(maxsize=8)
def _second(text: bytes) -> int:
    return int(datetime.fromisoformat(text.decode()).timestamp())


def _between_characters(text: bytes, at: int) -> int:
    """Return where to cut near *at* without cutting a character of UTF-8, which has up to four bytes, in two."""
    return next((cut for cut in range(at, at - 4, -1) if text[cut] & 0xC0 != 0x80), at)  # noqa: PLR2004
