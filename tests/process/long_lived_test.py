"""Sessions that live long, and other programs that remove files: cleaners, the end of a login (which removes
XDG_RUNTIME_DIR, and by RemoveIPC the shared memory of the user), people. No removed file makes a living session look
dead; those who are in it go on; what was removed is put back.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests /usr/bin/python3 tests/process/long_lived_test.py
"""
import fcntl
import glob
import json
import os
import shutil
import signal
import subprocess
import time

import baton

from inheritance import BIN, TESTS_BIN, WATCHDOG, World, main

CLEANED_AFTER = 11 * 24 * 3600  # seconds; systemd-tmpfiles removes what is older than ten days from /tmp


class Apart(World):
    """Beside other tests: of all shared memory it looks at that of its own sessions."""

    def setUp(self):
        super().setUp()
        self.session_ids = set()

    def start_coordinator(self, *before, **options):
        process = super().start_coordinator(*before, **options)
        self.session_ids |= {os.path.basename(path) for path in glob.glob(f"{self.folder}/baton/*")}
        return process

    def memory(self):
        return [path for name in sorted(self.session_ids) for path in glob.glob(f"/dev/shm/baton-{name}-*")]


class LongLived(Apart):
    def setUp(self):
        super().setUp()
        self.coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        self.ada = self.spawn("Ada", "greeter")
        self.ada.ask("Greet", name="Bob")  # from here on they are connected
        self.path, = glob.glob(f"{self.folder}/baton/*")
        self.session_id = os.path.basename(self.path)

    def tearDown(self):
        self.leave()
        if self.coordinator.poll() is None:
            self.stop(self.coordinator)
        super().tearDown()

    def files_in_memory(self):
        return [path for path in glob.glob(f"/dev/shm/baton-{self.session_id}-*") if "-lane-" not in path]

    def until(self, is_true):
        end = time.monotonic() + WATCHDOG
        while not is_true():
            self.assertLess(time.monotonic(), end, "it has not come about")
            self.assertIsNone(self.coordinator.poll(), "the session has ended")

    def require_alive(self):
        """At any instant, whatever has been put back by then."""
        swept = json.loads(self.baton("sweep", "--json").stdout)  # of other tests something may be swept
        self.assertEqual([path for path in swept["removed"] if self.session_id in path], [])
        self.assertNotIn(self.ada.pid, swept["processes_killed"])
        rows = {row["session"]: row for row in json.loads(self.baton("sessions", "--json", code=0).stdout)}
        self.assertIn(self.session_id, rows)
        self.assertTrue(rows[self.session_id]["is_live"])
        self.assertIn("Hello, Bob!", self.ada.ask("Greet", name="Bob"))

    def require_reachable(self):
        """Newcomers find everything, and can be found."""
        self.until(lambda: self.baton("ask", "Ada", "Greet", "name=Bob").returncode == 0)
        self.baton("spawn", "greeter", "--name", "Eve", code=0)
        self.assertIn("Hello", self.baton("ask", "Eve", "Greet", "name=Bob", code=0).stdout)
        self.assertIn("Hello, Bob!", self.session.find("Eve").ask("Greet", name="Bob"))
        self.baton("stop", "Eve", code=0)

    def require_whole(self):
        """Before and after a coordinator has taken over."""
        self.require_reachable()
        before = self.session.find("coordinator").pid
        os.kill(before, signal.SIGKILL)
        self.until(lambda: self.session.find("coordinator").pid != before)
        self.require_alive()
        self.require_reachable()
        # What was put back is locked, so that a cleaner that looks at locks leaves it alone.
        for path in (self.path, f"{self.path}/lock", f"/dev/shm/baton-{self.session_id}-lock"):
            descriptor = os.open(path, os.O_RDONLY)
            with self.assertRaises(BlockingIOError, msg=path):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(descriptor)

    def test_a_removed_file_is_put_back_and_the_session_lives_on(self):
        for name in sorted(os.listdir(self.path)):
            with self.subTest(name=name):
                path = f"{self.path}/{name}"
                if not os.path.exists(path):  # a coordinator's that has been replaced
                    continue
                os.remove(path)
                self.require_alive()
                self.until(lambda: self.session.find("Ada") and os.path.exists(path))
                self.require_reachable()
        self.require_whole()

    def test_a_removed_folder_is_put_back_and_the_session_lives_on(self):
        for what in (self.path, f"{self.folder}/baton"):
            shutil.rmtree(what, ignore_errors=True)  # files may be put back while others are removed
            self.require_alive()
            self.require_whole()

    def test_a_folder_that_was_moved_away_is_put_back(self):
        for what in (self.path, f"{self.folder}/baton"):
            os.rename(what, f"{self.folder}/moved")
            self.require_alive()
            self.require_whole()
            shutil.rmtree(f"{self.folder}/moved")

    def test_memory_whose_names_were_removed_is_put_back(self):
        """As logind does it, with RemoveIPC=yes, when a user's last login ends."""
        for path in self.files_in_memory():
            os.remove(path)
        self.require_alive()
        self.until(lambda: len(self.files_in_memory()) >= 5)
        self.require_whole()

    def test_a_session_outlives_the_end_of_its_login(self):
        """First XDG_RUNTIME_DIR goes, and the user's shared memory with it; later the user is there again."""
        away = f"{self.folder}-away"
        os.rename(self.folder, away)
        for path in self.files_in_memory():
            os.remove(path)
        shutil.rmtree(f"{away}/baton")
        self.require_alive()
        for command in (["ps"], ["ask", "Ada", "Greet", "name=Bob"], ["ps", "--session", self.session_id],
                        ["ps", "--session", self.path]):
            done = self.baton(*command)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"it lives (process {self.coordinator.pid})", done.stderr)
            self.assertIn(self.path, done.stderr)
        with self.assertRaises(baton.Gone) as caught:
            baton.session(self.path)
        self.assertIn("was removed by another program", str(caught.exception))
        os.rename(away, self.folder)
        self.require_whole()

    def test_a_session_that_can_not_be_put_back_ends_with_its_coordinator_and_says_why(self):
        log = f"{self.folder}-log"
        self.leave()
        self.stop(self.coordinator)
        with open(log, "wb") as stderr:
            self.coordinator = self.start_coordinator(stderr=stderr)
        away = f"{self.folder}-away"
        session = baton.session(glob.glob(f"{self.folder}/baton/*")[0])
        pid = session.find("coordinator").pid
        os.rename(self.folder, away)
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(self.coordinator.wait(WATCHDOG), 69)
        with self.assertRaises(baton.Error):
            session.find("coordinator")
        os.rename(away, self.folder)
        with open(log, encoding="utf-8") as file:
            self.assertRegex(file.read(), "is ended.*cannot put back the folder.*logged out")
        os.remove(log)
        self.baton("sweep")

    def test_old_files_are_no_reason_to_take_a_session_for_dead(self):
        """As a cleaner does it that looks at times, and at no locks."""
        old = time.time() - CLEANED_AFTER
        for path in [*glob.glob(f"{self.path}/*"), self.path, *self.files_in_memory()]:
            os.utime(path, (old, old))
        self.require_alive()
        for path in glob.glob(f"{self.path}/*"):
            if os.stat(path).st_mtime <= old + 1:
                os.remove(path)
        self.require_alive()
        self.require_whole()

    def test_members_that_have_never_spoken_find_each_other_by_files_that_were_put_back(self):
        first = self.session.spawn("probe", name="Yan")
        shutil.rmtree(self.path, ignore_errors=True)
        for path in self.files_in_memory():
            os.remove(path)
        self.until(lambda: all(os.path.exists(f"{self.path}/{first.id}.{kind}") for kind in ("sock", "bell")))
        second = self.session.spawn("probe", name="Zoe")
        self.assertEqual(second.ask("TellOther", other=first, text="hello"), "hello")
        self.assertEqual(first.ask("TellOther", other=second, text="hello"), "hello")
        self.require_alive()


class Dead(Apart):
    def test_a_session_that_has_died_is_swept_whatever_was_removed_and_put_back(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        path, = glob.glob(f"{self.folder}/baton/*")
        for name in glob.glob(f"/dev/shm/baton-{os.path.basename(path)}-*"):
            os.remove(name)
        shutil.rmtree(path)
        while self.baton("ps").returncode != 0:
            self.assertIsNone(coordinator.poll())
        self.assertNotEqual(self.memory(), [])
        coordinator.kill()
        coordinator.wait()
        self.baton("sweep", code=0)
        self.assertEqual((self.memory(), glob.glob(f"{self.folder}/baton/*")), ([], []))


if __name__ == "__main__":
    main()
