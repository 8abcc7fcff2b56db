"""What is left behind and by whom: processes that actors start, descriptors that are not meant for anybody, sessions
that could not be entered, files that others remove.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests /usr/bin/python3 tests/process/left_behind_test.py
"""
import glob
import os
import select
import shutil
import signal
import socket
import subprocess

from inheritance import BIN, TESTS_BIN, WATCHDOG, World, main


class Processes(World):
    def setUp(self):
        super().setUp()
        self.coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        self.kept = []

    def tearDown(self):
        if self.coordinator.poll() is None:
            self.stop(self.coordinator)
        super().tearDown()

    def shell(self, line, actor="Zoe"):
        return int(self.baton("ask", actor, "Shell", f"line={line}", code=0).stdout)

    def wait_for_exit(self, *pids):
        """Of processes that are not ours: by pidfd, or they have gone already."""
        for pid in pids:
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            exited, _, _ = select.select([fd], [], [], WATCHDOG)
            os.close(fd)
            self.assertTrue(exited, f"{pid} is still there")

    def is_running(self, pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                return stat.read().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def test_what_an_actor_has_started_ends_with_it_however_it_ends(self):
        for end in (["stop", "Zoe"], ["kill", "Zoe"]):
            self.spawn("Zoe")
            pids = [self.shell("sleep 1000"), self.shell("exec setsid sleep 1000"),
                    self.shell("sleep 1000 & sleep 1000"),
                    self.shell("env -i sleep 1000"), int(self.baton("ask", "Zoe", "Fork", code=0).stdout)]
            self.shell("(setsid sleep 1000 &) ; exit 0")  # an orphan while the actor still lives
            self.spawn("Ada")
            others = self.shell("sleep 1000", "Ada")
            self.baton(*end)
            self.wait_for_exit(*pids)
            self.assertTrue(self.is_running(others), "it belongs to somebody who lives")
            self.baton("stop", "Ada", code=0)
            self.wait_for_exit(others)
            while self.actors():  # those whose numbers nobody has told
                self.assertIsNone(self.coordinator.poll())

    def test_orphans_of_a_living_actor_run_on_and_leave_no_zombies(self):
        self.spawn("Zoe")
        kept = f"{self.folder}/kept"
        self.shell(f"(sleep 1000 & echo $! > {kept}.new; mv {kept}.new {kept}) ; exit 0")
        while not os.path.exists(kept):
            self.assertIsNone(self.coordinator.poll())
        with open(kept, encoding="ascii") as file:
            orphan = int(file.read())
        for _ in range(5):
            self.shell("(true &) ; exit 0")
        self.assertTrue(self.is_running(orphan))
        # Of Zoe's own children she takes care or not; those that fell to the coordinator are reaped.
        while self.zombies_of(self.coordinator.pid):
            self.assertIsNone(self.coordinator.poll())
        self.baton("stop", "Zoe", code=0)
        self.wait_for_exit(orphan)

    def zombies_of(self, parent):
        found = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path, encoding="ascii", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) == parent:
                found.append(path)
        return found

    def test_what_is_to_be_kept_is_kept(self):
        self.spawn("Zoe")
        pid = self.shell("exec env -u BATON_ACTOR setsid sleep 1000")
        with open(f"/proc/{pid}/comm", encoding="ascii") as comm:
            while comm.read() != "sleep\n":  # it is past setsid
                comm.seek(0)
        self.baton("stop", "Zoe", code=0)
        self.stop(self.coordinator)
        self.assertTrue(self.is_running(pid))
        os.kill(pid, signal.SIGKILL)

    def test_what_actors_have_started_is_swept_when_the_coordinator_was_killed(self):
        self.spawn("Zoe")
        pids = [self.shell("sleep 1000"), self.shell("exec setsid sleep 1000")]
        self.coordinator.kill()
        self.coordinator.wait()
        self.baton("sweep", code=0)
        self.wait_for_exit(*pids)
        self.assertEqual(self.actors(), [])


class Descriptors(World):
    def test_nobody_inherits_what_a_scenario_or_a_shell_has_open(self):
        listener = socket.create_server(("127.0.0.1", 0))
        read_end, write_end = os.pipe()
        for fd in (listener.fileno(), read_end, write_end):
            os.set_inheritable(fd, True)
        ours = {os.readlink(f"/proc/self/fd/{fd}") for fd in (listener.fileno(), read_end, write_end)}
        for command in ([f"{TESTS_BIN}/cli_scenario"], [f"{BIN}/baton-coordinator", "cli_scenario"]):
            scenario = self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  close_fds=False)
            self.assertEqual(scenario.stdout.readline(), b"ready\n")
            members = self.actors()
            if command[0].endswith("cli_scenario"):  # its own coordinator
                with open(f"/proc/{scenario.pid}/task/{scenario.pid}/children", encoding="ascii") as children:
                    members += map(int, children.read().split())
            self.assertGreaterEqual(len(members), 3)
            for pid in members:
                held = {os.readlink(path) for path in glob.glob(f"/proc/{pid}/fd/*")}
                self.assertEqual(held & ours, set())
            scenario.stdin.close()
            self.assertEqual(scenario.wait(WATCHDOG), 0)
        listener.close()
        os.close(read_end)
        os.close(write_end)


