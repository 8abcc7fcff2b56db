"""The parsers read random CSV files as Python's own csv module does, for any number of parts.

    /usr/bin/python3 tests/unit/columns/csv_module_test.py build/dev/tests/csv_cells build/dev/bin/make_csv
"""
import csv
import io
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

CSV_CELLS, MAKE_CSV = sys.argv[1:3]
MISSING_WORDS = {"", "NA", "N/A", "NaN", "nan", "null", "NULL"}
MISSING_INTEGER = -2**63


def kind_of(cell):
    """As which kind a cell alone would be read."""
    if cell == "":
        return "empty"
    cell = cell.strip(" \t")
    if cell in MISSING_WORDS:
        return "int64"
    if re.fullmatch(r"[+-]?[0-9]+", cell) and -2**63 < int(cell) < 2**63:
        return "int64"
    if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", cell):
        return "double"
    if re.fullmatch(r"[+-]?inf(inity)?", cell, re.IGNORECASE):
        return "double"
    return "string"


def value_of(kind, cell):
    if kind == "string":
        return cell
    cell = cell.strip(" \t")
    if cell in MISSING_WORDS:
        return MISSING_INTEGER if kind == "int64" else math.nan
    if kind == "int64":
        return int(cell)
    is_integer = re.fullmatch(r"[+-]?[0-9]+", cell)
    return float(int(cell)) if is_integer else float(cell)


def expected(text, delimiter):
    """What the csv module says: the columns, and the lines of rows that are left out."""
    order = ["empty", "int64", "double", "string"]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, bad_lines, line = [], [], 1
    for row in reader:
        if row:
            rows.append((line, row))
        line = reader.line_num + 1
    # A row in quotes that are never closed swallows what follows.
    is_unclosed = list(csv.reader(io.StringIO(text + "\nend\n", newline=""), delimiter=delimiter))[-1] != ["end"]
    names = rows.pop(0)[1]
    good = []
    for number, (line, row) in enumerate(rows):
        if len(row) == len(names) and not (is_unclosed and number == len(rows) - 1):
            good.append(row)
        else:
            bad_lines.append(line)
    columns = [[row[i] for row in good] for i in range(len(names))]
    kinds = [max((kind_of(cell) for cell in column), key=order.index, default="empty") for column in columns]
    kinds = ["double" if kind == "empty" else kind for kind in kinds]
    return kinds, [[value_of(kind, cell) for cell in column] for kind, column in zip(kinds, columns)], bad_lines


def checksum(kind, values):
    if kind == "int64":
        return sum(value for value in values if value != MISSING_INTEGER) % 2**64
    if kind == "double":
        return sum(round(value * 1000) for value in values if abs(value) < 2**40) % 2**64
    encoded = [value.encode() for value in values]
    return sum(len(value) + sum(value) for value in encoded)


def is_same(kind, ours, theirs):
    if kind != "double":
        return ours == theirs
    ours = [float.fromhex(value) for value in ours]
    return len(ours) == len(theirs) and all(
        (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
        for a, b in zip(ours, theirs))


def random_cell(rng, kind):
    if rng.random() < 0.1:
        return rng.choice(["", "", "NA", "null", " "])
    if kind == "int":
        return rng.choice(["%d", "+%d", " %d", "%03d"]) % rng.choice([rng.randrange(100), rng.randrange(10**18)])
    if kind == "real":
        return rng.choice([repr(rng.random()), "%.2f" % (1000 * rng.random()), "%g" % (10 ** rng.uniform(-320, 308)),
                           "%d" % rng.randrange(1000), "-0", "inf", ".5", "7."])
    return "".join(rng.choice(["a", "b ", ",", ";", "\"", "\n", "\r\n", "é", "語", "7", "x y", "\t"])
                   for _ in range(rng.randrange(6)))


def random_table(rng):
    """What a program writes: cells quoted in one of csv's ways."""
    kinds = [rng.choice(["int", "real", "text"]) for _ in range(rng.randrange(1, 6))]
    turn = rng.randrange(40)  # from where on a column may hold anything
    delimiter = rng.choice(",;\t")
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=rng.choice(["\n", "\r\n"]),
                        quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    writer.writerow(f"c{i}" for i in range(len(kinds)))
    for row in range(rng.randrange(60)):
        cells = []
        for kind in kinds:
            is_as_before = row < turn or rng.random() < 0.9
            cells.append(random_cell(rng, kind if is_as_before else rng.choice(["int", "real", "text"])))
        writer.writerow(cells if rng.random() < 0.95 else cells + ["too many"])
    return out.getvalue(), delimiter


def random_text(rng):
    """What no program writes: quotes, delimiters and newlines anywhere."""
    pieces = ["\"", "\"", ",", ",", "\n", "\n", "\r\n", "\n\n", "\"\"", "\",\"", "x\"y",
              "a", "é", " ", "7", "1.5", "-3", "NA"]
    return "p,q\n" + "".join(rng.choice(pieces) for _ in range(rng.randrange(120))), ","


class CsvModule(unittest.TestCase):
    def compare(self, texts, delimiter):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, text in enumerate(texts):
                paths.append(os.path.join(folder, f"{number}.csv"))
                with open(paths[-1], "w", encoding="utf-8", newline="") as file:
                    file.write(text)
            for parts in (1, 2, 5, 16):
                done = subprocess.run([CSV_CELLS, delimiter, str(parts), *paths], check=True, capture_output=True,
                                      text=True)
                for text, line in zip(texts, done.stdout.splitlines()):
                    ours = json.loads(line)
                    with self.subTest(parts=parts, text=text):
                        self.assertNotIn("error", ours)
                        kinds, columns, bad_lines = expected(text, delimiter)
                        self.assertEqual(ours["kinds"], kinds)
                        for kind, mine, theirs, mine_sum in zip(kinds, ours["columns"], columns, ours["checksums"]):
                            self.assertTrue(is_same(kind, mine, theirs), (mine, theirs))
                            self.assertEqual(mine_sum, checksum(kind, theirs))
                        self.assertEqual(ours["bad_lines"], bad_lines)

    def test_tables_as_programs_write_them(self):
        rng = random.Random(1)
        tables = [random_table(rng) for _ in range(150)]
        for delimiter in ",;\t":
            self.compare([text for text, used in tables if used == delimiter], delimiter)

    def test_texts_as_nobody_writes_them(self):
        rng = random.Random(2)
        self.compare([text for text, _ in (random_text(rng) for _ in range(250))], ",")

    def test_files_of_make_csv(self):
        with tempfile.TemporaryDirectory() as folder:
            texts = []
            for options in (["--rows", "400"], ["--rows", "300", "--newlines", "--missing", "30", "--seed", "7"],
                            ["--rows", "0"], ["--rows", "50", "--texts", "0", "--missing", "100"]):
                path = os.path.join(folder, "made.csv")
                subprocess.run([MAKE_CSV, path, *options], check=True, capture_output=True)
                with open(path, encoding="utf-8", newline="") as file:
                    texts.append(file.read())
            self.assertEqual(len(texts[0].splitlines()), 401)
            self.compare(texts, ",")
            # The same options give the same bytes.
            subprocess.run([MAKE_CSV, path, "--rows", "400"], check=True, capture_output=True)
            with open(path, encoding="utf-8", newline="") as file:
                self.assertEqual(file.read(), texts[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
