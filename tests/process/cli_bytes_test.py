"""What a person types, and what comes back: bounded, named where it is wrong, and harmless to a terminal.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests /usr/bin/python3 tests/process/cli_bytes_test.py

As cli_test.py, whose World this is.
"""
import json
import subprocess
import unittest

import cli_test
from cli_test import BIN


class Numbers(cli_test.World):
    def refused(self, *arguments):
        done = subprocess.run([f"{BIN}/baton-coordinator", *arguments], env=self.environment, capture_output=True,
                              text=True,
                              stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 64, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertIn("see `baton-coordinator --help`\n", done.stderr)
        return done.stderr

    def test_a_budget_that_is_no_number_of_bytes_is_named_and_refused(self):
        for text in ("-1", "0", "18446744073709551617", "18446744073709551616", "1.5", "nan", "x", "1X", "99999999999T",
                     "1 M", "+1"):
            self.assertIn(f"'{text}' is not a number of bytes", self.refused(f"--memory={text}"))

    def test_serve_run_and_spawn_refuse_the_same_numbers_under_their_own_names(self):
        for words in (["serve"], ["run", "hello.py"]):
            subcommand = words[0]
            error = self.baton(subcommand, "--memory=1.5", *words[1:], code=64)
            self.assertIn("'1.5' is not a number of bytes from 1: 536870912, 512M, 4G; "
                          f"see `baton {subcommand} --help`", error)
            self.assertIn("'nan' is not a number of seconds",
                          self.baton(subcommand, "--stop-timeout=nan", *words[1:], code=64))
        self.assertIn("'0' is not a number of bytes", self.baton("spawn", "greeter", "--memory=0", code=64))
        self.assertIn("'inf' is not a number of seconds", self.baton("spawn", "greeter", "--timeout=inf", code=64))

    def test_a_timeout_that_is_no_length_of_time_is_named_and_refused(self):
        for text in ("nan", "-nan", "inf", "-1", "0", "1e999", "x", "3601"):
            self.assertIn(f"'{text}' is not a number of seconds", self.refused(f"--stop-timeout={text}"))
        for text in ("nan", "inf", "-1", "0", "1e999", "x"):
            error = self.baton("ask", "Ada", "Greet", f"--timeout={text}", code=64)
            self.assertIn(f"'{text}' is not a number of seconds", error)

    def test_a_budget_without_a_limit_is_said_to_be_one(self):
        self.start("--memory", "18446744073709551615", "cli_scenario")
        self.assertIn("bytes without a limit", self.baton("segments"))
        self.assertIsNone(self.json("segments")["budget_bytes"])
        self.assertIn("budget_bytes", self.json("ask", "coordinator", "Segments", "rows_max=1"))
        self.assertNotIn("18446744073709551615", self.baton("ask", "coordinator", "Segments", "rows_max=1"))

    def test_units_of_a_budget_are_taken_as_everybody_writes_them(self):
        self.start("--memory", "64MiB", "cli_scenario")
        self.assertEqual(self.json("segments")["budget_bytes"], 64 << 20)


class Words(cli_test.World):
    def test_every_program_says_what_is_wrong_with_its_options_and_ends_with_64(self):
        for program, words, expected in (("baton-coordinator", ["--frobnicate"], "there is no option '--frobnicate'"),
                                         ("baton-coordinator", ["--frobnicate", "hello.py"],
                                          "there is no option '--frobnicate'"),
                                         ("baton-coordinator", ["--serve-for", "abc"], "abc"),
                                         ("baton-coordinator", ["--announce", "\x1b[2J"], "\\x1b[2J"),
                                         ("word_count", [], "file is required"),
                                         ("word_count", ["/etc/passwd", "--counters", "0"], "--counters"),
                                         ("columns", ["x.csv", "--readers", "many"], "many"),
                                         ("columns", ["x.csv", "--frobnicate"], "--frobnicate"),
                                         ("make_csv", [], "file is required"),
                                         ("make_csv", ["/dev/null", "--rows", "-1"], "--rows")):
            with self.subTest(program=program, words=words):
                done = subprocess.run([f"{BIN}/{program}", *words], env=self.environment, capture_output=True,
                                      text=True,
                                      stdin=subprocess.DEVNULL, check=False)
                self.assertEqual((done.returncode, done.stdout), (64, ""), done.stderr)
                self.assertTrue(done.stderr.startswith(f"{program}: usage error: "), done.stderr)
                self.assertIn(expected, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_a_command_that_does_not_exist_is_named(self):
        for words in (["frobnicate"], ["frobnicate", "--json"], ["--session", "abcdefgh", "frobnicate", "Ada"]):
            error = self.baton(*words, code=64)
            self.assertIn("there is no command 'frobnicate'; there are serve, run, spawn, ps, describe", error)
        self.assertIn("\\x1b", self.baton("\x1b[2J", code=64))


class Bytes(cli_test.World):
    def setUp(self):
        super().setUp()
        self.start_scenario()

    def test_json_of_any_depth_is_read_or_refused(self):
        for text in ("[" * 20_000, "[" * 20_000 + "]" * 20_000, '{"a":' * 20_000, "[" * 33 + "]" * 33):
            error = self.baton("ask", "coordinator", "Segments", f"rows_max={text}", code=65)
            self.assertIn("nested deeper than 32 (limits::message_depth_max)", error)
            self.assertLess(len(error), 1000)
        self.assertIn("expected uint64",
                      self.baton("ask", "coordinator", "Segments", "rows_max=" + "[" * 32 + "]" * 32, code=65))

    def test_a_number_is_of_its_type_or_refused(self):
        for text in ("2.0", "-1", "true", '"1"', "1e3", "null", "18446744073709551616", "nan", "[1]", "0x10", "1_000"):
            self.assertIn("expected uint64" if text not in ("-1",) else "out of range of uint64",
                          self.baton("ask", "coordinator", "Segments", f"rows_max={text}", code=65))

    def test_what_an_actor_says_moves_no_cursor(self):
        for sent, shown in (("\x1b[2J", "\\x1b[2J"), ("\u009b1m", "\\x9b1m"), ("\u202egpj", "\\u202egpj"),
                            ("\x07", "\\x07")):
            text = self.baton("ask", "Ada", "Greet", f"name={sent}")
            self.assertIn(shown, text)
            self.assertTrue(text.rstrip("\n").isprintable(), repr(text))
            raw = self.baton("ask", "Ada", "Greet", f"name={sent}", "--json")
            self.assertTrue(raw.rstrip("\n").isprintable(), repr(raw))
            self.assertIn(sent, json.loads(raw))

    def test_what_is_typed_is_bounded_when_it_is_shown_again(self):
        error = self.baton("ask", "coordinator", "Segments", "rows_max=" + "9" * 100_000, code=65)
        self.assertLess(len(error), 1000)

    def test_bytes_that_are_no_text_are_refused_by_the_field(self):
        done = subprocess.run([f"{BIN}/baton".encode(), b"ask", b"Ada", b"Greet", b"name=caf\xe9"],
                              env=self.environment,
                              capture_output=True, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 65)
        self.assertIn(b"name: expected UTF-8", done.stderr)


if __name__ == "__main__":
    unittest.main()
