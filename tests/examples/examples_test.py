"""The examples say what they are expected to say, however they are started, and leave nothing behind.

    PYTHONPATH=build/dev/python BATON_BIN=build/dev/bin /usr/bin/python3 tests/examples/examples_test.py
"""
import csv
import glob
import itertools
import json
import math
import os
import pty
import re
import signal
import statistics
import subprocess
import sys
import unittest

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import leftovers  # noqa: E402

BIN = os.environ["BATON_BIN"]
EXAMPLES = os.path.join(HERE, "..", "..", "examples")


def runs(lines, kind):
    """Neighbours of one kind, together: [(kind, lines)]."""
    return [(key, list(group)) for key, group in itertools.groupby(lines, kind)]


def sorted_runs(text, kind):
    """What processes say at the same time, in an order of our own: neighbours of one kind are sorted, those of none
    stay."""
    return "".join("".join(lines if key is None else sorted(lines)) for key, lines in runs(text.splitlines(True), kind))


def worker(line):
    return "worker" if line.startswith("[worker]") else None


class ProgramTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.place = leftovers.Place()
        self.addCleanup(self.place.require_nothing, self)
        self.folder = self.place.folder
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": self.folder, "BATON_PROGRAMS": BIN}
        self.environment.pop("BATON_SESSION", None)

    def run_it(self, *command, code=0):
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        return done


class Examples(ProgramTest):
    def expect(self, example, script, normalised=lambda text: text, arguments=()):
        path = os.path.join(EXAMPLES, example, script)
        with open(os.path.join(EXAMPLES, example, "expected.txt"), encoding="utf-8") as file:
            expected = file.read()
        for command in ([os.path.join(BIN, "baton-coordinator"), path, *arguments], [sys.executable, path, *arguments]):
            with self.subTest(command=command):
                self.assertEqual(normalised(self.run_it(*command).stdout), expected)

    def test_hello_in_python(self):
        self.expect("01_hello", "hello.py")

    def test_hello_in_cpp_says_the_same(self):
        with open(os.path.join(EXAMPLES, "01_hello", "expected.txt"), encoding="utf-8") as file:
            self.assertEqual(self.run_it(os.path.join(BIN, "hello")).stdout, file.read())
        self.run_it(os.path.join(BIN, "baton-coordinator"), "hello")

    def test_students_speak_in_the_order_in_which_they_are_asked(self):
        self.expect("02_students", "students.py")

    def test_students_speak_to_an_audience(self):
        # A second of quiet, as a busy machine may need it.
        self.expect("from_multiprocessing/context_manager", "context_manager.py", lambda text: sorted_runs(
            text, lambda line: None if line.startswith("[Teacher]") else "student"), ["1"])

    def expect_of_program(self, example, program, normalised=lambda text: text):
        with open(os.path.join(EXAMPLES, example, "expected.txt"), encoding="utf-8") as file:
            self.assertEqual(normalised(self.run_it(os.path.join(BIN, program)).stdout), file.read())

    def test_what_workers_hand_over_outlives_them(self):
        self.expect_of_program("04_hand_over", "hand_over")

    def test_a_pipeline_of_stages_that_abort_loses_no_frame(self):
        self.expect_of_program("09_supervised", "supervised")

    def test_a_store_is_killed_a_hundred_times_and_loses_no_acknowledged_write(self):
        self.expect_of_program("10_survivor", "survivor")

    def test_students_put_numbers_into_each_others_hands(self):
        # All are ready before the first one goes.
        def kind(line):
            return None if line.startswith("[Teacher]") else "ready" if line.endswith("Ready!\n") else "other"

        self.expect_of_program("from_multiprocessing/shared_hands", "shared_hands",
                               lambda text: sorted_runs(text, kind))

    def test_the_darkroom_changes_a_photo_that_never_moves(self):
        self.expect("03_darkroom", "darkroom.py")

    def test_the_darkroom_in_cpp_says_the_same(self):
        self.expect_of_program("03_darkroom", "darkroom_scenario")

    def test_an_account_is_tested_without_a_process(self):
        self.expect_of_program("08_testing", "testing")
        said = self.run_it(sys.executable, os.path.join(EXAMPLES, "08_testing", "testing.py")).stdout
        self.assertEqual(re.findall(r"^(?!ok: ).*$", said, re.MULTILINE), [""])
        self.assertEqual(said.count("ok: "), 14)

    def test_the_page_on_testing_actors_shows_code_of_the_example(self):
        files = ""
        for path in glob.glob(os.path.join(EXAMPLES, "08_testing", "*.[ch]pp")) + glob.glob(
                os.path.join(EXAMPLES, "08_testing", "*.py")):
            with open(path, encoding="utf-8") as file:
                files += file.read()
        with open(os.path.join(EXAMPLES, "..", "docs", "testing-actors.md"), encoding="utf-8") as page:
            blocks = re.findall(r"^```(?:cpp|python)\n(.*?)^```$", page.read(), re.MULTILINE | re.DOTALL)
        self.assertEqual(len(blocks), 7)
        self.assertEqual([block for block in blocks if block not in files], [])

    def test_taxi_and_passenger_remember_the_same_talk(self):
        self.expect("from_multiprocessing/duplex_channel", "duplex_channel.py",
                    lambda text: re.sub(r"[+-]\d+\.\d{3} s", "+0.000 s", text))


