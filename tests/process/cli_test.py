"""The command line, as a shell sees it: what it prints, its exit codes, and that it leaves nothing behind.

    BATON_BIN=build/dev/bin [BATON_TESTS_BIN=build/dev/tests] /usr/bin/python3 tests/process/cli_test.py

BATON_BIN holds baton-coordinator, baton and greeter; BATON_TESTS_BIN (else the same folder) cli_scenario, probe and
keeper. Nothing sleeps: waits end with a line, a roster or an exit, and the watchdog is that of ctest.
"""
import glob
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

BIN = os.path.abspath(os.environ["BATON_BIN"])
TESTS_BIN = os.path.abspath(os.environ.get("BATON_TESTS_BIN", BIN))


def processes_of(session_folder):
    """The actors of that session that still run: I7 wants none."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                environment = file.read().split(b"\0")
        except OSError:  # it has just ended, or is another user's
            continue
        is_actor = any(variable.startswith(b"BATON_ACTOR=") for variable in environment)
        if is_actor and f"BATON_SESSION={session_folder}".encode() in environment:
            found.append(path)
    return found


class Coordinator:
    """`baton run` with a scenario that is ready, or `baton serve` with a session that is open."""

    def __init__(self, world, *arguments):
        has_scenario = len(arguments) > 0
        self.process = subprocess.Popen(
            [f"{BIN}/baton", "run" if has_scenario else "serve", *arguments], env=world.environment,
            stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE if has_scenario else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if has_scenario else subprocess.PIPE)
        words = "ready" if has_scenario else "is open"
        stream = self.process.stdout if has_scenario else self.process.stderr
        for line in stream:
            if words in line:
                break
        else:
            raise AssertionError(f"the coordinator ended with {self.process.wait()} before it was ready")
        self.pid = self.process.pid

    def close(self):
        """The end of a scenario's stdin ends it, and so its session; one that serves is asked to stop."""
        self.process.stdin.close()
        if self.process.stdout is None and self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


