"""What the yardsticks of examples/07_columns say of a column: the same statistics and the same checksum as the example,
from arrays of NumPy. A missing integer is the least one, a missing real NaN, a missing text empty."""
import json

import numpy as np

MISSING_INTEGER = np.iinfo(np.int64).min
LARGEST_IN_CHECKSUM = float(2**40)


def number_statistics(parts):
    """Of arrays of integers or reals that follow each other."""
    statistics = {"count": 0, "missing": 0, "min": np.inf, "max": -np.inf, "mean": 0.0, "sd": 0.0}
    squares = 0.0
    for part in parts:
        is_there = part != MISSING_INTEGER if part.dtype == np.int64 else ~np.isnan(part)
        values = part[is_there]
        statistics["missing"] += len(part) - len(values)
        if len(values) == 0:
            continue
        mean, count = float(values.mean()), statistics["count"] + len(values)
        difference = mean - statistics["mean"]
        squares += float(values.var()) * len(values) + difference**2 * statistics["count"] * len(values) / count
        statistics["mean"] += difference * len(values) / count
        statistics["min"] = min(statistics["min"], values.min().item())
        statistics["max"] = max(statistics["max"], values.max().item())
        statistics["count"] = count
    statistics["sd"] = (squares / (statistics["count"] - 1)) ** 0.5 if statistics["count"] > 1 else None
    return statistics


def text_statistics(parts):
    """Of pairs of offsets and bytes that follow each other."""
    statistics = {"count": 0, "missing": 0, "bytes": 0, "longest": 0}
    for offsets, _ in parts:
        lengths = np.diff(offsets)
        count = int(np.count_nonzero(lengths))
        statistics["count"] += count
        statistics["missing"] += len(lengths) - count
        statistics["bytes"] += int(offsets[-1])
        statistics["longest"] = max(statistics["longest"], int(lengths.max(initial=0)))
    return statistics


def number_checksum(part):
    if part.dtype == np.int64:
        return int(part[part != MISSING_INTEGER].view(np.uint64).sum())
    values = part[np.abs(part) < LARGEST_IN_CHECKSUM]
    return int(np.rint(values * 1000).astype(np.int64).view(np.uint64).sum())


def text_checksum(letters):
    return len(letters) + int(letters.sum(dtype=np.uint64))


def report(program, seconds, rows, checksum, columns, **more):
    """One line of JSON on stdout."""
    print(json.dumps({"program": program, "seconds": round(seconds, 3), "rows": rows,
                      "checksum": f"{checksum % 2**64:016x}", **more, "columns": columns}))
