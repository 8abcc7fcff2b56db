"""The columns of a CSV file as NumPy arrays over the very memory that C++ actors have written them to.

    python3 columns.py data.csv [READERS]

It plays the collector: lends each reader its slice of each column, and takes the columns back whole.
"""
import csv
import os
import sys
from collections.abc import Iterable
from typing import Any

import baton
import numpy

STEP_TIMEOUT = 3600
COLUMNS_AT_ONCE = 64  # that a reader gives in one reply
KINDS = ["empty", "integer", "real", "text"]
TYPES = {"integer": numpy.int64, "real": numpy.float64, "text": numpy.uint64}


def stretches_of(path: str, begin: int, count: int) -> list[dict[str, int]]:
    """Ranges of bytes that end where lines do."""
    size = os.path.getsize(path)
    cuts = [begin]
    with open(path, "rb") as file:
        for number in range(1, count):
            file.seek(max(cuts[-1], begin + (size - begin) * number // count - 1))
            file.readline()
            cuts.append(file.tell())
    return [{"begin": a, "end": b} for a, b in zip(cuts, cuts[1:] + [size]) if a < b]


def parts_of(surveys: list[Any], size: int) -> list[dict[str, int]]:
    """Whole rows: a stretch that begins in a quoted field leaves its first row's end to the part before."""
    parts: list[dict[str, int]] = []
    is_in_quotes, line = False, 2
    for survey in surveys:
        reading = survey.from_quotes if is_in_quotes else survey.from_row
        part = {"begin": survey.stretch.begin, "first_line": line, "rows_max": reading.rows}
        if is_in_quotes and reading.rows > 0:
            part.update(begin=reading.first_row_end, first_line=line + reading.lines_to_row_end,
                        rows_max=reading.rows - 1)
            parts[-1]["rows_max"] += 1
        if not is_in_quotes or reading.rows > 0:
            parts.append(part)
        line += survey.lines
        is_in_quotes = reading.ends_in_quotes
    if parts and (is_in_quotes or not surveys[-1].ends_with_newline):
        parts[-1]["rows_max"] += 1
    for part, end in zip(parts, [part["begin"] for part in parts[1:]] + [size]):
        part["end"] = end
    return parts


def wait(pendings: Iterable[baton.Pending]) -> list[Any]:
    return [pending.get(timeout=STEP_TIMEOUT) for pending in pendings]


def read_columns(session: baton.Session, path: str, reader_count: int) -> list[tuple[str, str, list[Any], list[Any]]]:
    """Names and arrays; a column of text is a pair of arrays, offsets and bytes, for each reader that found some."""
    with open(path, "rb") as file:
        names = next(csv.reader([file.readline().decode()]))
        begin = file.tell()
    stat = os.stat(path)
    version = {"bytes": stat.st_size, "number": stat.st_ino,
               "seconds": stat.st_mtime_ns // 10**9, "nanoseconds": stat.st_mtime_ns % 10**9}
    source = {"path": os.path.abspath(path), "version": version, "delimiter": ord(",")}

    stretches = stretches_of(path, begin, reader_count)
    readers = session.spawn("column_reader", names=[f"reader-{i + 1}" for i in range(len(stretches))])
    surveys = wait([reader.request("SurveyStretch", source=source, stretch=stretch)
                             for reader, stretch in zip(readers, stretches)])
    parts = parts_of(surveys, stat.st_size)
    readers = readers[:len(parts)]

    firsts = [sum(part["rows_max"] for part in parts[:i]) for i in range(len(parts) + 1)]
    loans = [session.create_array(firsts[-1] + 1, numpy.uint64).lend() for _ in names]
    for reader, part, first in zip(readers, parts, firsts):
        reader.send("TakePart", source=source, part=part, columns=len(names))
        reader.send("TakeSlots", slots=[column.slice(first, part["rows_max"]) for column in loans])
    wait([reader.request("ParseOn", bytes=part["end"] - part["begin"]) for reader, part in zip(readers, parts)])

    found = wait([reader.request("TellFindings") for reader in readers])
    unclosed = next((part.unclosed_line for part in found if part.unclosed_line), 0)
    if unclosed:
        sys.exit(f"columns: '{path}', the row that begins on line {unclosed}: it opens a quote that nothing closes")
    kinds = [max((of_part.kinds[i] for of_part in found), key=KINDS.index) for i in range(len(names))]
    kinds = ["real" if kind == "empty" else kind for kind in kinds]
    wait([reader.request("Settle", kinds=kinds) for reader in readers])
    given: list[list[Any]] = [[] for _ in readers]
    for first in range(0, len(names), COLUMNS_AT_ONCE):
        count = min(COLUMNS_AT_ONCE, len(names) - first)
        replies = wait([reader.request("GiveColumns", first=first, text_begins=[0] * count) for reader in readers])
        for of_reader, reply in zip(given, replies):
            of_reader.extend(reply)

    columns = []
    for i, (name, kind) in enumerate(zip(names, kinds)):
        slots = loans[i].reclaim().array.view(TYPES[kind])
        pieces = [slots[first:first + of_part.rows] for first, of_part in zip(firsts, found)]
        texts = [of_reader[i].text for of_reader in given]
        columns.append((name, kind, pieces, texts))
    return columns


def main() -> None:
    path = sys.argv[1]
    with baton.session() as session:
        columns = read_columns(session, path, int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count() or 1)
        for name, kind, pieces, texts in columns:
            if kind == "text":
                size = sum(text.nbytes for text in texts if text is not None)
                print(f"{name}: {sum(map(len, pieces))} texts, {size} bytes")
                continue
            none = numpy.iinfo(numpy.int64).min
            is_there = [piece != none if kind == "integer" else ~numpy.isnan(piece) for piece in pieces]
            count = sum(int(there.sum()) for there in is_there)
            total = sum(float(piece[there].sum()) for piece, there in zip(pieces, is_there))
            print(f"{name}: {count} numbers, mean {total / count if count else float('nan'):.6g}")


if __name__ == "__main__":
    main()
