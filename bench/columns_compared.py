"""Runs one of the programs that read a CSV file into columns, and fails unless it says of the file what the others
said.

    columns_compared.py baton|multiprocessing|pandas --rows N --folder FOLDER

The file is made on the first call; what the first program said of it is kept beside it. Prints one line of JSON.
"""
import argparse
import json
import math
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EXACT = ("name", "count", "missing", "bytes", "longest")
ABOUT = ("min", "max", "mean", "sd")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def difference(said, expected):
    """What is not the same, or nothing."""
    for key in ("rows", "checksum"):
        if said[key] != expected[key]:
            return f"{key}: {said[key]} and {expected[key]}"
    for one, other in zip(said["columns"], expected["columns"]):
        for key in EXACT:
            if one.get(key) != other.get(key):
                return f"{key} of {one['name']}: {one.get(key)} and {other.get(key)}"
        for key in ABOUT:
            if key in other and not math.isclose(one[key], other[key], rel_tol=1e-9):
                return f"{key} of {one['name']}: {one[key]} and {other[key]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=["baton", "multiprocessing", "pandas"])
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--folder", required=True, help="of a build; the file goes there too")
    options = parser.parse_args()

    path = os.path.join(options.folder, f"columns-{options.rows}.csv")
    programs = os.path.join(options.folder, "bin")
    if not os.path.exists(path):
        run(os.path.join(programs, "make_csv"), path + ".unfinished", "--rows", str(options.rows))
        os.rename(path + ".unfinished", path)
    cores = str(os.cpu_count())
    said = json.loads(run(*{
        "baton": [os.path.join(programs, "columns"), path, "--readers", cores, "--json", "--checksum"],
        "multiprocessing": [sys.executable, "-B", os.path.join(HERE, "columns_multiprocessing.py"), path, "--workers",
                            cores],
        "pandas": [sys.executable, "-B", os.path.join(HERE, "columns_pandas.py"), path],
    }[options.program]).splitlines()[-1])

    kept = path + ".expected.json"
    if not os.path.exists(kept):
        with open(kept, "w", encoding="utf-8") as file:
            json.dump(said, file)
    with open(kept, encoding="utf-8") as file:
        expected = json.load(file)
    differs = difference(said, expected)
    if differs:
        sys.exit(f"{said['program']} and {expected['program']} have read {path} differently: {differs}")
    print(json.dumps({"seconds": said["seconds"],
                      "megabytes_per_second": os.path.getsize(path) / 1e6 / said["seconds"]}))


if __name__ == "__main__":
    main()