class World(unittest.TestCase):
    """A runtime folder of its own for each test, and the proof that nothing is left in it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="b", dir="/tmp")
        self.environment = {name: value for name, value in os.environ.items()
                            if name == "BATON_LANES" or not name.startswith("BATON_") and name != "NO_COLOR"}
        self.environment.update(XDG_RUNTIME_DIR=self.folder, BATON_LOG="error", BATON_PROGRAMS=f"{TESTS_BIN}:{BIN}",
                                TERM="xterm")
        self.coordinators = []
        self.sessions_seen = {}

    def tearDown(self):
        for coordinator in self.coordinators:
            coordinator.close()
        base = f"{self.folder}/baton"
        left = [name for name in os.listdir(base) if name != ".sweep-lock"] if os.path.exists(base) else []
        for session, folder in self.sessions_seen.items():
            left += glob.glob(f"/dev/shm/baton-{session}*") + processes_of(folder)
        shutil.rmtree(self.folder)
        self.assertEqual(left, [])

    def start(self, *arguments):
        coordinator = Coordinator(self, *arguments)
        self.coordinators.append(coordinator)
        for row in self.json("sessions"):
            self.sessions_seen[row["session"]] = row["folder"]
        coordinator.session = next(row["session"] for row in self.json("sessions")
                                   if row["coordinator_pid"] == coordinator.pid)
        return coordinator

    def start_scenario(self):
        """Greeters Ada and Bob, and Zoe, a probe."""
        return self.start("cli_scenario")

    def baton(self, *arguments, code=0, **environment):
        done = subprocess.run([f"{BIN}/baton", *arguments], env=self.environment | environment, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, code, f"baton {arguments}\n{done.stdout}{done.stderr}")
        if code in (0, 1):
            self.assertEqual(done.stderr, "")
            return done.stdout
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("baton: "), done.stderr)
        return done.stderr

    def json(self, *arguments, code=0):
        return json.loads(self.baton(*arguments, "--json", code=code))

    def roster(self, *arguments):
        return {row["name"]: row for row in self.json("ps", *arguments)[0]["actors"]}

    def asking(self, *words):
        """An ask under way, from the moment on that the actor has it in hand or in its inbox."""
        name, command = words[:2]
        process = subprocess.Popen([f"{BIN}/baton", "ask", *words, "--timeout", "3600"], env=self.environment,
                                   text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None:
            row = self.roster()[name]
            if row["in_hand"] == command or row["inbox_depth"] > 0:
                break
        return process


class WithoutASession(World):
    def test_everything_says_how_to_start_one_and_starts_none(self):
        for words in (["ps"], ["segments"], ["audit"], ["describe", "Ada"], ["ask", "Ada", "Greet", "name=x"],
                      ["send", "Ada", "Greet"],
                      ["stop", "--all"], ["stop", "--everything"], ["kill", "Ada"], ["spawn", "greeter"]):
            error = self.baton(*words, code=69)
            self.assertIn("baton: gone: no session of yours is running", error)
            self.assertIn("`baton serve` keeps one open", error)
        self.assertEqual(self.json("sessions"), [])

    def test_help_mentions_no_program_but_the_command_itself(self):
        text = self.baton("--help")
        examples = text.split("Examples:\n")[1].split("\n\n")[0].splitlines()
        self.assertEqual({line.split()[0] for line in examples}, {"baton"})
        self.assertEqual({words.split()[0] for words in re.findall("`(.+?)`", text)}, {"baton"})
        self.assertNotIn("coordinator", text.replace("restart-coordinator", ""))

    def test_the_session_that_is_named_must_run(self):
        self.assertIn("cannot join session 'abcdefgh' (as asked for)",
                      self.baton("ps", "--session", "abcdefgh", code=69))
        self.assertIn("(from BATON_SESSION)", self.baton("ps", code=69, BATON_SESSION="abcdefgh"))

    def test_there_is_nothing_to_list_and_nothing_to_sweep(self):
        self.assertEqual(self.baton("sessions"), "no session of yours is running, and none has left anything\n")
        self.assertEqual(self.baton("sweep"), "nothing was left behind\n")
        self.assertEqual(self.json("sweep"), {"sessions": 0, "processes_killed": [], "removed": [], "troubles": []})

    def test_every_subcommand_teaches_by_an_example(self):
        overview = self.baton("--help")
        for code in (64, 65, 69, 70, 75, 76, 130):
            self.assertRegex(overview, rf"\n +{code}  \w")
        for name in ("serve", "run", "spawn", "ps", "segments", "audit", "describe", "ask", "send", "stop", "kill",
                     "link", "unlink", "sweep", "sessions"):
            self.assertRegex(overview, rf"\n  {name} ")
            self.assertIn(f"\n  baton {name}", self.baton(name, "--help"))
        self.assertRegex(self.baton("--version"), r"^baton \d+\.\d+\.\d+\n$")

    def test_help_is_a_command_too_and_says_the_same(self):
        self.assertEqual(self.baton("help"), self.baton("--help"))
        for name in re.findall(r"^  (\w+) ", self.baton("--help").split("Subcommands:\n")[1].split("\n\n")[0],
                               re.MULTILINE):
            self.assertEqual(self.baton("help", name), self.baton(name, "--help"))
        self.assertIn("there is no command 'dance'; there are serve, run", self.baton("help", "dance", code=64))
        self.assertIn("'b' is one argument too many", self.baton("help", "spawn", "b", code=64))

    def test_a_program_in_an_example_is_installed_or_the_help_says_where_it_is_from(self):
        helps = {"": self.baton("--help")}
        helps |= {name: self.baton("help", name) for name in re.findall(r"\n  ([a-z]+)  ", helps[""])}
        of_the_page = {"vote.py", "./build/vote", "./build/tally"}
        for name, text in helps.items():
            examples = re.findall(r"^  (baton [^#\n]*)", text.split("Example")[1], re.MULTILINE)
            programs = {word for one in examples for word in re.findall(r"(?:spawn|run)(?: --memory \w+)? (\S+)", one)}
            self.assertLessEqual(programs, of_the_page | {"baton-sync"}, name)
            if programs & of_the_page:
                self.assertIn("./build/tally are made by docs/first_actor.md, which is installed", text, name)
            elif re.search(r"\b(Ada|Bob)\b", "".join(examples)):
                self.assertIn("Ada and Bob are actors of ./build/tally, as `baton spawn --help` starts", text, name)

    def test_an_actor_s_program_that_is_asked_for_help_says_what_it_is_and_how_to_start_it(self):
        def run(*words, code=0):
            done = subprocess.run(words, env=self.environment, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, check=False)
            self.assertEqual((done.returncode, done.stderr), (code, ""), words)
            return done.stdout
        greeter, zoo = f"{BIN}/greeter", f"{TESTS_BIN}/zoo"
        text = run(greeter, "--help")
        self.assertTrue(text.startswith("greeter is an actor of Baton"), text)
        for line in ("  Greet(name: string) -> string", f"      actor = session.spawn(\"{greeter}\")",
                     f"  baton spawn {greeter}"):
            self.assertIn(f"\n{line}\n", text)
        self.assertEqual(run(greeter, "-h"), text)
        self.assertEqual(run(greeter, code=64), text, "without a coordinator it can do nothing else")
        self.assertEqual(run(greeter, "--frobnicate", code=64), text)
        self.assertIn(f"\n  baton spawn {zoo} --actor lion\n", run(zoo, "--help"))
        self.assertIn("zoo is an actor of Baton", run(zoo, "--actor", "lion", "--help"))

    def test_a_command_line_that_makes_no_sense_is_a_usage_error(self):
        for words in (["dance"], ["ps", "--bogus"], ["segments", "--limit", "0"], ["segments", "--limit", "many"],
                      ["ask", "Ada"], ["ask", "Ada", "Greet", "--timeout", "soon"],
                      ["ask", "Ada", "Greet", "--timeout", "nan"], ["ask", "Ada", "Greet", "--timeout", "-1"],
                      ["stop"], ["stop", "Ada", "--all"], ["kill"], ["run"], ["run", "--bogus", "hello.py"], ["spawn"],
                      ["spawn", "greeter", "--bogus"], ["serve", "hello.py"], ["ps", "Ada"],
                      ["sessions", "--timeout", "1"]):
            self.assertIn("baton: usage error: ", self.baton(*words, code=64))
        self.assertIn("--everything", self.baton("stop", code=64))


class Looking(World):
    def test_ps_shows_the_coordinator_first_and_then_who_is_in_the_session(self):
        coordinator = self.start_scenario()
        lines = self.baton("ps").splitlines()
        self.assertEqual(lines[0], f"session {coordinator.session}, 3 actors")
        self.assertEqual(lines[1], "")
        self.assertEqual(lines[2].split(),
                         "NAME PID PPID STATE SINCE INBOX HANDLED RESTARTS CPU HELD LANES RESIDENT IN HAND WAITS "
                         "FOR".split())
        self.assertEqual([line.split()[0] for line in lines[3:]], ["coordinator", "cli_scenario", "Ada", "Bob", "Zoe"])
        self.assertEqual(lines[3].split()[2], str(coordinator.pid), "the anchor has started it")
        self.assertEqual(len({line.find("ready") for line in lines[3:]}), 1, "columns are aligned")
        self.assertEqual([line for line in lines if line.endswith(" ")], [])

    def test_ps_as_json_has_every_row_of_the_roster(self):
        coordinator = self.start_scenario()
        self.baton("ask", "Ada", "Greet", "name=x")
        (seen,) = self.json("ps")
        self.assertEqual((seen["session"], seen["coordinator_pid"]), (coordinator.session, coordinator.pid))
        rows = {row["name"]: row for row in seen["actors"]}
        self.assertEqual(list(rows), ["coordinator", "cli_scenario", "Ada", "Bob", "Zoe"])
        self.assertEqual((rows["Ada"]["state"], rows["Ada"]["handled"], rows["Bob"]["handled"]), ("ready", 1, 0))
        self.assertEqual(rows["Ada"]["ppid"], coordinator.pid)
        self.assertEqual(rows["Ada"]["exit"]["kind"], "running")

    def test_ps_all_shows_how_the_exited_ended_and_what_they_left_unread(self):
        self.start_scenario()
        self.baton("stop", "Ada")
        self.baton("kill", "Bob", "--signal", "STOP")
        self.baton("send", "Bob", "Greet", "name=x", code=75)
        self.baton("kill", "Bob")
        text = self.baton("ps", "--all")
        self.assertRegex(text, r"EXIT +DEAD LETTERS +MEMORY AT EXIT\n")
        self.assertRegex(text, r"\nAda +\d+ +- +exited .* stopped\n")
        self.assertRegex(text, r"\nBob +\d+ +- +exited .* signal -9 \(Killed\) +\d+\n")
        self.assertNotIn("\nbaton", text, "visits of the past are no news")
        self.assertNotIn("exited", self.baton("ps"))

    def test_linked_actors_end_together_until_they_are_unlinked(self):
        self.start_scenario()
        self.assertEqual(self.baton("link", "Ada", "Bob"), "Ada and Bob end together\n")
        self.assertEqual(self.json("link", "Ada", "Zoe"), {"actors": ["Ada", "Zoe"], "linked": True})
        self.assertEqual(self.baton("unlink", "Zoe", "Ada"), "Zoe and Ada end by themselves\n")
        self.assertIn("with itself", self.baton("link", "Ada", "Ada", code=65))
        self.assertIn("no actor 'Nemo'", self.baton("link", "Ada", "Nemo", code=69))
        self.baton("kill", "Bob")
        self.wait_for_row("Zoe", lambda row: row["state"] == "ready")
        while "Ada" in self.roster():
            pass
        self.assertRegex(self.baton("ps", "--all"),
                         r"\nAda .* stopped: it was linked with Bob, which has ended: signal -9 \(Killed\)")
        self.assertIn("Zoe", self.roster())

    def test_ps_shows_what_an_actor_has_in_hand(self):
        self.start_scenario()
        asking = self.asking("Zoe", "Hang")
        self.assertRegex(self.baton("ps"), r"\nZoe .* busy .* Hang\n")
        asking.kill()
        asking.communicate()
        self.baton("kill", "Zoe")

    def wait_for_row(self, name, is_so):
        """The row of that actor, as soon as it is so; ctest's watchdog ends a wait that never does."""
        while not is_so(row := self.roster()[name]):
            pass
        return row

    def test_ps_shows_for_whose_answer_an_actor_waits_and_since_when(self):
        self.start_scenario()
        self.baton("spawn", "probe", "--name", "Yan")
        asking = self.asking("Zoe", "AskOther", "other=Yan", "seconds=3600")
        first = self.wait_for_row("Zoe", lambda row: row["waits_for"] == "Yan")
        hanging = self.wait_for_row("Yan", lambda row: row["in_hand"] == "Hang")
        second = self.roster()["Zoe"]
        self.assertEqual((first["in_hand"], first["waits_for_room"]), ("AskOther", False))
        self.assertIsNone(hanging["waits_for"])
        self.assertLess(first["since_seconds"], second["since_seconds"])
        self.assertLessEqual(hanging["since_seconds"], second["since_seconds"],
                             "it was asked by Zoe, who has waited longer")
        asks = [row["waits_for"] for name, row in self.roster().items() if name.startswith("baton")]
        self.assertEqual(asks, ["Zoe"], "the command line, which has asked Zoe, is in the session too")
        self.assertRegex(self.baton("ps"), r"\nZoe .* AskOther +Yan\n")
        self.assertIsNone(second["exit"]["held"])
        asking.kill()
        asking.communicate()
        self.baton("kill", "Yan")
        self.assertIsNone(self.wait_for_row("Zoe", lambda row: row["state"] == "ready")["waits_for"])
        (exited,) = [row for row in self.json("ps", "--all")[0]["actors"] if row["name"] == "Yan"]
        self.assertEqual([exited[name] for name in ("since_seconds", "waits_for", "cpu_seconds", "resident_bytes")],
                         [None] * 4)

    def test_ps_shows_in_whose_full_inbox_an_actor_waits_for_room(self):
        self.start_scenario()
        self.baton("spawn", "probe", "--name", "Yan")
        self.baton("kill", "Yan", "--signal", "STOP")
        asking = self.asking("Zoe", "Flood", "other=Yan", "count=100000000", "ballast_bytes=0",
                             "deadline_milliseconds=3600000")
        row = self.wait_for_row("Zoe", lambda row: row["waits_for"] == "Yan")
        self.assertTrue(row["waits_for_room"])
        self.assertRegex(self.baton("ps"), r"\nZoe .* Flood +Yan \(its inbox is full\)\n")
        self.assertEqual(self.roster()["Yan"]["state"], "frozen")
        asking.kill()
        asking.communicate()
        self.baton("kill", "Yan", "Zoe")

    def test_ps_shows_the_bytes_that_an_actor_owns_in_segments(self):
        self.start("cli_keepers")
        rows = self.roster()
        self.assertEqual({name: row["held_bytes"] for name, row in rows.items()},
                         {"coordinator": 0, "cli_keepers": 4400, "Ada": 40, "Bob": 0})
        self.assertRegex(self.baton("ps"), r"\ncli_keepers .* 4\.3 KiB ")

    def test_ps_shows_the_memory_of_lanes_and_an_audit_looks_at_it(self):
        coordinator = self.start_scenario()
        self.baton("kill", "Ada", "--signal", "STOP")
        asking = self.asking("Zoe", "Flood", "other=Ada", "count=1000", "ballast_bytes=1000",
                             "deadline_milliseconds=3600000")
        asking.communicate()
        (seen,) = self.json("ps")
        bytes_of = {row["name"]: row["lane_bytes"] for row in seen["actors"]}
        self.assertEqual((bytes_of["coordinator"], bytes_of["Bob"]), (0, 0))
        if os.environ.get("BATON_LANES") == "off":
            self.assertEqual((bytes_of["Zoe"], seen["lane_bytes"]), (0, 0))
            return
        self.assertGreater(bytes_of["Zoe"], 1000 * 1000)
        self.assertGreaterEqual(seen["lane_bytes"], bytes_of["Zoe"])
        self.assertGreaterEqual(seen["lane_bytes_max"], 64 << 20)
        text = self.baton("ps")
        self.assertRegex(text, r"^session .*, 3 actors, [0-9.]+ MiB of [0-9.]+ [GM]iB in lanes\n")
        self.assertRegex(text, r"\nZoe .* [0-9.]+ MiB +[0-9.]+ MiB\n")
        self.assertEqual(self.baton("audit"), "all invariants hold\n")
        stray = f"baton-{coordinator.session}-lane-5.1-4000.1"
        with open(f"/dev/shm/{stray}", "wb"):
            self.assertEqual(self.baton("audit", code=1), f"the lane {stray} leads to nobody\n")
        os.unlink(f"/dev/shm/{stray}")
        self.baton("kill", "Ada", "--signal", "CONT")

    def test_ps_shows_memory_and_processor_time_as_the_kernel_counts_them(self):
        self.start_scenario()

        def ticks_of(pid):
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])

        pid = self.roster()["Ada"]["pid"]
        before = ticks_of(pid)
        # Until it has used so much that it can be told from nothing.
        while (row := self.roster()["Ada"])["cpu_seconds"] < 0.02:
            for _ in range(20):
                self.baton("ask", "Ada", "Greet", "name=x")
        after, tick = ticks_of(pid), os.sysconf("SC_CLK_TCK")
        self.assertLessEqual(before / tick, row["cpu_seconds"] + 1e-9)
        self.assertLessEqual(row["cpu_seconds"], after / tick + 1e-9)
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            resident = int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
        self.assertAlmostEqual(row["resident_bytes"] / resident, 1, delta=0.5)
        self.assertRegex(self.baton("ps"), r"\nAda .* \d+\.\d\d s +- +\S.* +\d+\.\d MiB *\n")

    def test_two_sessions_are_shown_one_after_the_other_and_one_can_be_chosen(self):
        first, second = self.start(), self.start_scenario()
        names = sorted((first.session, second.session))
        self.assertEqual([one["session"] for one in self.json("ps")], names)
        headings = [line.split()[1].rstrip(",") for line in self.baton("ps").splitlines() if line.startswith("session")]
        self.assertEqual(headings, names)
        for words in (["ps", "--session", first.session], ["--session", first.session, "ps"]):
            self.assertTrue(self.baton(*words).startswith(f"session {first.session}, no actors\n"))
        text = self.baton("ps", BATON_SESSION=second.session)
        self.assertTrue(text.startswith(f"session {second.session}, 3 actors\n"))
        error = self.baton("describe", "Ada", code=65)
        self.assertIn("2 sessions of yours are running", error)
        self.assertIn("--session ID", error)
        self.assertIn("Greet", self.baton("describe", "Ada", "--session", second.session))

    def test_describe_shows_commands_fields_types_and_replies(self):
        self.start_scenario()
        text = self.baton("describe", "Ada")
        self.assertIn("accepts the commands of protocol greeter:\n\n  Greet(name: string) -> string\n", text)
        self.assertIn("try: baton ask Ada Greet name=...", text)
        text = self.baton("describe", "Zoe")
        self.assertIn("\n  Release()\n", text)
        self.assertRegex(text, r"\nwhere\n(.*\n)*  Colour +one of red, green, blue\n")
        self.assertIn("Roster(with_exited: bool) -> list<RosterRow>", self.baton("describe", "coordinator"))
        described = self.json("describe", "Ada")
        self.assertEqual((described["name"], described["protocol"]), ("Ada", "greeter"))
        self.assertEqual(described["commands"],
                         [{"name": "Greet", "fields": [{"name": "name", "type": "string"}], "reply": "string"}])
        self.assertIn("has published no commands", self.baton("describe", "cli_scenario"))

    def test_an_unknown_name_is_answered_with_the_names_that_there_are(self):
        self.start_scenario()
        error = self.baton("describe", "Eve", code=69)
        self.assertIn("no actor 'Eve' in session", error)
        self.assertIn("there are cli_scenario, Ada, Bob, Zoe", error)
        self.baton("ask", "Zoe", "SpawnChild", "program=probe", "name=kid")
        self.assertIn("did you mean Zoe/kid?", self.baton("describe", "kid", code=69))
        self.assertIn("Zoe/kid", self.baton("describe", "Zoe/kid"))

    def test_colour_is_for_terminals_and_not_where_it_is_unwanted(self):
        self.start()

        def on_a_terminal(**environment):
            ours, theirs = pty.openpty()
            subprocess.run([f"{BIN}/baton", "ps"], env=self.environment | environment, stdout=theirs, check=True)
            os.close(theirs)
            text = os.read(ours, 65536).decode()
            os.close(ours)
            return text

        self.assertIn("\x1b[", on_a_terminal())
        self.assertNotIn("\x1b[", on_a_terminal(NO_COLOR="1"))
        self.assertNotIn("\x1b[", self.baton("ps"))


