"""Locks, values and barriers of Python's multiprocessing; one line of JSON.

    python_sync.py lock|bare_lock|increment|barrier --processes P --count N

lock is that of a Value, taken as its users do; bare_lock a Lock, taken as fast as Python can.

As sync_bench does it: all processes at once, each N times, from the first that begins to the last that ends.
Knows nothing of Baton.
"""
import argparse
import ctypes
import json
import multiprocessing
import time


def repeat(mode, what, start, count, spans):
    start.wait()
    began = time.monotonic_ns()
    if mode == "lock":
        for _ in range(count):
            with what.get_lock():
                pass
    elif mode == "bare_lock":
        acquire, release = what.acquire, what.release
        for _ in range(count):
            acquire()
            release()
    elif mode == "increment":
        for _ in range(count):
            with what.get_lock():
                what.value += 1
    else:
        wait = what.wait
        for _ in range(count):
            wait()
    spans.put((began, time.monotonic_ns()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["lock", "bare_lock", "increment", "barrier"])
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    what = {"lock": lambda: multiprocessing.Value(ctypes.c_int64, 0), "bare_lock": multiprocessing.Lock,
            "increment": lambda: multiprocessing.Value(ctypes.c_int64, 0),
            "barrier": lambda: multiprocessing.Barrier(options.processes)}[options.mode]()
    start = multiprocessing.Barrier(options.processes)
    spans = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=repeat, args=(options.mode, what, start, options.count, spans))
                 for _ in range(options.processes)]
    for process in processes:
        process.start()
    begun, ended = zip(*(spans.get() for _ in processes))
    for process in processes:
        process.join()
    if options.mode == "increment" and what.value != options.processes * options.count:
        raise RuntimeError("increments were lost")
    done = options.count * (1 if options.mode == "barrier" else options.processes)
    print(json.dumps({"per_second": done / ((max(ended) - min(begun)) * 1e-9), "count": options.count}))


if __name__ == "__main__":
    main()
