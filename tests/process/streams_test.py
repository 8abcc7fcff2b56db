"""Standard streams as shells, services and batch systems hand them on: closed, full, read by nobody. Nobody dies of
them, what is lost is an exit code, and nothing is left behind.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests PYTHONPATH=build/dev/python \
        /usr/bin/python3 tests/process/streams_test.py
"""
import fcntl
import os
import signal
import subprocess

from inheritance import BIN, PYTHON, WATCHDOG, World, main

OUTPUT_LOST, READER_GONE = 74, 141
SPAWNS_THREE = """
import baton
with baton.session() as session:
    greeters = session.spawn("greeter", count=3)
    print(greeters[0].ask("Greet", name="Ada"), flush=True)
"""


def pipe_without_reader():
    read_end, write_end = os.pipe()
    os.close(read_end)
    return write_end


class ClosedAndFull(World):
    def test_the_command_line_works_without_stderr_and_without_any_stream(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        for streams in ("2>&-", "2>/dev/full", "<&- 2>&-"):
            self.assertIn("coordinator", self.run_shell(f"baton ps {streams}", 0).stdout, streams)
        self.run_shell("baton ask coordinator Roster with_exited=false >/dev/null 2>&- <&-", 0)
        # An error that can't be said is still a code.
        for streams in ("2>&-", "2>/dev/full", "<&- >&- 2>&-"):
            self.run_shell(f"baton describe Nobody {streams}", 69)
        self.stop(coordinator)

    def test_a_coordinator_serves_and_ends_in_good_order_whatever_its_streams_are(self):
        for streams in ("2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full", "<&-", ">&-"):
            with self.subTest(streams=streams):
                coordinator = self.start("bash", "-c", f"exec baton serve {streams}",
                                         environment={"BATON_LOG": "debug"},
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while self.baton("ps").returncode != 0:
                    self.assertIsNone(coordinator.poll(), "it has ended before it was ready")
                self.spawn("Ada", "greeter")
                self.assertIn("Hello", self.baton("ask", "Ada", "Greet", "name=Bob", code=0).stdout)
                self.baton("kill", "Ada")
                self.stop(coordinator)
                self.leave()
                self.assertEqual(self.actors(), [])

    def test_a_scenario_of_a_coordinator_runs_whatever_the_streams_are(self):
        for streams in ("2>&-", "2>/dev/full", "<&- 2>&-"):
            self.assertIn("Hello", self.run_shell(f"baton run hello {streams}", 0).stdout, streams)
            self.assertIn("Hello", self.run_shell(f"hello {streams}", 0).stdout, streams)

    def test_a_script_that_starts_several_actors_and_can_not_say_so_goes_on(self):
        script = self.script(SPAWNS_THREE)
        for streams in ("2>&-", "2>/dev/full", "<&- 2>&-"):
            for command in (f"{PYTHON} {script}", f"baton run {script}"):
                self.assertIn("Hello", self.run_shell(f"{command} {streams}", 0).stdout, f"{command} {streams}")

    def test_what_a_script_opens_in_place_of_a_closed_stderr_gets_no_lines_of_ours(self):
        path = f"{self.folder}/data"
        script = self.script(f"import os\nos.open({path!r}, os.O_WRONLY | os.O_CREAT)\n" + SPAWNS_THREE)
        self.run_shell(f"{PYTHON} {script} 2>&-", 0, environment={"BATON_LOG": "debug"})
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"")

    def test_output_that_can_not_be_written_is_an_exit_code_and_a_line(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        for line in ("baton ps", "baton ps --json", "baton sessions", "baton --help", "baton --version",
                     "baton segments",
                     "baton-coordinator --help", "greeter --describe", "greeter", "hello"):
            done = self.run_shell(f"{line} >/dev/full", OUTPUT_LOST)
            self.assertRegex(done.stderr, "cannot write all of the output: No space left on device\n$", line)
            done = self.run_shell(f"{line} >&-", OUTPUT_LOST)
            self.assertRegex(done.stderr, "cannot write all of the output: Bad file descriptor\n$", line)
            self.run_shell(f"{line} >&- 2>&-", OUTPUT_LOST)
        self.run_shell("baton run hello >/dev/full", OUTPUT_LOST)
        self.run_shell("baton stop --everything --json >/dev/full", OUTPUT_LOST)
        self.assertEqual(coordinator.wait(WATCHDOG), 0)

    def test_a_program_that_prints_nothing_needs_no_stdout(self):
        self.run_shell("baton run cli_scenario </dev/null 2>/dev/null | cat >/dev/null")
        self.run_shell("baton sweep >/dev/null", 0)


class ReaderGone(World):
    def test_a_reader_of_the_output_that_goes_ends_a_program_quietly(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        for command in (["baton", "ps"], ["baton", "--help"], ["baton-coordinator", "--help"],
                        ["greeter", "--describe"],
                        ["hello"], ["baton-coordinator", "hello"]):
            pipe = pipe_without_reader()
            process = self.start(*command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.PIPE)
            os.close(pipe)
            self.assertEqual((process.communicate(timeout=WATCHDOG)[1], process.returncode), (b"", READER_GONE),
                             command)
        self.stop(coordinator)

    def test_head_in_a_pipeline_leaves_nothing_and_says_nothing(self):
        script = self.script(SPAWNS_THREE + "    for number in range(3): print('more', flush=True)\n")
        for command in ("hello", "baton run hello"):
            done = self.run_shell(f"{command} 2>&1 | head -n 1; exit ${{PIPESTATUS[0]}}")
            self.assertIn(done.returncode, (0, READER_GONE))
            self.assertEqual(done.stderr, "")
        for command in (f"{PYTHON} {script}", f"baton run {script}"):
            self.run_shell(f"{command} 2>&1 | head -n 1", environment={"BATON_LOG": "debug"})
            self.assertEqual(self.actors(), [])

    def test_a_coordinator_whose_log_reader_goes_serves_on(self):
        coordinator = self.start(f"{BIN}/baton-coordinator", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 environment={"BATON_LOG": "debug"})
        self.assertIn(b"is open", coordinator.stderr.readline())
        coordinator.stderr.close()
        coordinator.stderr = None
        for name in ("Ada", "Bob"):
            self.spawn(name, "greeter")
        self.baton("kill", "Ada", code=0)
        self.assertIn("Hello", self.baton("ask", "Bob", "Greet", "name=Ada", code=0).stdout)
        self.stop(coordinator)

    def test_ctrl_c_at_a_pipeline_whose_reader_dies_first_ends_in_good_order(self):
        for command in (["baton-coordinator", "cli_scenario"], ["cli_scenario"]):
            process = self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 start_new_session=True, environment={"BATON_LOG": "debug"})
            while b"ready" not in (line := process.stdout.readline()):
                self.assertNotEqual(line, b"", "it ended before it was ready")
            process.stderr.close()
            process.stderr = None
            os.killpg(process.pid, signal.SIGINT)
            self.assertEqual(process.wait(WATCHDOG), 130)
            self.assertEqual(self.actors(), [])


class NobodyReads(World):
    def start_unread(self):
        """A coordinator with debug log into a pipe of one page; returns it and the end that nobody reads."""
        read_end, write_end = os.pipe()
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        coordinator = self.start_coordinator(stderr=write_end, environment={"BATON_LOG": "debug"})
        os.close(write_end)
        return coordinator, read_end

    def test_a_log_that_nobody_reads_holds_up_no_spawn_no_join_and_no_news_of_a_death(self):
        coordinator, read_end = self.start_unread()
        for round in range(20):
            self.spawn(f"Ada{round}", "greeter")
            self.baton("kill", f"Ada{round}", code=0)
        os.set_blocking(read_end, False)
        said = os.read(read_end, 1 << 16).decode()
        self.assertTrue(said.endswith("\n"), "a line is whole or not there")
        # Room again: the next line is preceded by how many there were in between.
        self.baton("ps", code=0)
        self.assertRegex(os.read(read_end, 1 << 16).decode(), r"^\(\d+ earlier texts could not be written here\)\n")
        os.close(read_end)
        self.stop(coordinator)

    def test_the_flags_of_a_shared_stderr_stay_as_they_are(self):
        coordinator, read_end = self.start_unread()
        with open(f"/proc/{coordinator.pid}/fdinfo/2", encoding="ascii") as facts:
            flags = [line for line in facts if line.startswith("flags")]
        self.assertEqual(int(flags[0].split()[1], 8) & os.O_NONBLOCK, 0)
        self.baton("stop", "--everything", code=0)
        self.assertEqual(coordinator.wait(WATCHDOG), 0)
        os.close(read_end)

    def test_a_script_and_its_actors_end_though_nobody_reads_what_they_say(self):
        script = self.script(SPAWNS_THREE)
        read_end, write_end = os.pipe()
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
        process = self.start(PYTHON, script, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=write_end,
                             environment={"BATON_LOG": "debug"})
        os.close(write_end)
        self.assertEqual(process.wait(WATCHDOG), 0)
        os.close(read_end)


if __name__ == "__main__":
    main()