class Sessions(World):
    def test_a_session_whose_files_are_removed_lives_on(self):
        first = self.start_coordinator(stderr=subprocess.DEVNULL)
        self.spawn("Ada", "greeter")
        folder, = glob.glob(f"{self.folder}/baton/*")
        ada, = self.actors()
        os.remove(f"{folder}/lock")
        self.assertIn("Hello", self.run_shell("env -u BATON_SESSION hello", 0).stdout)
        self.assertEqual(self.baton("sweep", code=0).stdout, "nothing was left behind\n")
        self.assertIn("Hello", self.baton("ask", "Ada", "Greet", "name=Bob", code=0).stdout)
        # As at the end of a login: the folder goes with all that is in it.
        moved = f"{self.folder}/moved"
        os.rename(f"{self.folder}/baton", moved)

        def memory():  # without lanes, which go with the command line that opened them
            return [path for path in self.memory() if "-lane-" not in path]

        before = memory()
        self.run_shell("hello", 0)
        self.assertEqual(self.baton("sweep", code=0).stdout, "nothing was left behind\n")
        self.assertEqual((self.actors(), memory()), ([ada], before))
        shutil.rmtree(moved)
        self.assertEqual(self.baton("sweep", code=0).stdout, "nothing was left behind\n")
        self.stop(first)
        self.assertEqual((self.actors(), self.memory()), ([], []))

    def test_lanes_and_bells_are_swept_when_everybody_was_killed(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        for name in ("Yan", "Zoe"):
            self.baton("spawn", "probe", "--name", name, code=0)
        self.baton("kill", "Yan", "--signal", "STOP", code=0)
        self.baton("ask", "Zoe", "Flood", "other=Yan", "count=1000", "ballast_bytes=1000",
                   "deadline_milliseconds=10000", code=0)
        lanes = [path for path in self.memory() if "-lane-" in path]
        bells = [path for path in self.memory() if path.endswith("-bells")]
        fifos = glob.glob(f"{self.folder}/baton/*/*.bell")
        self.assertEqual(len(bells), 1)
        self.assertGreaterEqual(len(fifos), 2)
        # The command line has had one to Zoe, too.
        full, = [lane for lane in lanes if os.stat(lane).st_blocks * 512 > 1000 * 1000]
        # With the anchor everybody is killed at once: nobody is left who would settle the others.
        coordinator.kill()
        coordinator.wait()
        while self.actors():
            continue
        self.assertLessEqual({full, *bells}, set(self.memory()))
        self.baton("sweep", code=0)
        self.assertEqual((self.memory(), glob.glob(f"{self.folder}/baton/*")), ([], []))

    def test_memory_without_a_folder_is_swept_when_its_coordinator_has_died(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        folder, = glob.glob(f"{self.folder}/baton/*")
        shutil.rmtree(folder)
        coordinator.kill()
        coordinator.wait()
        self.assertNotEqual(self.memory(), [])
        # Made by somebody who has outlived the session, after it was swept.
        late = "/dev/shm/baton-abcdefgh-1-1"
        with open(late, "wb") as file:
            file.write(b"bytes")
        self.run_shell("hello", 0)
        self.assertEqual(self.memory(), [])

    def test_a_session_that_can_not_be_entered_leaves_nothing(self):
        script = self.script("import baton\n"
                             "for name in ('a b', 'a/b', 'n' * 300, 'tab\\t'):\n"
                             "    try:\n"
                             "        baton.session(name=name)\n"
                             "    except baton.Error as error:\n"
                             "        print(type(error).__name__)\n"
                             "    else:\n"
                             "        print('taken')\n")
        done = self.run_shell(f"/usr/bin/python3 {script}", 0)
        self.assertEqual(done.stdout, "Refused\n" * 4)
        self.assertEqual(glob.glob(f"{self.folder}/baton/*") + self.memory(), [])

    def test_one_bad_folder_does_not_keep_a_sweep_from_the_rest(self):
        dead = self.start_coordinator(stderr=subprocess.DEVNULL)
        dead.kill()
        dead.wait()
        bad = f"{self.folder}/baton/abcdefgh"
        os.mkdir(bad, 0o755)
        os.chmod(bad, 0o755)
        done = self.baton("sweep", code=1)
        self.assertIn("swept 1 dead session", done.stdout)
        self.assertRegex(done.stderr, f"{bad}.*chmod 700")
        self.assertEqual(self.memory(), [])
        self.assertIn("Hello", self.run_shell("hello", 0).stdout)
        os.rmdir(bad)


if __name__ == "__main__":
    main()
