"""`baton serve`, `baton run` and `baton spawn`: how sessions begin, how scripts join them, and what ends with whom.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests PYTHONPATH=build/dev/python \\
        /usr/bin/python3 tests/process/cli_session_test.py

As cli_test.py, whose World this is; its programs and hello, the first example.
"""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import unittest

import cli_test
from cli_test import BIN, TESTS_BIN

GREETING = """
import sys
import baton
with baton.session(*sys.argv[1:]) as session:
    print(session.find("Ada").ask("Greet", name="Grace"))
    session.spawn("greeter", name="Eve")
"""


class Session(cli_test.World):
    def file(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def run_it(self, *command, code=0, **environment):
        done = subprocess.run(command, env=self.environment | environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL,
                              check=False, cwd=self.folder)
        self.assertEqual(done.returncode, code, f"{command}\n{done.stdout}{done.stderr}")
        return done

    def serve(self, *options):
        coordinator = cli_test.Coordinator.__new__(cli_test.Coordinator)
        coordinator.process = subprocess.Popen([f"{BIN}/baton", "serve", *options], env=self.environment,
                                               stdin=subprocess.PIPE, stdout=None, stderr=subprocess.PIPE, text=True)
        coordinator.pid = coordinator.process.pid
        self.coordinators.append(coordinator)
        coordinator.session = re.match(r"session (\w+) is open", coordinator.process.stderr.readline())[1]
        self.sessions_seen[coordinator.session] = self.json("sessions")[0]["folder"]
        return coordinator

    def state_of(self, pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0]

    def wait_for_end_of(self, pid):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        select.select([descriptor], [], [])
        os.close(descriptor)


class Serving(Session):
    def test_serve_says_what_to_type_next_and_each_of_it_works(self):
        serving = subprocess.Popen([f"{BIN}/baton", "serve"], env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        first = serving.stderr.readline()
        session = re.match(r"session (\w+) is open \(pid (\d+)\)", first)
        self.assertEqual(int(session[2]), serving.pid, "it is the coordinator's own process")
        lines = [serving.stderr.readline().split("#")[0].split() for _ in range(4)]
        self.assertEqual([line[:2] for line in lines],
                         [["export", f"BATON_SESSION={session[1]}"], ["baton", "spawn"], ["baton", "ps"],
                          ["baton", "stop"]])
        environment = {"BATON_SESSION": session[1]}
        self.assertIn("greeter is ready", self.baton("spawn", "greeter", **environment))
        self.assertIn("greeter", self.baton(*lines[2][1:], **environment))
        self.assertIn("is closed", self.baton(*lines[3][1:], **environment))
        self.assertEqual(serving.wait(), 0)
        self.assertEqual((serving.stdout.read(), serving.stderr.read()), ("", ""))
        serving.stdout.close()
        serving.stderr.close()

    def test_a_sigterm_to_serve_closes_the_session_and_ends_what_was_spawned(self):
        coordinator = self.start()
        pid = json.loads(self.baton("spawn", "greeter", "--json"))["pid"]
        os.kill(coordinator.pid, signal.SIGTERM)
        self.assertEqual(coordinator.process.wait(), 0)
        self.wait_for_end_of(pid)

    def test_a_serve_that_is_killed_takes_its_actors_along_and_a_sweep_removes_the_rest(self):
        coordinator = self.start()
        pid = json.loads(self.baton("spawn", "greeter", "--json"))["pid"]
        os.kill(coordinator.pid, signal.SIGKILL)
        coordinator.process.wait()
        self.wait_for_end_of(pid)
        self.assertIn("swept 1 dead session", self.baton("sweep"))

    def test_a_coordinator_that_no_anchor_has_started_is_refused(self):
        coordinator = self.start()
        done = subprocess.run([f"{BIN}/baton-coordinator", "--anchored", self.sessions_seen[coordinator.session]],
                              env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("started by the anchor of its session, and by nobody else", done.stderr)
        self.assertIn("pid", self.baton("spawn", "greeter", "--json"))

    def test_another_coordinator_takes_over_while_actors_work_on(self):
        coordinator = self.start()
        actor = json.loads(self.baton("spawn", "greeter", "--name", "Ada", "--json"))
        said = self.baton("restart-coordinator")
        next_one, last_one = map(int, re.fullmatch(
            rf"the coordinator of session {coordinator.session} is process (\d+) now; process (\d+) has ended\n",
            said).groups())
        again = self.json("restart-coordinator")
        self.assertEqual((again["session"], again["pid_before"]), (coordinator.session, next_one))
        self.assertEqual(len({last_one, next_one, again["pid"], coordinator.pid}), 4)
        self.assertEqual(self.baton("ask", "Ada", "Greet", "name=Grace"), "Hello, Grace! You are number 1.\n")
        self.assertEqual(self.roster()["Ada"]["pid"], actor["pid"])

    def test_the_next_coordinator_is_the_program_that_is_on_the_disk_now(self):
        own = f"{self.folder}/bin"
        os.mkdir(own)
        shutil.copy(f"{BIN}/baton-coordinator", own)
        self.environment["BATON_COORDINATOR_PROGRAM"] = f"{own}/baton-coordinator"
        self.start()
        pid = json.loads(self.baton("spawn", "greeter", "--name", "Ada", "--json"))["pid"]
        # Another one, which notes that it has been started.
        shutil.copy(f"{BIN}/baton-coordinator", f"{own}/new")
        os.unlink(f"{own}/baton-coordinator")
        self.file("bin/baton-coordinator", f"#!/bin/sh\necho $1 >> {self.folder}/started\nexec {own}/new \"$@\"\n")
        self.baton("restart-coordinator")
        with open(f"{self.folder}/started", encoding="utf-8") as file:
            self.assertEqual(file.read(), "--can-take-over\n--anchored\n")
        # One that could not take over is not tried.
        self.file("bin/baton-coordinator", "#!/bin/sh\necho 'I am of next year' >&2\nexit 69\n")
        refused = self.run_it(f"{BIN}/baton", "restart-coordinator", code=65)
        self.assertIn(f"stays: {own}/baton-coordinator cannot take over from it: I am of next year", refused.stderr)
        # One that does not answer is not waited for.
        self.file("bin/baton-coordinator", "#!/bin/sh\nexec sleep 3600\n")
        late = self.run_it(f"{BIN}/baton", "restart-coordinator", "--timeout", "0.2", code=75)
        self.assertIn("has not said in time whether it can take over", late.stderr)
        os.unlink(f"{own}/baton-coordinator")
        refused = self.run_it(f"{BIN}/baton", "restart-coordinator", code=65)
        self.assertIn("cannot take over from it: No such file or directory", refused.stderr)
        self.assertEqual(self.roster()["Ada"]["pid"], pid)

    def test_a_next_coordinator_of_another_version_ends_the_session_and_says_so(self):
        coordinator = self.serve("--stop-timeout", "3600")  # nobody is killed for being late
        pid = json.loads(self.baton("spawn", "greeter", "--name", "Ada", "--json"))["pid"]
        frozen = json.loads(self.baton("spawn", "greeter", "--name", "Bob", "--json"))["pid"]
        os.kill(frozen, signal.SIGSTOP)
        with open(f"/dev/shm/baton-{coordinator.session}-roster", "r+b") as roster:
            roster.seek(24)
            coordinates = int.from_bytes(roster.read(8), "little")
            roster.seek(8)
            roster.write((99).to_bytes(8, "little"))
        refused = self.run_it(f"{BIN}/baton-coordinator", "--can-take-over", self.sessions_seen[coordinator.session],
                              code=69)
        self.assertIn("is of version 99, expected", refused.stderr)
        os.kill(coordinates, signal.SIGKILL)
        self.wait_for_end_of(pid)  # it has seen that the session is over
        self.assertIn("T", self.state_of(frozen))
        while coordinator.process.poll() is None:  # as a user does who has waited long enough
            os.kill(coordinator.pid, signal.SIGTERM)
            select.select([], [], [], 0.05)
        self.assertEqual(coordinator.process.returncode, 69)
        self.wait_for_end_of(frozen)
        self.assertRegex(coordinator.process.stderr.read(), f"session {coordinator.session} is ended, for its next "
                                                            "coordinator cannot take over: .* is of version 99")

    def test_a_budget_that_is_given_to_serve_is_that_of_its_session(self):
        self.serve("--memory", "64M")
        self.assertEqual(self.json("segments")["budget_bytes"], 64 << 20)


class Running(Session):
    def test_a_script_runs_in_a_session_of_its_own_and_its_exit_code_is_that_of_run(self):
        script = self.file("leave.py", "import os, sys, baton\n"
                           "with baton.session() as session:\n"
                           "    ada = session.spawn('greeter', name='Ada')\n"
                           "    print(os.environ['BATON_SESSION'], ada.ask('Greet', name='Grace'))\n"
                           "sys.exit(7)\n")
        done = self.run_it(f"{BIN}/baton", "run", script, code=7)
        self.assertRegex(done.stdout, r"^/\S+ Hello, Grace! You are number 1\.\n$")
        self.assertEqual(self.json("sessions"), [])
        program = self.run_it(f"{BIN}/baton", "run", "hello").stdout
        self.assertEqual(program, self.run_it(f"{BIN}/hello").stdout)

    def test_everything_behind_the_script_is_the_scripts(self):
        script = self.file("echo.py", "import sys\nprint(sys.argv[1:])\n")
        words = ["--help", "ps", "--memory", "x", "--", "--session", "-h", "--version", "serve"]
        self.assertEqual(self.run_it(f"{BIN}/baton", "run", "--memory", "64M", script, *words).stdout, f"{words}\n")
        self.assertEqual(self.run_it(f"{BIN}/baton-coordinator", "--memory", "64M", script, *words).stdout,
                         f"{words}\n")

    def test_a_script_that_a_signal_ends_is_told_by_128_and_its_number(self):
        script = self.file("end.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
        self.run_it(f"{BIN}/baton", "run", script, code=128 + signal.SIGKILL)

    def test_a_script_that_is_not_there_is_named_as_that_of_baton_run(self):
        error = self.run_it(f"{BIN}/baton", "run", "nothing.py", code=69).stderr
        self.assertEqual(error, "baton run: refused: cannot read the script nothing.py: No such file or directory\n")
        self.assertIn("baton run: refused: cannot find program 'nothing'",
                      self.run_it(f"{BIN}/baton", "run", "nothing", code=69).stderr)

    def test_without_the_coordinators_program_nothing_starts_and_the_error_names_it(self):
        for words in (["serve"], ["run", "hello.py"]):
            error = self.baton(*words, code=69, BATON_COORDINATOR_PROGRAM="/nowhere/baton-coordinator")
            self.assertIn("no session can be started: cannot run /nowhere/baton-coordinator: No such file", error)
        alone = f"{self.folder}/alone"
        os.mkdir(alone)
        shutil.copy2(f"{BIN}/baton", f"{alone}/baton")
        done = self.run_it(f"{alone}/baton", "serve", code=69, BATON_PROGRAMS="", PATH="/usr/bin:/bin")
        self.assertIn("the program baton-coordinator was found neither beside this program nor in PATH", done.stderr)


class Joining(Session):
    """`baton serve` with Ada in its session: how scripts join it, and what stays when they have left."""

    def setUp(self):
        super().setUp()
        self.session = self.start().session
        self.baton("spawn", "greeter", "--name", "Ada")
        self.script = self.file("greeting.py", GREETING)

    def check_that_the_session_goes_on(self, handled):
        rows = self.roster()
        self.assertEqual(list(rows), ["coordinator", "Ada"],
                         "what the script had spawned has ended with it, Ada has not")
        self.assertEqual(rows["Ada"]["handled"], handled)

    def test_a_python_script_joins_by_the_variable_that_serve_prints_or_by_the_id(self):
        done = self.run_it(sys.executable, self.script, BATON_SESSION=self.session)
        self.assertEqual(done.stdout, "Hello, Grace! You are number 1.\n")
        self.check_that_the_session_goes_on(1)
        self.assertEqual(self.run_it(sys.executable, self.script, self.session).stdout,
                         "Hello, Grace! You are number 2.\n")
        self.check_that_the_session_goes_on(2)

    def test_a_scenario_in_c_plus_plus_joins_by_the_variable_that_serve_prints_or_by_session(self):
        for words, environment in ([], {"BATON_SESSION": self.session}), (["--session", self.session], {}):
            with self.subTest(words=words):
                self.run_it(f"{BIN}/hello", *words, **environment)
                self.assertEqual(list(self.roster()), ["coordinator", "Ada"])
                ended = [row for row in self.json("ps", "--all")[0]["actors"]
                         if row["name"] == "greeter" and row["state"] == "exited"]
                self.assertEqual([row["handled"] for row in ended], [2] * (1 if environment else 2),
                                 "it was in this session")

    def test_a_script_that_names_no_session_has_one_of_its_own(self):
        script = self.file("alone.py",
                           "import baton\nwith baton.session() as session:\n"
                           "    print([row.name for row in session.actors()])\n")
        self.assertNotIn("Ada", self.run_it(sys.executable, script).stdout)
        self.assertEqual(self.run_it(sys.executable, script, BATON_SESSION="").stdout,
                         self.run_it(sys.executable, script).stdout, "an empty variable names none")

    def test_what_a_joined_script_spawns_ends_when_the_script_is_killed(self):
        script = self.file("stay.py", "import baton, sys\nwith baton.session() as session:\n"
                           "    print(session.spawn('greeter', name='Eve').pid, flush=True)\n    sys.stdin.read()\n")
        process = subprocess.Popen([sys.executable, script], env=self.environment | {"BATON_SESSION": self.session},
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pid = int(process.stdout.readline())
        self.assertIn("Eve", self.roster())
        process.kill()
        process.communicate()
        self.wait_for_end_of(pid)
        self.assertIn("Hello", self.baton("ask", "Ada", "Greet", "name=x"))


class Spawning(Session):
    def test_an_actor_stays_when_the_command_has_left_and_ends_when_it_is_stopped(self):
        self.start()
        self.assertRegex(self.baton("spawn", "greeter", "--name", "Ada"),
                         r"^Ada is ready \(pid \d+\); `baton describe Ada` shows its commands, "
                         r"`baton stop Ada` ends it\n$")
        self.baton("ask", "Ada", "Greet", "name=x")
        self.assertEqual(self.baton("ask", "Ada", "Greet", "name=y"), "Hello, y! You are number 2.\n")
        self.assertEqual(self.baton("stop", "Ada"), "Ada  stopped\n")
        self.assertNotIn("Ada", self.roster())

    def test_an_actor_is_restarted_if_the_command_says_so_until_it_fails_too_often(self):
        serve = self.start()
        self.baton("spawn", "probe", "--name", "Zoe", "--restart", "on_failure", "--restarts-max", "1",
                   "--restart-period", "3600", "--back-off-first", "0", "--back-off-most", "0")
        first = self.roster()["Zoe"]
        self.baton("kill", "Zoe")
        while self.roster().get("Zoe", {}).get("pid", 0) in (0, first["pid"]):
            pass
        restarts = self.roster()["Zoe"]["restarts"]
        self.assertEqual((restarts["policy"], restarts["restarts"], restarts["restarts_max"]), ("on_failure", 1, 1))
        self.wait_for_end_of(first["pid"])
        self.baton("ask", "Zoe", "Echo", "text=x")
        self.baton("kill", "Zoe")
        while "Zoe" in self.roster():
            pass
        self.baton("stop", "--everything")
        self.assertEqual(serve.process.wait(), 4)

    def test_what_an_actor_spawns_itself_still_ends_with_it(self):
        self.start()
        self.baton("spawn", "probe", "--name", "Zoe")
        self.baton("ask", "Zoe", "SpawnChild", "program=probe", "name=kid")
        pid = self.roster()["Zoe/kid"]["pid"]
        self.baton("kill", "Zoe")
        self.wait_for_end_of(pid)

    def test_the_program_gets_its_arguments_and_json_says_who_it_is(self):
        self.start()
        program = self.file("wrapped", f"#!/bin/sh\nprintf '%s|' \"$@\" >{self.folder}/arguments\nexec {BIN}/greeter\n")
        told = json.loads(self.baton("spawn", program, "--name", "Ada", "--json", "one", "--", "--two", "-3"))
        with open(f"{self.folder}/arguments", encoding="utf-8") as file:
            self.assertEqual(file.read(), "one|--two|-3|")
        self.assertEqual((told["name"], told["protocol"]), ("Ada", "greeter"))
        self.assertEqual(self.roster()["Ada"]["pid"], told["pid"])

    def test_a_path_and_the_folders_of_the_variable_are_those_of_the_shell_that_types_them(self):
        self.start()
        os.mkdir(f"{self.folder}/here")
        self.file("here/mine", f"#!/bin/sh\nexec {BIN}/greeter\n")
        self.run_it(f"{BIN}/baton", "spawn", "here/mine", "--name", "Ada")
        self.run_it(f"{BIN}/baton", "spawn", "mine", "--name", "Bob", BATON_PROGRAMS="here")
        self.assertEqual(list(self.roster()), ["coordinator", "Ada", "Bob"])

    def test_a_name_in_use_and_a_program_that_is_not_there_are_refused(self):
        self.start()
        self.baton("spawn", "greeter", "--name", "Ada")
        self.assertIn("the name 'Ada' is in use", self.baton("spawn", "greeter", "--name", "Ada", code=65))
        done = self.run_it(f"{BIN}/baton", "spawn", "nothing", code=65)
        first, *looked, last = done.stderr.splitlines()
        self.assertEqual(first, "baton: refused: cannot spawn nothing: cannot find program 'nothing'; looked in")
        self.assertIn(f"  {BIN}: not there", looked)
        self.assertEqual(last, "build it, name its path, or add its folder to PATH")
        for name in ("no\nbaton: \x1b[1mall is well", "./no\nbaton: \x1b[1mall is well"):
            error = self.run_it(f"{BIN}/baton", "spawn", name, code=65).stderr
            self.assertIn("no\\nbaton: \\x1b[1mall is well", error)
            self.assertNotIn("\nbaton:", error, "a name adds no lines of its own")
        self.assertEqual(self.baton("spawn", "greeter")[:7], "greeter")
        self.assertEqual(self.baton("spawn", "greeter")[:9], "greeter-2")

    def test_a_program_that_becomes_no_actor_in_time_is_killed(self):
        self.start()
        program = self.file("idle", f"#!/bin/sh\necho $$ >{self.folder}/pid\nexec sleep 3600\n")
        self.assertIn("has not become an actor before the deadline",
                      self.baton("spawn", program, "--timeout", "0.5", code=75))
        with open(f"{self.folder}/pid", encoding="ascii") as file:
            self.wait_for_end_of(int(file.read()))
        self.assertEqual(list(self.roster()), ["coordinator"])

    def test_a_ctrl_c_while_an_actor_starts_leaves_nothing_of_it(self):
        self.start()
        fifo = f"{self.folder}/pid"
        os.mkfifo(fifo)
        program = self.file("idle", f"#!/bin/sh\necho $$ >{fifo}\nexec sleep 3600\n")
        spawning = subprocess.Popen([f"{BIN}/baton", "spawn", program], env=self.environment, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        with open(fifo, encoding="ascii") as file:
            pid = int(file.read())
        spawning.send_signal(signal.SIGINT)
        out, error = spawning.communicate()
        self.assertEqual((spawning.returncode, out), (130, ""))
        self.assertTrue(error.startswith("baton: interrupted: cannot spawn "), error)
        self.wait_for_end_of(pid)


if __name__ == "__main__":
    unittest.main()
