"""Each line of a log is told once, in order, whatever happens to the answers."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from datetime import UTC, datetime

import pytest

from multicluster.pods import log_lines
from multicluster.pods.log_lines import SECOND, LogCursor, LogReader, furthest

BEGAN = 1_795_262_400 * SECOND
MILLI = 10**6


def stamp(time, zone="Z"):
    return datetime.fromtimestamp(time // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{time % SECOND:09}{zone}"


class Kubelet:
    """Keeps a log as containerd does and answers as a kubelet does: from a whole second on, lines as they stand."""

    def __init__(self, lines):
        self.lines = list(lines)

    def answer(self, cursor, upto=None):
        since = cursor.since * SECOND if cursor else 0
        told = [f"{stamp(time)} {text}\n" for time, text in self.lines[:upto] if time >= since]
        return "".join(told).encode()


def numbered(times):
    return [(time, f"line {number}") for number, time in enumerate(times)]


def read(reader, data, size=7000, *, ended=False, begin=True):
    """Return what the reader tells of one answer that comes in pieces."""
    if begin:
        reader.begin()
    told = [line for at in range(0, len(data), size) for line in reader.feed(data[at : at + size])]
    return told + list(reader.finish(ended=ended))


def again(reader):
    """Return the reader of another process, which gets the cursor as text."""
    return LogReader(LogCursor.parse(str(reader.cursor)))


def texts(lines):
    return [line.text for line in lines]


BURSTS = [BEGAN + number // 250 * 300 * MILLI for number in range(10_000)]
STEADY = [BEGAN + number * 7 * MILLI + number for number in range(1000)]
TWO_STREAMS = [BEGAN + number * 7 * MILLI - (number % 3 == 1) * 9 * MILLI for number in range(1000)]
LOGS = {"in bursts of one stamp": BURSTS, "steady": STEADY, "two streams out of order": TWO_STREAMS}


@pytest.mark.parametrize("times", LOGS.values(), ids=LOGS)
def test_pain_21_an_answer_may_be_cut_anywhere_and_go_on_in_another_process(times):
    kubelet, chance, reader, told = Kubelet(numbered(times)), random.Random(5), LogReader(), []
    cuts = 0
    while len(told) < len(times):
        data = kubelet.answer(reader.cursor)
        cut = chance.randrange(len(data) + 1) if cuts < 60 else len(data)
        told += texts(read(reader, data[:cut], chance.randrange(1, 9000)))
        reader, cuts = again(reader), cuts + 1

    assert told == texts_of(times)
    assert cuts > 5


def texts_of(times):
    return [f"line {number}" for number in range(len(times))]


def test_pain_21_a_log_is_cut_after_each_of_its_lines():
    kubelet, reader, told = Kubelet(numbered(STEADY)), LogReader(), []
    for written in range(1, len(STEADY) + 1):
        reader = again(reader)
        told += texts(read(reader, kubelet.answer(reader.cursor, written)))

    assert told == texts_of(STEADY)


def test_one_reader_goes_on_by_itself():
    kubelet, reader, told = Kubelet(numbered(BURSTS)), LogReader(), []
    for written in (100, 251, 252, 252, 5000, 10_000, 10_000):
        told += texts(read(reader, kubelet.answer(reader.cursor, written)))

    assert told == texts_of(BURSTS)


def test_a_line_that_could_not_be_written_is_told_again():
    kubelet, reader = Kubelet(numbered(STEADY[:10])), LogReader()
    lines = reader.feed(kubelet.answer(None))
    written = [next(lines).text for _ in range(4)]
    lines.close()  # the fourth was handed out, and whoever had it did not come back

    assert written[:3] + texts(read(again(reader), kubelet.answer(reader.cursor))) == texts_of(STEADY[:10])


def test_a_line_that_is_called_written_is_not_told_again():
    kubelet, reader = Kubelet(numbered(STEADY[:10])), LogReader()
    lines = reader.feed(kubelet.answer(None))
    written = [next(lines).text for _ in range(4)]
    reader.written()
    reader.written()
    same, other = again(reader), reader

    assert written + texts(read(same, kubelet.answer(same.cursor))) == texts_of(STEADY[:10])
    assert written + texts(lines) == texts_of(STEADY[:10])
    assert other.cursor == same.cursor


@pytest.mark.parametrize("times", [STEADY, BURSTS], ids=["steady", "in bursts"])
def test_lines_that_were_rotated_away_are_told_as_gone(times):
    kubelet, reader = Kubelet(numbered(times)), LogReader()
    read(reader, kubelet.answer(None, 300))
    kubelet.lines = kubelet.lines[600:]

    told = read(again(reader), kubelet.answer(reader.cursor))

    assert texts(told) == texts_of(times)[600:]
    assert [line.gone_since for line in told] == [times[299]] + [None] * (len(told) - 1)


def test_a_rotation_that_took_only_what_was_told_loses_nothing():
    kubelet, reader = Kubelet(numbered(STEADY)), LogReader()
    read(reader, kubelet.answer(None, 300))
    kubelet.lines = kubelet.lines[250:]

    told = read(again(reader), kubelet.answer(reader.cursor))

    assert texts(told) == texts_of(STEADY)[300:]
    assert {line.gone_since for line in told} == {None}


def test_after_a_rotation_it_counts_anew():
    kubelet, reader = Kubelet(numbered(BURSTS)), LogReader()
    read(reader, kubelet.answer(None, 600))
    kubelet.lines = kubelet.lines[500:]
    told = texts(read(reader, kubelet.answer(reader.cursor, 201)))
    told += texts(read(again(reader), kubelet.answer(reader.cursor)))

    assert told == texts_of(BURSTS)[600:]


def test_a_log_that_is_gone_leaves_the_cursor_where_it_was():
    kubelet, reader = Kubelet(numbered(STEADY)), LogReader()
    read(reader, kubelet.answer(None))
    before = reader.cursor

    assert read(reader, b"") == []
    assert reader.cursor == before


def test_what_has_no_newline_waits_for_the_rest_unless_the_container_has_ended():
    line = f"{stamp(BEGAN)} one\n{stamp(BEGAN)} tw".encode()
    running, ended = LogReader(), LogReader()

    assert texts(read(running, line)) == ["one"]
    assert texts(read(running, line + b"o\n")) == ["two"]
    assert texts(read(ended, line, ended=True)) == ["one", "tw"]


def test_the_end_of_a_line_that_the_kubelet_cut_in_two_is_not_told():
    reader = LogReader()
    read(reader, f"{stamp(BEGAN - SECOND)} long line\n{stamp(BEGAN + SECOND)} next\n".encode())

    told = read(again(reader), f" line\n{stamp(BEGAN + SECOND)} next\n{stamp(BEGAN + SECOND)} new\n".encode())

    assert texts(told) == ["new"]


def test_what_the_kubelet_says_itself_is_told():
    words = 'unable to retrieve container logs for containerd://4f"'

    assert texts(read(LogReader(), words.encode() + b"\n")) == [words]


def test_a_very_long_line_is_told_in_parts(monkeypatch):
    monkeypatch.setattr(log_lines, "LONGEST", 1000)
    data = f"{stamp(BEGAN)} {'x' * 4500}\n{stamp(BEGAN)} next\n".encode()
    reader = LogReader()

    told = texts(read(reader, data, 300))

    assert "".join(told[:-1]) == "x" * 4500
    assert max(map(len, told)) <= 1300
    assert told[-1] == "next"
    assert read(again(reader), data) == []


def test_a_very_long_line_is_cut_between_characters(monkeypatch):
    monkeypatch.setattr(log_lines, "LONGEST", 1000)
    written = "x" + "é€😀" * 600
    told = texts(read(LogReader(), f"{stamp(BEGAN)} {written}\n".encode(), 300))

    assert len(told) > 1
    assert "".join(told) == written


def test_empty_lines_are_counted_but_not_told():
    data = f"{stamp(BEGAN)} \n{stamp(BEGAN)}\n{stamp(BEGAN)} one\n".encode()
    reader = LogReader()

    assert texts(read(reader, data)) == ["one"]
    assert reader.cursor.lines == 3


def test_a_node_may_write_its_own_time_zone_and_fewer_digits():
    reader = LogReader()
    told = read(reader, b"2026-11-21T14:00:00.5+02:00 one\n2026-11-21T12:00:00.5Z two\n2026-11-21T12:00:01Z three\n")

    at = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * SECOND
    assert [line.time - at for line in told] == [SECOND // 2, SECOND // 2, SECOND]
    assert reader.cursor.since_time == "2026-11-21T12:00:00Z"


def test_bytes_that_are_no_text_do_not_stop_it():
    assert texts(read(LogReader(), f"{stamp(BEGAN)} ".encode() + b"\xff\xfe ok\n")) == ["\\xff\\xfe ok"]


def test_a_clock_that_is_set_back_does_not_stop_what_is_being_followed():
    times = [BEGAN + 10 * SECOND, BEGAN + 10 * SECOND + 1, BEGAN, BEGAN + 1, BEGAN + 11 * SECOND]

    assert texts(read(LogReader(), Kubelet(numbered(times)).answer(None))) == texts_of(times)


def test_the_cursor_that_is_ahead_is_taken():
    kubelet, reader = Kubelet(numbered(BURSTS)), LogReader()
    cursors = [None]
    for written in (10, 11, 600, 601, 9000):
        read(reader, kubelet.answer(reader.cursor, written))
        cursors.append(reader.cursor)

    assert [furthest(one, two) for one, two in itertools.pairwise(cursors)] == cursors[1:]
    assert furthest(cursors[5], cursors[2]) == cursors[5]


@pytest.mark.parametrize(
    "text", [None, "", "2026-11-21T12:00:00Z", "1 2 3", "1 2 3 4 x", 5, datetime.now(UTC)], ids=type
)
def test_what_is_no_cursor_is_taken_for_none(text):
    assert LogCursor.parse(text) is None


def test_pain_23_a_log_of_200_megabytes_takes_a_few():
    size, lines = 4000, 50_000
    text = b"x" * size
    reader = LogReader()

    def chunks():
        for number in range(lines):
            yield f"{stamp(BEGAN + number * MILLI)} ".encode() + text + b"\n"

    tracemalloc.start()
    try:
        told = sum(len(line.text) for data in chunks() for line in reader.feed(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert told == size * lines
    assert peak < 2**20
