"""Signals as they are inherited: whatever a parent has blocked or ignored, things end as the documents say; and SIGHUP
ends a session in good order, unless nohup was asked for.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests PYTHONPATH=build/dev/python \
        /usr/bin/python3 tests/process/signals_test.py
"""
import os
import signal
import subprocess

from inheritance import BIN, PYTHON, TESTS_BIN, WATCHDOG, World, main

ODD = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1)


def be_odd():
    """As a parent that has blocked and ignored nearly everything."""
    for number in ODD:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ODD + (signal.SIGHUP, signal.SIGALRM))


def ignore_hangup():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


class Inherited(World):
    def start_scenario(self, *command, **options):
        process = self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             start_new_session=True, **options)
        while b"ready" not in (line := process.stdout.readline()):
            self.assertNotEqual(line, b"", "it ended before it was ready")
        return process

    def signals_of(self, pid, what):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            bits = next(int(line.split()[1], 16) for line in status if line.startswith(what))
        return {signal.Signals(number) for number in range(1, 32) if bits >> (number - 1) & 1}

    def test_blocked_and_ignored_signals_change_nothing_for_a_coordinator_and_its_actors(self):
        coordinator = self.start_coordinator(preexec_fn=be_odd, stderr=subprocess.DEVNULL)
        self.spawn("Zoe", "probe")
        actor, = self.actors()
        for pid in (coordinator.pid, actor):
            self.assertEqual(self.signals_of(pid, "SigIgn"), set())
            self.assertLessEqual(self.signals_of(pid, "SigBlk"), {signal.SIGCHLD} if pid == coordinator.pid else set())
        self.assertIn("signal -15", self.baton("kill", "Zoe", "--signal", "TERM", code=0).stdout)
        self.stop(coordinator)

    def test_blocked_and_ignored_signals_change_nothing_for_a_scenario(self):
        for command in ([f"{TESTS_BIN}/cli_scenario"], [f"{BIN}/baton-coordinator", "cli_scenario"]):
            for number in (signal.SIGINT, signal.SIGTERM):
                process = self.start_scenario(*command, preexec_fn=be_odd)
                os.killpg(process.pid, number)
                self.assertEqual(process.wait(WATCHDOG), 130, (command, number))
                self.assertEqual(self.actors() + self.memory(), [])

    def test_a_program_that_an_actor_starts_has_the_usual_signals(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        self.spawn("Zoe", "probe")
        pid = int(self.baton("ask", "Zoe", "Shell", "line=kill -STOP $$", code=0).stdout)
        self.assertEqual((self.signals_of(pid, "SigIgn"), self.signals_of(pid, "SigBlk")), (set(), set()))
        self.stop(coordinator)

    def test_a_hangup_ends_a_session_in_good_order(self):
        coordinator = self.start_coordinator(stderr=subprocess.DEVNULL)
        self.spawn("Zoe", "probe")
        coordinator.send_signal(signal.SIGHUP)
        self.assertEqual(coordinator.wait(WATCHDOG), 0)
        self.assertEqual(self.actors() + self.memory(), [])
        for command in ([f"{TESTS_BIN}/cli_scenario"], [f"{BIN}/baton-coordinator", "cli_scenario"]):
            process = self.start_scenario(*command)
            os.killpg(process.pid, signal.SIGHUP)
            self.assertEqual(process.wait(WATCHDOG), 130)
            self.assertEqual(self.actors() + self.memory(), [])

    def test_under_nohup_a_hangup_ends_neither_a_coordinator_nor_its_scenario_nor_its_actors(self):
        for command in ([f"{TESTS_BIN}/cli_scenario"], [f"{BIN}/baton-coordinator", "cli_scenario"]):
            process = self.start_scenario(*command, preexec_fn=ignore_hangup)
            actors = self.actors()
            self.assertEqual(len(actors), 3)
            os.killpg(process.pid, signal.SIGHUP)
            for pid in actors:
                os.kill(pid, signal.SIGHUP)
            session, = (path for path in os.listdir(f"{self.folder}/baton") if not path.startswith("."))
            self.assertIn("Hello", self.baton("--session", session, "ask", "Ada", "Greet", "name=Bob", code=0).stdout)
            self.assertEqual(sorted(self.actors()), sorted(actors))
            process.stdin.close()
            self.assertEqual(process.wait(WATCHDOG), 0)

    def test_a_script_with_blocked_signals_gets_a_session_that_ends_with_it(self):
        script = self.script("import baton\nwith baton.session() as session:\n"
                             "    print(session.spawn('greeter').ask('Greet', name='Ada'))\n")

        def block():
            signal.pthread_sigmask(signal.SIG_SETMASK, ODD)

        done = self.run_shell(f"exec {PYTHON} {script}", 0, preexec_fn=block)
        self.assertIn("Hello", done.stdout)

    def test_a_script_that_throws_exits_away_is_told_and_leaves_nothing(self):
        script = self.script("import baton\nbaton.session()\n")
        done = self.run_shell(f"exec {PYTHON} {script}", 1,
                              preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertIn("signal(SIGCHLD, SIG_DFL)", done.stderr)


if __name__ == "__main__":
    main()