class Stories(ProgramTest):
    """Examples whose actors and scenario are one program, and write to one stdout: whole lines, in a fixed order.

    Where there is a script too, it says the same.
    """

    def expect(self, example, normalised=lambda text: text):
        with open(os.path.join(EXAMPLES, example, "expected.txt"), encoding="utf-8") as file:
            expected = file.read()
        scripts = glob.glob(os.path.join(EXAMPLES, example, "*.py"))
        program = re.sub(r"^[0-9]+_", "", os.path.basename(example))
        for command in [[os.path.join(BIN, program)], *([sys.executable, script] for script in scripts)]:
            with self.subTest(command=command):
                self.assertEqual(normalised(self.run_it(*command).stdout), expected)

    def test_processes_say_who_they_are_and_nothing_is_left_in_their_queue(self):
        def normalised(text):
            parents = re.findall(r"parent process: (\d+)", text)
            processes = re.findall(r"process id: (\d+)", text)
            self.assertEqual(len(set(parents)), 1, "both have the same parent")
            self.assertEqual(len(set(parents + processes)), 3, "and are processes of their own")
            return re.sub(r": \d{2,}$", ": N", text, flags=re.MULTILINE)

        self.expect("from_multiprocessing/process_and_queue", normalised)

    def test_the_state_of_a_process_is_known_before_within_and_after_its_life(self):
        self.expect("from_multiprocessing/process_states")

    def test_a_queue_is_joined_when_its_items_are_done_and_no_later(self):
        self.expect("from_multiprocessing/joinable_queue")

    def test_a_message_runs_no_code(self):
        self.expect("from_multiprocessing/message_is_data")

    def test_the_first_at_the_barrier_is_the_first_out(self):
        self.expect("from_multiprocessing/barrier")

    def test_a_fourth_connection_waits_for_one_of_three(self):
        self.expect("from_multiprocessing/bounded_semaphore")

    def test_two_conditions_on_one_lock_pass_on_their_notices(self):
        # Both chains at once, each in its order: all wait before the first notice.
        def normalised(text):
            waits, notice, rest = text.partition("[scenario]: notify\n")
            chain = [None, "[Process-23", "[Process-24"]
            in_chains = [sorted(lines.splitlines(True),
                                key=lambda line: chain.index(line[:11]) if line[:11] in chain else 0)
                         for lines in (waits, notice + rest)]
            return "".join(in_chains[0] + in_chains[1])

        self.expect("from_multiprocessing/two_conditions", normalised)

    def test_processes_draw_a_rhombus(self):
        self.expect("from_multiprocessing/notification_chain")

    def test_who_waits_first_prints_first(self):
        self.expect("from_multiprocessing/notify_all")

    def test_who_waits_looks_again_after_each_notice(self):
        # It may look more than three times before the queue is emptied.
        look = "[Process-27]: Waiting\n[Process-27]: Is empty? false\n"
        self.expect("from_multiprocessing/wait_for",
                    lambda text: re.sub(rf"^(?:{re.escape(look)}){{3,}}", look * 3, text))

    def test_people_stay_home_until_the_rain_stops(self):
        self.expect("from_multiprocessing/event")

    def test_increments_are_exact_with_the_lock(self):
        self.expect("from_multiprocessing/value")

    def test_a_text_grows_as_it_should_with_the_lock(self):
        self.expect("from_multiprocessing/byte_array")

    def test_an_array_is_of_one_piece_under_one_lock(self):
        def normalised(text):
            said = []
            for is_number, lines in runs(text.splitlines(), lambda line: line.split()[-1].isdigit()):
                if not is_number:
                    said += lines
                    continue
                counts = [int(line.split()[-1]) for line in lines]
                self.assertEqual((len(counts), sum(counts)), (4, 1_000_000), "each element has been written")
                several = ", of more than one" if "without" in said[-1] and counts.count(0) < 3 else ""
                one = "1000000 of one" if max(counts) == 1_000_000 else "some of 1000000"
                said.append("[scenario]: " + (one if "v2" in said[-1] else "some of 1000000" + several))
            return "\n".join(said) + "\n"

        self.expect("from_multiprocessing/raw_array", normalised)

    def test_tasks_write_into_slices_of_one_array(self):
        # Which worker has handled which is another one each time, but each has had some.
        self.expect("from_multiprocessing/tasks_into_one_array", lambda text: re.sub(
            r"handled by worker-[12]$", "handled by a worker", text, flags=re.MULTILINE))

    def test_arrays_of_tasks_outlive_their_workers(self):
        self.expect("from_multiprocessing/arrays_outlive_workers")

    def test_results_come_in_the_order_of_the_arguments(self):
        self.expect("from_multiprocessing/starmap", self.in_order)

    def in_order(self, text):
        """What the workers say is sorted, after a look at what the lock and the tasks promise."""
        due = {}  # of each task: a scenario may say something while workers go on
        for index, step in re.findall(r"^\[worker\]: (\d+) -> (\d)$", text, re.MULTILINE):
            self.assertEqual(int(step), due.get(index, 0), f"task {index} says each line once, in its order")
            due[index] = (int(step) + 1) % 3
        return sorted_runs(re.sub(r"\{[^}]*console[^}]*\}", "console", text), worker)

    def test_one_failure_is_named_and_loses_no_other_result(self):
        def normalised(text):
            stopped, heading, collected = text.partition("[scenario]: == collect ==\n")
            self.assertNotIn("4 -> ", text)
            # Which tasks had begun before the failure differs each time, and so does the worker that had the task.
            stopped = "".join(line for line in self.in_order(stopped).splitlines(True) if not worker(line))
            return re.sub(r", worker worker-\d+", "", stopped) + heading + self.in_order(collected)

        self.expect("05_one_fails", normalised)

    def test_errors_are_collected_and_pools_can_be_used_again(self):
        self.expect("from_multiprocessing/pool_with_progress", self.in_order)

    def test_the_bar_counts_each_task_once(self):
        controller, terminal = pty.openpty()
        running = subprocess.Popen([os.path.join(BIN, "pool_with_progress"), "50"], env=self.environment,
                                   cwd=self.folder, stdout=subprocess.DEVNULL, stderr=terminal)
        os.close(terminal)
        shown = b""
        while True:
            try:
                piece = os.read(controller, 65_536)
            except OSError:  # nobody has the terminal any more
                break
            if not piece:
                break
            shown += piece
        os.close(controller)
        self.assertEqual(running.wait(), 0, shown)
        bars = re.findall(r"\r(\S+) [█░]+ (\d+)/(\d+) tasks", shown.decode())
        of_ten = [int(done) for _, done, total in bars if total == "10"]
        self.assertEqual(of_ten, sorted(of_ten))
        self.assertEqual(of_ten[-1], 10)
        self.assertGreater(len(set(of_ten)), 2, "it has been seen on its way")
        self.assertTrue(all(int(done) <= int(total) for _, done, total in bars), bars)
        self.assertEqual(sum(1 for _, done, total in bars if done == total == "1000") >= 4, True, bars)

    def test_memory_is_looked_at_twice_and_leaves_no_old_state(self):
        self.expect("from_multiprocessing/named_memory")
        self.assertEqual(glob.glob("/dev/shm/multiprocessor*"), [])

    def test_a_task_that_takes_too_long_is_ended_and_the_pool_goes_on(self):
        # Four begin at once, by whichever worker; all have begun when the last of them is given up.
        def normalised(text):
            text = re.sub(r"^\[worker-\d+\]", "[worker]", text, flags=re.MULTILINE)
            four, given_up, rest = text.partition("[scenario]: not within 3 s")
            workers, scenario = ([one for one in four.splitlines(True) if one.startswith("[worker]") == is_worker]
                                 for is_worker in (True, False))
            return "".join(workers + scenario) + given_up + rest

        self.expect("from_multiprocessing/task_timeout", normalised)


