"""The manual pages and the completion for bash: what the build installs is made of what --help says, and says as much.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests /usr/bin/python3 tests/process/cli_manual_test.py

As cli_test.py, whose World this is. groff, where it is there, reads the pages.
"""
import os
import re
import shutil
import subprocess
import unittest

import cli_test
from cli_test import BIN


def plain(roff):
    """The text of a page, without the marks of roff."""
    text = re.sub(r"\\f[BIR]", "", roff)
    return text.replace("\\-", "-").replace("\\&", "").replace("\\e", "\\")


def options_of(help_text):
    """Every option that a help names, as "-a" and "--all"."""
    lines = help_text.split("Options:\n")[1].split("\n\n")[0].splitlines()
    return {name for line in lines if (match := re.match(r"  (-\S+)", line)) for name in match[1].split(",")}


class Pages(cli_test.World):
    def help_of(self, program, *words):
        return subprocess.run([f"{BIN}/{program}", *words, "--help"], env=self.environment, check=True,
                              capture_output=True, text=True).stdout

    def page_of(self, program):
        if program != "baton-coordinator":
            return self.baton("--man", *(() if program == "baton" else (program,)))
        return subprocess.run([f"{BIN}/{program}", "--man"], env=self.environment, check=True, capture_output=True,
                              text=True).stdout

    def subcommands(self):
        listed = self.help_of("baton").split("Subcommands:\n")[1].split("\n\n")[0]
        return re.findall(r"^  ([\w-]+) ", listed, re.MULTILINE)

    def test_the_page_of_baton_has_each_command_with_its_options_and_examples(self):
        page = plain(self.baton("--man"))
        sections = dict(re.findall(r"^\.SS baton ([\w-]+)(.*?)(?=^\.S[SH] |\Z)", page, re.MULTILINE | re.DOTALL))
        self.assertEqual(list(sections), self.subcommands())
        for name, section in sections.items():
            with self.subTest(name):
                help_text = self.help_of("baton", name)
                self.assertEqual({word for line in re.findall(r"^\.TP\n(-.*)$", section, re.MULTILINE)
                                  for word in re.findall(r"(?:^|, )(-[\w-]+)", line)}, options_of(help_text))
                self.assertIn(help_text.splitlines()[0], section)
                self.assertIn(help_text.split("Example")[1].strip(), section)
        self.assertIn("Exit codes:\n    0  success", page)

    def test_the_page_of_the_coordinator_has_its_options(self):
        page = plain(self.page_of("baton-coordinator"))
        self.assertTrue(page.startswith('.TH BATON-COORDINATOR 1 "" "baton '))
        self.assertIn("\nbaton-coordinator - runs the coordinator of one Baton session", page)
        for option in options_of(self.help_of("baton-coordinator")) - {"--version"}:
            self.assertRegex(page, rf"\n(.*, )?{option}\b")
        self.assertNotIn("--announce", page, "what only programs say to it")

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_reads_the_pages_without_a_warning(self):
        # The library of a sanitizer, which Python needs here, is nothing for groff.
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        for program in ("baton", "baton-coordinator", "baton-sync"):
            done = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", "-ww"], input=self.page_of(program),
                                  text=True, capture_output=True, check=True, env=environment)
            self.assertEqual(done.stderr, "")
            self.assertRegex(done.stdout, rf"\nNAME\n +{program} +- ")

    def test_there_is_no_page_of_another_program(self):
        self.assertIn("usage error", self.baton("--man", "sl", code=64))


class Completion(cli_test.World):
    def complete(self, *words):
        """What Tab offers behind those words, the last of which has been begun."""
        script = ('source /dev/stdin <<<"$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _baton; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", self.baton("--completion"), "baton", *words], check=True,
                              text=True,
                              env=self.environment | {"PATH": f"{BIN}:/usr/bin:/bin"}, capture_output=True,
                              cwd=self.folder)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_commands_and_their_options_are_completed(self):
        self.assertEqual(self.complete("s"), ["serve", "spawn", "segments", "sessions", "send", "stop", "sweep"])
        self.assertEqual(self.complete("stop", "--d"), ["--drain"])
        self.assertEqual(self.complete("--session", "abcdefgh", "ps", "--"), ["--help", "--json", "--session", "--all"])
        self.assertEqual(self.complete("--v"), ["--version"])
        self.assertEqual(self.complete("ask", "--timeout", ""), [], "a number is nobody's guess")
        self.assertEqual(self.complete("dance", ""), [])
        self.assertEqual(self.complete("help", "sp"), ["spawn"])

    def test_actors_commands_and_sessions_are_completed_as_they_are_there(self):
        session = self.start_scenario().session
        self.assertEqual(self.complete("ask", ""), ["coordinator", "cli_scenario", "Ada", "Bob", "Zoe"])
        self.assertEqual(self.complete("stop", "Ada", "--timeout", "3", "B"), ["Bob"])
        self.assertEqual(self.complete("ask", "Ada", ""), ["Greet"])
        self.assertEqual(self.complete("send", "Zoe", "Rel"), ["Release"])
        self.assertEqual(self.complete("ps", "--session", ""), [session])
        self.assertEqual(self.complete("describe", "--session", session, "A"), ["Ada"])

    def test_a_name_that_a_shell_would_run_is_offered_quoted_and_not_run(self):
        self.start()
        self.baton("spawn", "greeter", "--name", "$(touch${IFS}owned)")
        self.assertEqual(self.complete("stop", "$"), [r"\$\(touch\$\{IFS\}owned\)"])
        self.assertFalse(os.path.exists(f"{self.folder}/owned"))

    def test_nothing_is_offered_and_nothing_said_where_no_session_runs(self):
        self.assertEqual(self.complete("describe", ""), [])
        self.assertEqual(self.complete("ask", "Ada", ""), [])


if __name__ == "__main__":
    unittest.main()