class Talking(World):
    def test_ask_prints_the_reply_as_people_or_programs_read_it(self):
        self.start_scenario()
        self.assertEqual(self.baton("ask", "Ada", "Greet", "name=Grace Hopper"),
                         "Hello, Grace Hopper! You are number 1.\n")
        self.assertEqual(self.json("ask", "Ada", "Greet", "name=a=b"), "Hello, a=b! You are number 2.")
        self.assertEqual(self.baton("ask", "Zoe", "HowMany"), "0\n")
        self.assertEqual(self.baton("ask", "Zoe", "SpawnChild", "program=probe", "name=kid"), "Zoe/kid\n")
        self.assertRegex(self.baton("ask", "coordinator", "Find", "name=Ada"),
                         r"^actor     Ada\nname      Ada\npid       \d+\n")
        table = self.baton("ask", "coordinator", "Roster", "with_exited=false").splitlines()
        self.assertTrue(table[0].startswith("ACTOR"))
        self.assertEqual([line.split()[1] for line in table[1:]],
                         ["cli_scenario", "Ada", "Bob", "Zoe", "Zoe/kid", "baton"])
        self.assertEqual(self.baton("ask", "coordinator", "Signal", "actor=Ada", "signal=0"), "done\n")
        self.assertIsNone(self.json("ask", "coordinator", "Signal", "actor=Ada", "signal=0"))

    def test_every_type_of_field_can_be_typed_and_comes_back(self):
        self.start_scenario()
        everything = {"flag": True, "tiny": -3, "large": 2**64 - 1, "real": 0.1, "precise": 0.1, "colour": "green",
                      "text": "h\u00e9\n", "bytes": "00ff", "list": [1, 2], "three": [1, 2, 3], "table": {"a": 1.5},
                      "maybe": None, "either": "x", "point": {"x": 1.0, "y": 2.5},
                      "time": "2024-01-02T03:04:05.500000000Z", "ref": "Ada"}
        words = ["ask", "Zoe", "SendEverything", "everything=" + json.dumps(everything)]
        ada = self.roster()["Ada"]["actor"]
        self.assertEqual(self.json(*words), everything | {"ref": ada})
        lines = dict(line.split(maxsplit=1) for line in self.baton(*words).splitlines() if " " in line)
        self.assertEqual((lines["real"], lines["text"], lines["ref"]), ("0.1", "h\u00e9\\n", "Ada"))

    def test_a_wrong_field_is_refused_by_name_before_anything_is_sent(self):
        self.start_scenario()
        for words, complaint in ((["Ada", "Greet", "nam=x"], "Greet.nam: there is no such field"),
                                 (["Ada", "Greet"], "Greet.name is missing"),
                                 (["Ada", "Greet", "Grace"], "'Grace' is not field=value"),
                                 (["Ada", "Greet", "name=a", "name=b"], "Greet.name: it is given twice"),
                                 (["Zoe", "ExitWith", "code=abc"], "ExitWith.code: expected int32, got 'abc'"),
                                 (["Zoe", "ExitWith", "code=1.5"], "ExitWith.code: expected int32, got float 1.5"),
                                 (["Zoe", "ExitWith", "code=3000000000"], "ExitWith.code: 3000000000 is out of range"),
                                 (["Zoe", "Release"], "has no reply")):
            self.assertIn(complaint, self.baton("ask", *words, code=65))
        self.assertIn("AskOther.other: no actor 'Eve'",
                      self.baton("ask", "Zoe", "AskOther", "other=Eve", "seconds=1", code=69))
        self.assertIn("has no command 'Great'; it has Greet", self.baton("send", "Ada", "Great", "name=x", code=76))
        rows = self.roster()
        self.assertEqual((rows["Ada"]["handled"], rows["Zoe"]["handled"]), (0, 0))

    def test_send_delivers_in_order_and_says_so(self):
        self.start_scenario()
        for count in range(3):
            self.assertEqual(self.baton("send", "Zoe", "Count", f"ballast={count}"), "sent Count to Zoe\n")
        self.assertEqual(self.json("send", "Zoe", "Count", "ballast="),
                         {"to": "Zoe", "command": "Count", "is_handled": True})
        self.assertEqual(self.baton("ask", "Zoe", "HowMany"), "4\n")

    def test_a_handler_that_raises_is_told_with_type_and_text(self):
        self.start_scenario()
        self.assertIn("baton: failed: asked Zoe Throw, and that raised std::invalid_argument: no\\nluck",
                      self.baton("ask", "Zoe", "Throw", "text=no\nluck", code=70))

    def test_an_actor_that_dies_over_a_command_is_gone(self):
        self.start_scenario()
        self.assertIn("baton: gone: asked Zoe ExitWith: Zoe has exited: returned 3",
                      self.baton("ask", "Zoe", "ExitWith", "code=3", code=69))
        self.assertIn("Zoe has exited: returned 3", self.baton("ask", "Zoe", "HowMany", code=69))

    def test_a_deadline_that_passes_is_told_with_what_to_do(self):
        self.start_scenario()
        self.baton("kill", "Ada", "--signal", "STOP")
        error = self.baton("ask", "Ada", "Greet", "name=x", "--timeout", "0.1", code=75)
        self.assertIn("baton: timed_out: asked Ada Greet and had no answer within 0.1 s: Ada has not answered", error)
        self.assertIn("withdrawn before it began, and will not run", error)
        self.assertIn("sent Greet to Ada, which is frozen", self.baton("send", "Ada", "Greet", "name=x", code=75))
        self.baton("kill", "Ada")

    def test_what_the_actor_itself_says_of_a_deadline_is_shown(self):
        self.start_scenario()
        options = {"program": "greeter", "name": "x", "arguments": [], "timeout": 0, "memory_bytes": 0, "folders": [],
                   "actor": ""}
        error = self.baton("ask", "coordinator", "Spawn", f"options={json.dumps(options)}", "fingerprint=0", code=75)
        self.assertIn("baton: timed_out: asked coordinator Spawn: greeter was not started: a timeout of 0 leaves it no "
                      "time", error)
        self.assertNotIn("no answer", error)

    def test_an_actor_has_loaded_no_library_of_what_sessions_do_not_use(self):
        with open(f"{BIN}/../CMakeCache.txt", encoding="utf-8") as file:
            cache = dict(re.findall(r"^(\w+):\w+=(.*)$", file.read(), re.MULTILINE))
        if (cache.get("BATON_ZEROMQ_CAN_BE_STATIC"), cache.get("BATON_STATIC_ZEROMQ")) != ("TRUE", "ON"):
            self.skipTest("this build loads libzmq.so: there is no libzmq.a, or it is not to be used")
        self.start_scenario()
        for name in ("Ada", "coordinator"):
            with open(f"/proc/{self.roster()[name]['pid']}/maps", encoding="utf-8") as file:
                loaded = set(re.findall(r"/(lib[a-z0-9_]+)[^/ ]*\.so", file.read()))
            self.assertIn("libc", loaded)
            unused = {"libzmq", "libsodium", "libbsd", "libpgm", "libnorm", "libgssapi_krb5", "libkrb5", "libspdlog"}
            self.assertEqual(loaded & unused, set())

    def test_a_spawn_says_how_long_its_actor_may_spin_and_ps_how_long_each_has(self):
        self.start_scenario()
        for name, spin, expected in (("never", 0, [b"BATON_SPIN=0"]), ("long", 0.0004, [b"BATON_SPIN=400"]),
                                     ("negative", -1, [b"BATON_SPIN=0"]), ("usual", None, [])):
            options = {"program": "greeter", "name": name, "arguments": [], "timeout": 10, "memory_bytes": 0,
                       "folders": [], "actor": "", **({} if spin is None else {"spin": spin})}
            self.baton("ask", "coordinator", "Spawn", f"options={json.dumps(options)}", "fingerprint=0",
                       "outlives_spawner=true")
            (row,) = [row for name_now, row in self.roster().items() if name_now.endswith(name)]
            with open(f"/proc/{row['pid']}/environ", "rb") as file:
                self.assertEqual([one for one in file.read().split(b"\0") if one.startswith(b"BATON_SPIN=")], expected)
            self.assertEqual(row["spun_seconds"], 0, "it has never been busy")

    def test_spawn_takes_the_actor_of_a_program_and_how_long_it_may_spin(self):
        self.start_scenario()
        self.baton("spawn", "zoo", "--name", "Leo", "--actor", "lion", "--spin", "7")
        with open(f"/proc/{self.roster()['Leo']['pid']}/environ", "rb") as file:
            self.assertIn(b"BATON_SPIN=7", file.read().split(b"\0"))
        self.assertIn("lion", self.baton("describe", "Leo"))
        self.assertIn("no actor 'tiger'", self.baton("spawn", "zoo", "--actor", "tiger", code=70))
        self.assertIn("--spin", self.baton("spawn", "zoo", "--actor", "lion", "--spin", "2000", code=64))

    def test_an_ask_that_had_begun_is_said_to_have_an_unknown_outcome(self):
        self.start_scenario()
        error = self.baton("ask", "Zoe", "Hang", "--timeout", "0.5", code=75)
        self.assertIn("had no answer within 0.5 s, so the outcome is unknown", error)
        self.assertIn("had begun, and may still finish", error)
        self.baton("kill", "Zoe")

    def test_ctrl_c_ends_an_ask_calmly(self):
        self.start_scenario()
        for name, command, freezes in (("Zoe", ["Hang"], False), ("Ada", ["Greet", "name=x"], True)):
            if freezes:
                self.baton("kill", name, "--signal", "STOP")
            asking = self.asking(name, *command)
            asking.send_signal(signal.SIGINT)
            out, error = asking.communicate()
            self.assertEqual((asking.returncode, out), (130, ""))
            self.assertEqual(error, f"baton: interrupted: asked {name} {command[0]} and stopped waiting; "
                                    + ("it had not begun, and will not do it\n" if freezes else "it may still do it\n"))
            self.assertNotIn("baton", self.roster(), "it has left")
            self.baton("kill", name)

    def test_an_ask_ends_as_gone_when_the_session_is_killed(self):
        coordinator = self.start_scenario()
        asking = self.asking("Zoe", "Hang")
        coordinator.process.kill()
        _, error = asking.communicate()
        self.assertEqual(asking.returncode, 69)
        self.assertIn("baton: gone: asked Zoe Hang: ", error)
        coordinator.process.stdin.close()  # the scenario ends, and with it the last who writes to the pipe
        coordinator.process.stdout.read()
        self.baton("sweep")