class WordCount(ProgramTest):
    def count(self, path, *options, code=0):
        return self.run_it(os.path.join(BIN, "word_count"), path, *options, code=code)

    def totals(self, path, *options):
        found = re.match(r"(\d+) lines, (\d+) words, (\d+) bytes", self.count(path, *options).stdout)
        return [int(number) for number in found.groups()]

    def wc(self, path):
        done = subprocess.run(["wc", "-lwc", path], env={**os.environ, "LC_ALL": "C.UTF-8"}, capture_output=True,
                              text=True, check=True)
        return [int(number) for number in done.stdout.split()[:3]]

    def write(self, content):
        path = os.path.join(self.folder, "text")
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_totals_agree_with_wc(self):
        texts = ["one\n", "no newline at the end", "größer als\u2003weit\n" * 1000, "x" * 300_000 + " y\n",
                 "\n\n\n", " leading and trailing \t\n"]
        for text in texts:
            with self.subTest(text=text[:20]):
                path = self.write(text.encode())
                self.assertEqual(self.totals(path), self.wc(path))
        large = self.write(b"the quick brown fox jumps over the lazy dog\n" * 500_000)
        for counters in ("1", "3"):
            self.assertEqual(self.totals(large, "--counters", counters), self.wc(large))

    def test_the_words_that_come_most_come_first(self):
        path = self.write(b"b a a c b a\n")
        lines = self.count(path, "--top", "2").stdout.splitlines()
        self.assertEqual([line.split()[:2] for line in lines[2:]], [["3", "a"], ["2", "b"]])

    def test_a_missing_an_empty_and_a_binary_file_are_told_apart(self):
        self.assertIn("No such file", self.count("/nowhere/at/all", code=66).stderr)
        self.assertIn("is empty", self.count(self.write(b""), code=66).stderr)
        binary = self.count(self.write(b"text\0more\n"), code=1)
        self.assertIn("NUL byte at offset 4", binary.stderr)


