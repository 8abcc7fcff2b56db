"""Limits of a process: descriptors, processes, sizes of files, addresses. Reaching one is an error that names it, and
nobody else's death.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests PYTHONPATH=build/dev/python \
        /usr/bin/python3 tests/process/limits_test.py
"""
import glob
import os
import resource
import socket
import subprocess
import unittest

import baton
from inheritance import BIN, PYTHON, SANITIZED, WATCHDOG, World, main

SESSION = "import baton\nwith baton.session() as session:\n"


def limit(number, soft, hard=None):
    return lambda: resource.setrlimit(number, (soft, soft if hard is None else hard))


class Descriptors(World):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.connections = []
        self.addCleanup(lambda: [one.close() for one in self.connections])

    def limits_of(self, pid):
        return resource.prlimit(pid, resource.RLIMIT_NOFILE)

    def connect_silently(self, path, count):
        """Opens `count` connections to a socket, none of which says a word."""
        for _ in range(count):
            one = socket.socket(socket.AF_UNIX)
            self.connections.append(one)
            one.connect(path)

    def test_the_soft_limit_is_raised_for_all_programs(self):
        hard = min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        coordinator = self.start_coordinator(preexec_fn=limit(resource.RLIMIT_NOFILE, 128, hard),
                                             stderr=subprocess.DEVNULL)
        self.spawn("Zoe")
        for pid in [coordinator.pid, *self.actors()]:
            self.assertEqual(self.limits_of(pid), (hard, hard))
        script = self.script(SESSION + "    import resource\n    print(resource.getrlimit(resource.RLIMIT_NOFILE))\n")
        done = self.run_shell(f"exec {PYTHON} {script}", 0, preexec_fn=limit(resource.RLIMIT_NOFILE, 128, hard))
        self.assertEqual(done.stdout, f"({hard}, {hard})\n")
        self.stop(coordinator)

    def test_a_coordinator_outlives_a_thousand_silent_connections_and_serves(self):
        coordinator = self.start_coordinator(preexec_fn=limit(resource.RLIMIT_NOFILE, 128), stderr=subprocess.DEVNULL)
        self.spawn("Zoe")
        folder, = glob.glob(f"{self.folder}/baton/*")
        self.connect_silently(f"{folder}/coordinator.sock", 1100)
        # Silent connections are closed after a while, so that others find room while these still hang on.
        while self.baton("ask", "Zoe", "Echo", "text=here").returncode != 0:
            self.assertIsNone(coordinator.poll())
        for one in self.connections:
            one.close()
        self.spawn("Ada")
        self.stop(coordinator)

    def test_an_actor_outlives_them_too(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        self.spawn("Zoe")
        zoe, = self.actors()
        resource.prlimit(zoe, resource.RLIMIT_NOFILE, (128, 128))
        path, = (path for path in glob.glob(f"{self.folder}/baton/*/*.sock") if os.path.basename(path)[0].isdigit())
        self.connect_silently(path, 1100)
        while self.baton("ask", "Zoe", "Echo", "text=here").returncode != 0:
            self.assertIsNone(coordinator.poll())
        self.assertEqual(self.actors(), [zoe])
        self.stop(coordinator)

    def test_a_script_outlives_them_too(self):
        # Until the silent ones are closed there may be no room for a link of its own.
        script = self.script(SESSION +
                             "    probe = session.spawn('probe')\n    print('ready', flush=True)\n    input()\n"
                             "    while True:\n        try:\n            print(probe.ask('Echo', text='here'))\n"
                             "            break\n        except baton.Overloaded:\n            pass\n")
        process = self.start(PYTHON, script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             preexec_fn=limit(resource.RLIMIT_NOFILE, 128))
        self.assertEqual(process.stdout.readline(), b"ready\n")
        path, = (path for path in glob.glob(f"{self.folder}/baton/*/*.sock") if os.path.basename(path).startswith("o"))
        self.connect_silently(path, 300)
        process.stdin.write(b"go on\n")
        process.stdin.flush()
        self.assertEqual((process.stdout.readline(), process.wait(WATCHDOG)), (b"here\n", 0))

    def test_spawns_are_overloaded_near_the_end_and_go_on_when_there_is_room(self):
        coordinator = self.start_coordinator(preexec_fn=limit(resource.RLIMIT_NOFILE, 80), stderr=subprocess.DEVNULL)
        names = []
        with self.assertRaisesRegex(baton.Overloaded, r"Zoe\d+.*80 file descriptors.*RLIMIT_NOFILE"):
            while True:
                self.spawn(f"Zoe{len(names)}")
                names.append(f"Zoe{len(names)}")
        self.assertGreater(len(names), 3)
        for name in names:
            self.assertEqual(self.baton("ask", name, "Echo", "text=here", code=0).stdout, "here\n")
        self.baton("stop", *names[:3], code=0)
        self.spawn("Ada")
        self.stop(coordinator)

    def test_an_actor_with_more_peers_than_descriptors_is_told_so(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        self.spawn("Zoe")
        zoe, = self.actors()
        resource.prlimit(zoe, resource.RLIMIT_NOFILE, (52, 52))
        told = []
        for number in range(12):
            self.spawn(f"Ada{number}")
            told.append(self.baton("ask", "Zoe", "TellOther", f"other=Ada{number}", "text=here"))
        self.assertEqual(told[0].returncode, 0, told[0].stderr)
        self.assertEqual(told[-1].returncode, 75, told[-1].stdout + told[-1].stderr)
        self.assertRegex(told[-1].stderr, "overloaded: .*RLIMIT_NOFILE")
        self.assertEqual(self.baton("ask", "Zoe", "TellOther", "other=Ada0", "text=here").returncode, 0)
        self.stop(coordinator)

    def test_too_few_descriptors_to_start_with_are_an_error_that_names_them(self):
        for count in (8, 12, 16, 24, 32, 40):
            for command in ("hello", "baton run hello"):
                done = self.run_shell(f"exec {command}", preexec_fn=limit(resource.RLIMIT_NOFILE, count))
                self.assertIn(done.returncode, (0, 1, 69), f"{command} with {count}: {done.stderr}")
                if done.returncode != 0:
                    self.assertRegex(done.stderr, "descriptors|Too many open files", f"{command} with {count}")
                self.assertEqual(self.actors() + self.memory(), [])


class Others(World):
    def check(self, command, number, amount, name, user=None):
        """The command ends by itself and says which limit it was; returns whether it did what it should."""
        def before():
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                resource.setrlimit(number, (amount, amount))
                os.setuid(user)
            else:
                resource.setrlimit(number, (amount, amount))

        done = self.run_shell(f"exec {command}", preexec_fn=before)
        said = f"{command} with {name} {amount}: {done.returncode} {done.stdout}{done.stderr}"
        # 127: the loader of shared libraries has found no room.
        self.assertIn(done.returncode, (0, 1, 69, 71, 127), said)
        if done.returncode not in (0, 127):
            self.assertIn(name, done.stderr, said)
        self.assertEqual(self.actors() + self.memory(), [], said)
        return done.returncode == 0

    @unittest.skipIf(SANITIZED, "skipped: sanitizers have threads and files of their own")
    def test_too_few_processes_are_an_error_that_names_them(self):
        user = None
        if os.geteuid() == 0:  # root has no such limit
            user = 65534
            os.chown(self.folder, user, user)
        counts = list(range(1, 14)) if user else [1]
        worked = [self.check(command, resource.RLIMIT_NPROC, count, "RLIMIT_NPROC", user)
                  for command in ("hello", "baton run hello") for count in counts]
        if user:
            self.assertTrue(any(worked))

    def test_files_that_may_not_be_large_enough_are_an_error_that_names_them(self):
        for kilobytes in (0, 4, 64, 1024, 8192, 65536, 524288):
            for command in ("hello", "baton run hello"):
                self.check(command, resource.RLIMIT_FSIZE, kilobytes << 10, "RLIMIT_FSIZE")
        script = self.script(SESSION + "    try:\n        session.create_array((1 << 40,), 'uint8')\n"
                             "    except baton.Overloaded as error:\n        print(error)\n")
        done = self.run_shell(f"exec {PYTHON} {script}", 0,
                              preexec_fn=limit(resource.RLIMIT_FSIZE, 1 << 36))
        self.assertRegex(done.stdout, "RLIMIT_FSIZE|budget|bytes")

    @unittest.skipIf(SANITIZED, "skipped: sanitizers need more addresses than any limit leaves")
    def test_too_few_addresses_are_an_error_that_names_them(self):
        for megabytes in (8, 16, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024):
            for command in ("hello", "baton run hello"):
                self.check(command, resource.RLIMIT_AS, megabytes << 20, "RLIMIT_AS")


if __name__ == "__main__":
    main()