class Ledger(World):
    def start_keepers(self):
        """A scenario has lent 4,000 bytes to Ada, who also holds 40 of her own, and has 400 on their way to Bob,
        frozen."""
        return self.start("cli_keepers")

    def test_a_session_without_segments_says_so_and_keeps_its_promises(self):
        coordinator = self.start()
        text = self.baton("segments")
        beginning = f"session {coordinator.session}, no segments\n\n0 bytes in segments; the session has taken 0"
        self.assertTrue(text.startswith(beginning), text)
        self.assertEqual(self.json("segments")["segments"], [])
        self.assertEqual(self.baton("audit"), "all invariants hold\n")
        self.assertEqual(self.json("audit"), {"session": coordinator.session, "broken": []})

    def test_segments_shows_whose_they_are_where_they_go_and_what_is_lent(self):
        coordinator = self.start_keepers()
        lines = self.baton("segments").splitlines()
        self.assertEqual(lines[0], f"session {coordinator.session}, 3 segments")
        self.assertEqual(lines[2].split(), "SEGMENT STATE OWNER HEIR BYTES LEASES AGE NAME LEFT TO".split())
        rows = {line.split()[1]: line.split() for line in lines[3:6]}
        self.assertEqual(rows["lent"][2:6], ["cli_keepers", "-", "4,000", "1"])
        self.assertEqual(rows["owned"][2:6], ["Ada", "-", "40", "-"])
        self.assertEqual(rows["offered"][2:6], ["cli_keepers", "Bob", "400", "-"])
        self.assertRegex(lines[7], r"^4,440 bytes in segments; the session has taken [\d,]+ bytes ")
        self.assertEqual([line for line in lines if line.endswith(" ")], [])
        seen = self.json("segments")
        self.assertEqual((seen["session"], seen["alive"]), (coordinator.session, 3))
        offered, = [row for row in seen["segments"] if row["state"] == "offered"]
        self.assertEqual((offered["owner"], offered["heir"], offered["bytes"]), ("cli_keepers", "Bob", 400))
        self.assertIn("1 of 3 are shown; --limit N shows more\n", self.baton("segments", "--limit", "1"))
        self.assertEqual(self.baton("audit"), "all invariants hold\n")

    def test_ps_all_shows_what_the_exited_held(self):
        self.start_keepers()
        self.baton("kill", "Ada")
        self.baton("kill", "Bob")
        text = self.baton("ps", "--all")
        self.assertRegex(text, r"DEAD LETTERS +MEMORY AT EXIT\n")
        self.assertRegex(text, r"\nAda .* held 1 segments? \(40 bytes, the oldest for \d+\.\d s\), had 1 leases?\n")
        self.assertRegex(text, r"\nBob .* was about to receive 1 segments?, which went back\n")

    def test_a_segment_can_t_be_typed_and_is_named_in_a_reply(self):
        self.start_keepers()
        self.assertIn("Double.segment: expected segment, got", self.baton("ask", "Ada", "Double", "segment=4", code=65))
        self.assertRegex(self.baton("ask", "Ada", "Make", "shape=[2]", "value=1"), r"note +fresh\nsegment +segment 0\n")


