"""Reads a CSV file into columns with pandas; prints one line of JSON.

    /usr/bin/python3 bench/columns_pandas.py FILE

A yardstick of examples/07_columns. pandas makes reals of integers where cells are missing: a column of nothing but
whole numbers counts as one of integers here, so that the checksums compare.
"""
import argparse
import sys
import time

import numpy as np

import columns_common as common

try:
    import pandas
except ImportError:
    sys.exit("columns_pandas.py: pandas is missing; on Debian: apt-get install python3-pandas")


def statistics_of(column):
    there = column.dropna()
    statistics = {"name": column.name, "count": len(there), "missing": len(column) - len(there)}
    if column.dtype != object:
        return {**statistics, "kind": str(column.dtype), "min": there.min().item(), "max": there.max().item(),
                "mean": float(there.mean()), "sd": float(there.std())}
    lengths = there.str.encode("utf-8").str.len()
    return {**statistics, "kind": "string", "bytes": int(lengths.sum()), "longest": int(lengths.max())}


def checksum_of(column):
    if column.dtype == object:
        return common.text_checksum(np.frombuffer("".join(column.dropna()).encode(), dtype=np.uint8))
    values = column.dropna().to_numpy()
    if values.dtype == np.float64 and (values == np.floor(values)).all():
        values = values.astype(np.int64)
    return common.number_checksum(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    options = parser.parse_args()

    begin = time.monotonic()
    table = pandas.read_csv(options.file)
    read_seconds = time.monotonic() - begin
    statistics = [statistics_of(table[name]) for name in table.columns]
    seconds = time.monotonic() - begin

    checksum = sum(checksum_of(table[name]) for name in table.columns)
    common.report("pandas", seconds, len(table), checksum, statistics, read_seconds=round(read_seconds, 3))


if __name__ == "__main__":
    main()
