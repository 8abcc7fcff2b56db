"""What the benchmark's figures are made of. No program is run: contenders say what the test tells them to.

    /usr/bin/python3 tests/unit/bench_harness_test.py
"""
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import harness
from harness import Contender, Goal, Row

OURS = Contender("Baton", ("ours",))
RAW = Contender("raw", ("raw",))
FIELDS = ["name", "unit", "median", "p99", "baseline", "baseline_median", "ratio", "goal", "holds", "rounds"]


def row(goal=None, **options):
    return Row("ask", "us", OURS, "median_us", RAW, goal=goal, **options)


def rounds_of(*pairs):
    return [{OURS: {"median_us": ours, "p99_us": ours * 2}, RAW: {"median_us": raw}} for ours, raw in pairs]


class Harness(unittest.TestCase):
    def test_the_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_the_medians(self):
        one = harness.summary(row(), rounds_of((10, 10), (30, 10), (40, 40)))
        self.assertEqual((one["median"], one["baseline_median"], one["ratio"]), (30, 10, 1.0))

    def test_a_row_has_the_promised_fields_and_null_where_there_is_nothing_to_say(self):
        full = harness.summary(row(Goal("<=", 1.15), p99_key="p99_us"), rounds_of((12, 10)))
        self.assertEqual(full, dict(zip(FIELDS, ["ask", "us", 12, 24, "raw", 10, 1.2, "<= 1.15", False, 1])))
        alone = harness.summary(Row("rss", "KiB", OURS, "median_us"), rounds_of((12, 10)))
        self.assertEqual(alone, dict(zip(FIELDS, ["rss", "KiB", 12, None, None, None, None, None, None, 1])))

    def test_a_goal_holds_on_its_bound(self):
        self.assertTrue(Goal("<=", 2).holds(2) and Goal(">=", 1).holds(1))
        self.assertFalse(Goal("<=", 2).holds(2.01) or Goal(">=", 1).holds(0.99))
        self.assertEqual(str(Goal(">=", 1)), ">= 1")

    def test_a_speedup_is_the_baseline_by_ours(self):
        one = harness.summary(row(Goal(">=", 300), is_speedup=True), rounds_of((10, 4000), (10, 2000), (10, 3000)))
        self.assertEqual((one["ratio"], one["holds"]), (300.0, True))

    def test_without_a_baseline_the_goal_is_of_the_figure_itself(self):
        calls = Row("calls", "calls", OURS, "median_us", goal=Goal("<=", 0))
        self.assertEqual([harness.summary(calls, rounds_of((figure, 1)))["holds"] for figure in (0, 0.01)],
                         [True, False])

    def test_contenders_take_turns_and_rows_of_the_same_two_share_their_rounds(self):
        order = []

        def measured(contender):
            order.append(contender.name)
            return {"median_us": 1}

        rows = [row(), Row("other figure", "us", OURS, "median_us", RAW)]
        with mock.patch.object(Contender, "measure", measured):
            rounds = harness.measure(rows, 3, on_round=lambda: None)
        self.assertEqual(order, ["raw", "Baton", "Baton", "raw", "raw", "Baton"])
        self.assertIs(rounds[rows[0]], rounds[rows[1]])

    def test_the_file_is_the_list_of_rows_and_the_table_names_each(self):
        summaries = [harness.summary(row(Goal("<=", 1)), rounds_of((12, 10)))]
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            harness.write(summaries, file.name)
            with open(file.name, encoding="utf-8") as written:
                self.assertEqual(json.load(written), summaries)
        self.assertIn("ask", harness.table(summaries))
        self.assertIn("MISSED", harness.table(summaries))

    def test_a_row_of_messages_comes_in_each_way_with_the_goal_of_that_way(self):
        usual, asleep, zeromq = harness.in_each_way(row(), {"": Goal("<=", 0.05), "asleep": Goal("<=", 0.65),
                                                            "zeromq": None})
        self.assertEqual([one.name for one in (usual, asleep, zeromq)], ["ask", "ask/asleep", "ask/zeromq"])
        self.assertEqual([one.goal for one in (usual, asleep, zeromq)], [Goal("<=", 0.05), Goal("<=", 0.65), None])
        self.assertEqual([one.ours.environment for one in (usual, asleep, zeromq)],
                         [(), (("BATON_SPIN", "0"),), (("BATON_LANES", "off"),)])
        self.assertEqual({one.baseline for one in (usual, asleep, zeromq)}, {RAW})

    def test_a_contender_sees_what_its_row_sets_and_nothing_of_what_the_shell_says_of_sessions(self):
        script = "import json, os; print(json.dumps({name: 1 for name in os.environ if name.startswith('BATON_')}))"
        contender = Contender("python", (sys.executable, "-c", script), (("BATON_SPIN", "0"),))
        with mock.patch.dict(os.environ, BATON_SESSION="abcdefgh", BATON_LANES="off", BATON_PROGRAMS="/elsewhere"):
            self.assertEqual(set(contender.measure()) & set(harness.FOREIGN), {"BATON_SPIN"})

    def test_against_another_build_the_baseline_is_the_same_program_in_its_folder(self):
        other = harness.against(row(Goal("<=", 1), is_speedup=True), "/other/bin")
        self.assertEqual((other.ours, other.baseline.command, other.baseline.folder, other.goal, other.is_speedup),
                         (OURS, OURS.command, "/other/bin", None, False))
        self.assertEqual(harness.program_path("ours", other.baseline.folder), "/other/bin/ours")
        script = Row("csv", "MB/s", Contender("Baton", (sys.executable, "compare.py")), "rate")
        self.assertIsNone(harness.against(script, "/other/bin"), "a script finds its programs itself")

    def test_a_row_whose_program_is_not_built_says_which(self):
        self.assertEqual(row().missing(), "ours")
        self.assertIsNone(Row("csv", "MB/s", Contender("Baton", (sys.executable, "compare.py")), "rate").missing())

    def test_a_ratio_with_nothing_is_no_ratio(self):
        one = harness.summary(row(Goal("<=", 1)), rounds_of((0, 0), (5, 0)))
        self.assertEqual((one["ratio"], one["holds"]), (None, None))
        self.assertEqual(harness.summary(row(), rounds_of((0, 0), (5, 10)))["ratio"], 0.5)


if __name__ == "__main__":
    unittest.main()
