"""Arrays from process to process as Python's users hand them over; one line of JSON.

    python_handover.py queue  --bytes B --count N --warm-up W    the array goes through a multiprocessing.Queue
    python_handover.py attach --bytes B --count N --warm-up W    a shared_memory's name goes, the other attaches to it

As raw_memory does it: one at a time, filled by the giver and added up by the receiver, from the call of put() until
the receiver has the array. Knows nothing of Baton.
"""
import argparse
import json
import multiprocessing
import statistics
import time
from multiprocessing import shared_memory

import numpy


def receive(mode, count, inbox, answers):
    for _ in range(count):
        given_at, value, what = inbox.get()
        if mode == "attach":
            memory = shared_memory.SharedMemory(name=what)
            words = numpy.frombuffer(memory.buf, dtype=numpy.uint64)
        else:
            words = what
        taken = (time.monotonic_ns() - given_at) / 1000
        length, total = len(words), int(words.sum())
        del words
        if mode == "attach":
            memory.close()
        if total != length * value:
            raise RuntimeError("other words came")
        answers.put(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["queue", "attach"])
    parser.add_argument("--bytes", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--warm-up", type=int, default=3)
    options = parser.parse_args()

    total = options.warm_up + options.count
    inbox, answers = multiprocessing.Queue(), multiprocessing.Queue()
    receiver = multiprocessing.Process(target=receive, args=(options.mode, total, inbox, answers), daemon=True)
    memory = None
    if options.mode == "attach":
        memory = shared_memory.SharedMemory(create=True, size=options.bytes)
        # The page size rounds it up where it is smaller.
        words = numpy.frombuffer(memory.buf, dtype=numpy.uint64)
    else:
        words = numpy.zeros(options.bytes // 8, dtype=numpy.uint64)
    receiver.start()
    microseconds = []
    for value in range(total):
        words[:] = value
        inbox.put((time.monotonic_ns(), value, memory.name if memory else words))
        microseconds.append(answers.get())
    receiver.join()
    del words
    if memory:
        memory.close()
        memory.unlink()
    measured = sorted(microseconds[options.warm_up:])
    print(json.dumps({"median_us": statistics.median(measured), "p99_us": measured[len(measured) * 99 // 100],
                      "count": len(measured)}))


if __name__ == "__main__":
    main()
