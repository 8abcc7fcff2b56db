"""Reads a CSV file into columns with the multiprocessing of Python, as its users do; prints one line of JSON.

    /usr/bin/python3 bench/columns_multiprocessing.py FILE [--workers N]

The yardstick of examples/07_columns. Workers take pieces of the file, read them with the csv module, and put the
columns as NumPy arrays into shared memory, whose names come back through a queue. The receiver of a name attaches to
the memory and acknowledges it, and only then may the worker release it ("notify, acknowledge, transfer complete"):
https://discuss.python.org/t/multiprocessing-with-shared-memory-potential-fix-for-bug-82300/12403.

The kinds of the columns are guessed from the first rows. No newlines in quoted fields: a piece ends where a line does.
"""
import argparse
import csv
import io
import itertools
import multiprocessing
import os
import sys
import time
from multiprocessing import resource_tracker, shared_memory

import numpy as np

import columns_common as common

PIECE_BYTES = 16 << 20  # so that the cells of a piece, as objects of Python, fit into memory
ROWS_TO_GUESS_FROM = 1000


def kind_of(cells):
    for kind, convert in (("int64", int), ("double", float)):
        try:
            for cell in cells:
                if cell:
                    convert(cell)
            return kind
        except ValueError:
            pass
    return "string"


def pieces_of(path, begin):
    """Ranges of bytes that end where lines do."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        while begin < size:
            file.seek(min(begin + PIECE_BYTES, size) - 1)
            file.readline()
            yield begin, file.tell()
            begin = file.tell()


def arrays_of(cells, kind):
    if kind == "int64":
        return [np.array([int(cell) if cell else common.MISSING_INTEGER for cell in cells], dtype=np.int64)]
    if kind == "double":
        return [np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)]
    encoded = [cell.encode() for cell in cells]
    offsets = np.zeros(len(encoded) + 1, dtype=np.uint64)
    np.cumsum([len(cell) for cell in encoded], out=offsets[1:])
    return [offsets, np.frombuffer(b"".join(encoded), dtype=np.uint8)]


def shared(array):
    """A copy of the array in shared memory, and what others need to find it."""
    memory = shared_memory.SharedMemory(create=True, size=max(1, array.nbytes))
    np.ndarray(array.shape, dtype=array.dtype, buffer=memory.buf)[:] = array
    return memory, (memory.name, array.shape, array.dtype.str)


def work(path, kinds, tasks, results, acknowledged):
    with open(path, "rb") as file:
        for number, begin, end in iter(tasks.get, None):
            file.seek(begin)
            text = file.read(end - begin).decode()
            columns = list(zip(*csv.reader(io.StringIO(text, newline=""))))
            held, names = [], []
            for cells, kind in zip(columns, kinds):
                made = [shared(array) for array in arrays_of(cells, kind)]
                held.extend(memory for memory, _ in made)
                names.append([name for _, name in made])
            results.put((number, names, multiprocessing.current_process().name))  # notify
            acknowledged.get()
            for memory in held:
                memory.close()  # the transfer is complete


def read(path, worker_count):
    with open(path, encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
        kinds = [kind_of(cells) for cells in zip(*itertools.islice(csv.reader(file), ROWS_TO_GUESS_FROM))]
    with open(path, "rb") as file:
        file.readline()
        pieces = list(pieces_of(path, file.tell()))

    resource_tracker.ensure_running()  # one for all, or each worker's would unlink what it has made
    tasks, results = multiprocessing.Queue(), multiprocessing.Queue()
    acknowledged = {f"worker-{i}": multiprocessing.Queue() for i in range(worker_count)}
    workers = [multiprocessing.Process(target=work, name=name, args=(path, kinds, tasks, results, queue))
               for name, queue in acknowledged.items()]
    for worker in workers:
        worker.start()
    for number, (begin, end) in enumerate(pieces):
        tasks.put((number, begin, end))
    for _ in workers:
        tasks.put(None)

    memories, columns = [], [[None] * len(pieces) for _ in kinds]
    for _ in pieces:
        number, piece, worker = results.get()
        for column, arrays in enumerate(piece):
            views = []
            for name, shape, dtype in arrays:
                memory = shared_memory.SharedMemory(name=name)
                memories.append(memory)
                views.append(np.ndarray(shape, dtype=dtype, buffer=memory.buf))
            columns[column][number] = views
        acknowledged[worker].put(number)
    for worker in workers:
        worker.join()
    return names, kinds, columns, memories


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()

    begin = time.monotonic()
    names, kinds, columns, memories = read(options.file, options.workers)
    statistics = []
    for name, kind, parts in zip(names, kinds, columns):
        of_kind = (common.text_statistics(parts) if kind == "string"
                   else common.number_statistics([one for one, in parts]))
        statistics.append({"name": name, "kind": kind, **of_kind})
    seconds = time.monotonic() - begin

    checksum = 0
    for kind, parts in zip(kinds, columns):
        for part in parts:
            checksum += common.text_checksum(part[1]) if kind == "string" else common.number_checksum(part[0])
    rows = statistics[0]["count"] + statistics[0]["missing"] if statistics else 0
    common.report("multiprocessing", seconds, rows, checksum, statistics, workers=options.workers)
    sys.stdout.flush()
    columns.clear()
    parts = part = None
    for memory in memories:
        memory.unlink()
        memory.close()


if __name__ == "__main__":
    main()
