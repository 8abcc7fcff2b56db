"""N trivial tasks through a Pool of two of Python's multiprocessing; prints one line of JSON.

    /usr/bin/python3 bench/pool_multiprocessing.py [--tasks N] [--repeats N] [--chunksize N]

Without --chunksize the pool chooses one, as for most of its users.
"""
import argparse
import json
import multiprocessing
import statistics
import time


def square(x):
    return x * x


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--chunksize", type=int)
    options = parser.parse_args()
    expected = [square(x) for x in range(options.tasks)]
    rates = []
    with multiprocessing.Pool(2) as pool:
        for run in range(options.repeats + 1):
            start = time.perf_counter()
            squares = pool.map(square, range(options.tasks), options.chunksize)
            seconds = time.perf_counter() - start
            if squares != expected:
                raise SystemExit("a wrong square")
            if run > 0:  # the first one warms up
                rates.append(options.tasks / seconds)
    print(json.dumps({"tasks_per_second": round(statistics.median(rates)), "tasks": options.tasks}))


if __name__ == "__main__":
    main()