MISSING_INTEGER = -2**63


class Columns(ProgramTest):
    """What the readers make of a file, beside what the csv module of Python reads."""

    def columns(self, path, *options, code=0):
        return self.run_it(os.path.join(BIN, "columns"), path, *options, code=code)

    def make_csv(self, *options):
        path = os.path.join(self.folder, "table.csv")
        self.run_it(os.path.join(BIN, "make_csv"), path, *options)
        return path

    def write(self, content):
        path = os.path.join(self.folder, "table.csv")
        with open(path, "wb") as file:
            file.write(content)
        return path

    def expected(self, path):
        """Names, and the cells of each column as the kinds of make_csv's names say."""
        with open(path, encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        kinds = {"id": int, "integer": int, "real": float, "text": str}
        cells = [[row[i] for row in rows] for i in range(len(names))]
        return names, [[kinds[name.split("_")[0]](cell) if cell or name.startswith("text") else None for cell in column]
                       for name, column in zip(names, cells)]

    def read_npy(self, folder, name, kind):
        if kind is not str:
            values = numpy.load(os.path.join(folder, name + ".npy")).tolist()
            return [None if value == MISSING_INTEGER or value != value else value for value in values]
        offsets = numpy.load(os.path.join(folder, name + ".offsets.npy")).tolist()
        text = numpy.load(os.path.join(folder, name + ".bytes.npy")).tobytes()
        return [text[begin:end].decode() for begin, end in zip(offsets, offsets[1:])]

    def test_every_cell_is_what_the_csv_module_reads_for_any_number_of_readers(self):
        path = self.make_csv("--rows", "3000", "--newlines")
        names, cells = self.expected(path)
        checksums = set()
        for readers in ("1", "2", "3", "7"):
            with self.subTest(readers=readers):
                folder = os.path.join(self.folder, "npy-" + readers)
                report = json.loads(self.columns(path, "--json", "--checksum", "--readers", readers, "--npy",
                                                 folder).stdout)
                self.assertEqual((report["rows"], report["readers"]), (3000, int(readers)))
                checksums.add(report["checksum"])
                for said, name, column in zip(report["columns"], names, cells):
                    there = [cell for cell in column if cell not in (None, "")]
                    self.assertEqual(self.read_npy(folder, name, type(there[0])), column)
                    self.assertEqual((said["name"], said["count"], said["missing"]),
                                     (name, len(there), len(column) - len(there)))
                    if said["kind"] == "string":
                        sizes = [len(cell.encode()) for cell in column]
                        self.assertEqual((said["bytes"], said["longest"]), (sum(sizes), max(sizes)))
                        self.assertAlmostEqual(said["distinct"] / len(set(there)), 1, delta=0.1)
                    else:
                        self.assertEqual((said["min"], said["max"]), (min(there), max(there)))
                        self.assertTrue(math.isclose(said["mean"], statistics.fmean(there), rel_tol=1e-9))
                        self.assertTrue(math.isclose(said["sd"], statistics.stdev(there), rel_tol=1e-9))
        self.assertEqual(len(checksums), 1)

    def test_a_script_gets_the_same_columns_as_arrays(self):
        path = self.make_csv("--rows", "2000", "--newlines")
        said = json.loads(self.columns(path, "--json").stdout)["columns"]
        expected = [f"{one['name']}: 2000 texts, {one['bytes']} bytes" if one["kind"] == "string" else
                    f"{one['name']}: {one['count']} numbers, mean {one['mean']:.6g}" for one in said]
        for readers in ("1", "3"):
            script = os.path.join(EXAMPLES, "07_columns", "columns.py")
            self.assertEqual(self.run_it(sys.executable, script, path, readers).stdout.splitlines(), expected)

    def test_parts_of_a_file_agree_on_the_kinds(self):
        path = self.write(b"a,b,c\n" + b"1,2,3\n" * 1000 + b"\n1.5,x,\n" + b"4,5,6\n" * 1000)
        said = json.loads(self.columns(path, "--json", "--readers", "4").stdout)["columns"]
        self.assertEqual([one["kind"] for one in said], ["double", "string", "int64"])
        self.assertEqual((said[0]["count"], said[1]["bytes"], said[2]["missing"]), (2001, 2001, 1))

    def test_a_quote_that_nothing_closes_is_told_with_its_row_and_line(self):
        for content, row, line in ((b'a,b\n1,"x\n2,y\n3,z\n', 1, 2), (b'a,b\n1,2\n\n3,"x', 2, 4),
                                   (b'a,b\n1\n2,"\n', 2, 3),
                                   (b'a,b\n' + b'1,2\n' * 5000 + b'3,"' + b'x\n' * 5000, 5001, 5002),
                                   (b'a,b\n"1\n2",3\n4,5\n"6,7\n8,""9\n', 3, 5)):
            for readers in ("1", "3"):
                done = self.columns(self.write(content), "--readers", readers, code=65)
                self.assertEqual(done.stdout, "")
                self.assertIn(f"row {row}, which begins on line {line}: it opens a quote that nothing closes",
                              done.stderr)
        self.assertIn("opens a quote and never closes it", self.columns(self.write(b'a,"b\n1,2\n'), code=65).stderr)

    def test_more_columns_than_one_message_holds_slices(self):
        path = self.write((",".join(f"c{i}" for i in range(600)) + "\n" + (",".join(["7"] * 600) + "\n") * 20).encode())
        said = json.loads(self.columns(path, "--json", "--readers", "2").stdout)
        self.assertEqual([one["mean"] for one in said["columns"]], [7.0] * 600)

    def test_delimiters_and_files_without_a_header(self):
        path = self.write(b"1\t2\n3\t4\n")
        said = json.loads(self.columns(path, "--json", "--delimiter", "tab", "--no-header").stdout)
        self.assertEqual([(one["name"], one["min"], one["max"]) for one in said["columns"]],
                         [("column_1", 1, 3), ("column_2", 2, 4)])
        self.assertEqual(self.columns(path, "--delimiter", ";;", code=64).stdout, "")

    def test_a_file_of_names_only_has_no_rows(self):
        done = self.columns(self.write(b"a,b\n"), "--npy", os.path.join(self.folder, "npy"))
        self.assertTrue(done.stdout.startswith("0 rows and 2 columns"), done.stdout)
        self.assertEqual(numpy.load(os.path.join(self.folder, "npy", "a.npy")).shape, (0,))

    def test_the_table_is_aligned(self):
        lines = self.columns(self.write("größe,n\nab,1\n,20\n".encode())).stdout.splitlines()
        self.assertEqual(lines[2:], ["column  kind    count  missing  min  max  mean      sd  distinct  longest",
                                     "größe   string      1        1                                 1        2",
                                     "n       int64       2        0    1   20  10.5  13.435"])

    def test_a_few_bad_rows_are_left_out_and_named(self):
        done = self.columns(self.write(b"a,b\n1,2\n3\n4,5\n"), "--json")
        self.assertEqual((json.loads(done.stdout)["rows"], json.loads(done.stdout)["bad_rows"]), (2, 1))
        self.assertIn("1 row is left out:\n  line 3: 1 field instead of 2\n", done.stderr)

    def test_files_that_are_no_tables_are_refused_with_the_reason(self):
        self.assertIn("No such file", self.columns("/nowhere/at/all.csv", code=66).stderr)
        self.assertIn("empty", self.columns(self.write(b""), code=66).stderr)
        ragged = self.columns(self.write(b"a,b\n" + b"1,2,3\n" * 4 + b"1,2\n"), code=65).stderr
        self.assertIn("4 of 5 rows", ragged)
        self.assertIn("line 2: 3 fields instead of 2", ragged)
        self.assertIn("line 3: this is not UTF-8", self.columns(self.write(b"a,b\n1,2\n3,gr\xfc\n"), code=65).stderr)

    def test_the_part_of_a_killed_reader_is_read_by_another_one(self):
        path = self.make_csv("--rows", "200000")
        expected = json.loads(self.columns(path, "--json", "--checksum", "--readers", "2").stdout)
        running = subprocess.Popen([os.path.join(BIN, "columns"), path, "--json", "--checksum", "--readers", "2"],
                                   env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in running.stderr:
            if line.startswith("reading:"):  # both are at work
                os.kill(self.reader_below(running.pid), signal.SIGKILL)
                break
        out, err = running.communicate(timeout=120)
        self.assertEqual(running.returncode, 0, err)
        said = json.loads(out)
        self.assertEqual(said["replaced"], 1, err)
        self.assertIn("reads its part again", err)
        for of_run in ("seconds", "replaced"):
            said.pop(of_run)
            expected.pop(of_run)
        self.assertEqual(said, expected)

    def reader_below(self, pid):
        for child in self.children(pid):
            try:
                with open(f"/proc/{child}/comm", encoding="ascii") as file:
                    if file.read().strip() == "column_reader":
                        return child
            except OSError:  # it has just ended
                continue
            found = self.reader_below(child)
            if found is not None:
                return found
        return None

    @staticmethod
    def children(pid):
        found = []
        for path in glob.glob(f"/proc/{pid}/task/*/children"):
            try:
                with open(path, encoding="ascii") as file:
                    found += [int(word) for word in file.read().split()]
            except OSError:
                continue
        return found


if __name__ == "__main__":
    unittest.main()