class Ending(World):
    def test_stop_asks_those_named_and_prints_how_each_ended(self):
        self.start_scenario()
        self.assertEqual(sorted(self.baton("stop", "Ada", "Bob").splitlines()), ["Ada  stopped", "Bob  stopped"])
        (ended,) = self.json("stop", "Zoe", "--drain")
        self.assertEqual((ended["name"], ended["exit"]["kind"]), ("Zoe", "stopped"))
        self.assertIn("Ada has exited: stopped", self.baton("stop", "Ada", code=69))

    def test_one_wrong_name_stops_nobody(self):
        self.start_scenario()
        self.assertIn("nothing was stopped: no actor 'Eve'", self.baton("stop", "Ada", "Eve", code=69))
        self.assertIn("`baton stop --everything`", self.baton("stop", "Ada", "coordinator", code=65))
        self.assertEqual(self.roster()["Ada"]["state"], "ready")

    def test_the_exit_code_says_that_an_actor_had_to_be_killed(self):
        self.start_scenario()
        asking = self.asking("Zoe", "Hang")
        self.assertRegex(self.baton("stop", "--all", "--timeout", "0.5", code=1),
                         r"Zoe +signal -9 \(Killed\) while handling Hang")
        asking.communicate()
        self.assertEqual(asking.returncode, 69)

    def test_stop_all_leaves_the_session_open(self):
        coordinator = self.start_scenario()
        self.assertEqual({ended["name"] for ended in self.json("stop", "--all")}, {"Ada", "Bob", "Zoe"})
        self.assertEqual(self.baton("stop", "--all"), "no actor was running\n")
        self.assertTrue(self.baton("ps").startswith(f"session {coordinator.session}, no actors\n"))

    def test_stop_everything_closes_the_session_and_its_scenario(self):
        coordinator = self.start_scenario()
        self.baton("stop", "Ada")
        lines = self.baton("stop", "--everything").splitlines()
        self.assertEqual(sorted(lines[:-1]), ["Bob  stopped", "Zoe  stopped"])
        self.assertEqual(lines[-1], f"session {coordinator.session} is closed")
        self.assertEqual(self.json("sessions"), [])
        self.baton("ps", code=69)

    def test_kill_ends_at_once_and_prints_the_signal(self):
        self.start_scenario()
        self.assertEqual(self.baton("kill", "Ada"), "Ada  signal -9 (Killed)\n")
        (ended,) = self.json("kill", "Bob", "--signal", "sigkill")
        self.assertEqual((ended["exit"]["kind"], ended["exit"]["code"]), ("signalled", 9))
        self.assertEqual(self.baton("kill", "Zoe", "--signal", "19"), "Zoe  SIGSTOP sent, still alive\n")
        self.assertEqual(self.roster()["Zoe"]["state"], "frozen")
        self.assertEqual(self.json("kill", "Zoe", "--signal", "CONT")[0]["exit"]["kind"], "running")
        self.assertIn("'FOO' is not a signal", self.baton("kill", "Zoe", "--signal", "FOO", code=65))
        self.assertIn("`baton stop --everything` closes it", self.baton("kill", "coordinator", code=65))
        self.assertIn("was not started by this coordinator", self.baton("kill", "cli_scenario", code=65))

    def test_sweep_removes_what_a_killed_coordinator_left_and_spares_the_living(self):
        dead, alive = self.start(), self.start_scenario()
        dead.process.kill()
        dead.process.wait()
        states = {row["session"]: row["is_live"] for row in self.json("sessions")}
        self.assertEqual(states, {dead.session: False, alive.session: True})
        self.assertRegex(self.baton("sessions"), rf"{dead.session} +dead(.*\n)*\n`baton sweep` removes")
        text = self.baton("sweep")
        self.assertRegex(text, r"^swept 1 dead session: \d+ process(es)? killed, \d+ paths removed\n")
        self.assertIn(f"  removed  {self.sessions_seen[dead.session]}\n", text)
        self.assertEqual(self.baton("sweep"), "nothing was left behind\n")
        self.assertEqual([row["session"] for row in self.json("sessions")], [alive.session])
        self.baton("ask", "Ada", "Greet", "name=x")


if __name__ == "__main__":
    unittest.main()
