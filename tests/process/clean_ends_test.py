"""However actors, scenarios and sessions end: every note that was accepted is handled, or named in a report, exactly.

    BATON_BIN=build/dev/bin BATON_TESTS_BIN=build/dev/tests PYTHONPATH=build/dev/python \
        /usr/bin/python3 tests/process/clean_ends_test.py

Goal: count what becomes of each accepted message, for each way in which things end, with lanes and by ZeroMQ alone.
Method: tellers (teller.hpp) send numbered notes to each other and keep journals that outlive them: a note is `accepted`
when send() has said so, `handled` when its handler has begun. The log names what was sent to somebody who ended and
never handled (letters.dead), and what was lost with its sender (letters.lost). The test adds up. Nothing sleeps; the
watchdog is that of ctest.
"""
import collections
import glob
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import leftovers  # noqa: E402

BIN = os.environ["BATON_BIN"]
TESTS_BIN = os.environ.get("BATON_TESTS_BIN", BIN)
NOTED, SENT = 12, 14  # of tests/soak/journal.hpp
INDEX = {"python": 1, "teller_scenario": 1, "slow": 2, "quick": 3, "sender": 4, "exiting": 5}
OWN = {(1, 2): 200, (1, 4): 10}  # what the scenario sends

PYTHON = """
    import sys
    import baton
    folder, way = sys.argv[1:]

    def tell(session):
        slow, quick, sender, exiting = (session.spawn("teller", name, args=(folder, str(index), str(pace)))
                                        for name, index, pace in (("slow", 2, 2000), ("quick", 3, 0),
                                                                  ("sender", 4, 0), ("exiting", 5, 0)))
        def send(who, to, index, count, ballast=0):
            return who.ask("Send", to=to, index=index, count=count, ballast_bytes=ballast, and_exits=False,
                           timeout=60)
        send(sender, slow, 2, 400)
        send(slow, quick, 3, 100, 10_000)
        send(quick, sender, 4, 300)
        exiting.send("Send", to=slow, index=2, count=50, ballast_bytes=20_000, and_exits=True)
        for to, count in ((slow, 200), (sender, 10)):
            for number in range(count):
                to.send("Note", {"from": 1, "number": number + 1, "ballast": ""})
        print("ready", flush=True)

    if way == "ends":
        tell(baton.session())
        sys.exit(0)
    with baton.session() as session:
        tell(session)
        if way == "raises":
            raise RuntimeError("the body has failed")
"""


def journals(folder):
    """By pair of sender and receiver: the number of the last note that was accepted, and the numbers handled."""
    accepted, handled = collections.Counter(), collections.defaultdict(list)
    for path in glob.glob(folder + "/*.journal"):
        index = int(os.path.basename(path).partition("-")[0])
        with open(path, "rb") as file:
            count, = struct.unpack("<Q", file.read(8))
            file.seek(32)
            for _at, event, other, _token, extra in struct.iter_unpack("<qIIQQ", file.read(32 * count)):
                if event == SENT:
                    accepted[index, other] = extra
                elif event == NOTED:
                    handled[other, index].append(extra)
    return accepted, handled


class Account(unittest.TestCase):
    """One run: its processes, its journals and its log."""

    def setUp(self):
        self.leftovers = leftovers.Place()
        self.addCleanup(self.leftovers.require_nothing, self)
        folder = tempfile.TemporaryDirectory(prefix="baton-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log = open(self.folder + "/log", "w+")
        self.addCleanup(self.log.close)
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": self.leftovers.folder}
        self.environment.pop("BATON_SESSION", None)

    def start(self, *command, **variables):
        process = subprocess.Popen(command, env={**self.environment, **variables}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=self.log, text=True, start_new_session=True)
        self.addCleanup(process.stdout.close)
        while "ready" not in (line := process.stdout.readline()):
            self.assertNotEqual(line, "", "it ended before it was ready: " + self.logged())
        return process

    def logged(self):
        self.log.flush()
        with open(self.folder + "/log") as file:
            return file.read()

    def scenario(self, way, *before, **variables):
        return self.start(*before, os.path.join(TESTS_BIN, "teller_scenario"), self.folder, way, **variables)

    def python(self, way):
        return self.start(sys.executable, "-u", "-c", textwrap.dedent(PYTHON), self.folder, way)

    def baton(self, *arguments, **variables):
        return subprocess.run([os.path.join(BIN, "baton"), *arguments], env={**self.environment, **variables},
                              text=True, capture_output=True, check=False)


    def by(self, lanes):
        if lanes == "off":
            self.environment["BATON_LANES"] = "off"

    def named(self):
        """By pair: what the log names of its notes; and how many of those are lost with their sender."""
        dead, lost = collections.Counter(), collections.Counter()
        for event, words in re.findall(r"(letters\.(?:dead|lost)) (.*)", self.logged()):
            fields = dict(re.findall(r"(\w+)=(\S+)", words))
            is_of_note = fields.get("command", "Note") == "Note" and fields["to"] != "exiting"  # which is sent none
            if is_of_note and fields["from"] in INDEX and fields["to"] in INDEX:
                pair = INDEX[fields["from"]], INDEX[fields["to"]]
                (dead if event == "letters.dead" else lost)[pair] += int(fields["count"])
        return dead, lost

    def settle(self, own=None, killed=()):
        """Adds up. Of those that were killed one note may be in the hand, or counted and not sent yet."""
        accepted, handled = journals(self.folder)
        accepted.update(own or {})
        dead, lost = self.named()
        self.assertTrue(accepted)
        for pair in sorted(set(accepted) | set(handled) | set(dead) | set(lost)):
            sender, receiver = pair
            notes = handled[pair]
            self.assertEqual(notes, sorted(set(notes)), f"{pair}: a note came twice, or before its turn")
            found = len(notes) + dead[pair] + lost[pair]
            least = accepted[pair] - (receiver in killed)
            most = accepted[pair] + (sender in killed)
            self.assertTrue(least <= found <= most,
                            f"{pair}: {accepted[pair]} accepted; {len(notes)} handled + {dead[pair]} dead letters + "
                            f"{lost[pair]} lost\n" + self.logged()[-6000:])
        return accepted, handled, dead, lost


class Ends(Account):
    lanes = "on"

    def setUp(self):
        super().setUp()
        self.by(self.lanes)

    def test_a_scenario_that_returns(self):
        self.assertEqual(self.scenario("returns").wait(), 0, self.logged())
        accepted, handled, dead, _ = self.settle()
        self.assertEqual(accepted[4, 2], 400)
        if self.lanes == "on":  # else its sender waits for it
            self.assertGreater(dead[4, 2], 0, "slow was stopped in the middle")
        self.assertEqual(dead[3, 1], 20, "what came to the scenario, and was never collected")

    def test_a_scenario_whose_body_throws(self):
        self.assertEqual(self.scenario("throws").wait(), 1, self.logged())
        self.settle()

    def test_ctrl_c_once(self):
        process = self.scenario("waits")
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(), 130, self.logged())
        self.settle()

    def test_a_python_session_that_is_left(self):
        self.assertEqual(self.python("returns").wait(), 0, self.logged())
        self.settle(OWN)

    def test_a_python_session_whose_body_raises(self):
        self.assertEqual(self.python("raises").wait(), 1, self.logged())
        self.settle(OWN)

    def test_a_python_program_that_ends_without_closing_its_session(self):
        self.assertEqual(self.python("ends").wait(), 0, self.logged())
        self.settle(OWN)

    def test_a_session_that_runs_a_scenario(self):
        self.assertEqual(self.scenario("returns", os.path.join(BIN, "baton"), "run").wait(), 0, self.logged())
        self.settle()

    def serve(self):
        process = subprocess.Popen([os.path.join(BIN, "baton"), "serve"], env=self.environment, stderr=self.log,
                                   stdin=subprocess.DEVNULL, stdout=self.log, start_new_session=True)
        while not (opened := re.search(r"session (\S+) is open", self.logged())):
            self.assertIsNone(process.poll(), self.logged())
        self.session = opened.group(1)
        return process

    def test_a_scenario_that_leaves_a_session_which_goes_on(self):
        serving = self.serve()
        self.assertEqual(self.scenario("returns", BATON_SESSION=self.session).wait(), 0, self.logged())
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait()
        self.settle()

    def test_ctrl_c_once_at_a_served_session(self):
        serving = self.serve()
        scenario = self.scenario("waits", BATON_SESSION=self.session)
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait()
        scenario.wait()
        self.settle()

    def test_baton_stop_everything(self):
        serving = self.serve()
        scenario = self.scenario("waits", BATON_SESSION=self.session)
        stopped = self.baton("stop", "--everything", BATON_SESSION=self.session)
        self.assertEqual(stopped.returncode, 0, stopped.stdout + stopped.stderr)
        serving.wait()
        scenario.wait()
        self.settle()

    def test_baton_stop_of_each_actor_draining_and_not(self):
        serving = self.serve()
        scenario = self.scenario("waits", BATON_SESSION=self.session)
        for name, drain in (("sender", ()), ("slow", ("--drain",)), ("quick", ())):
            stopped = self.baton("stop", "--timeout", "60", *drain, name, BATON_SESSION=self.session)
            self.assertEqual(stopped.returncode, 0, stopped.stdout + stopped.stderr)
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait()
        scenario.wait()
        accepted, handled, dead, _ = self.settle()
        self.assertEqual(dead[4, 2] + dead[1, 2], 0, "it was to drain")

    def end_with(self, name, number):
        """A process gets that signal while notes to it and of it are under way; then the session is closed."""
        serving = self.serve()
        scenario = self.scenario("waits", BATON_SESSION=self.session)
        sent = self.baton("kill", "--signal", number, name, BATON_SESSION=self.session)
        self.assertEqual(sent.returncode, 0, sent.stdout + sent.stderr)
        stopped = self.baton("stop", "--everything", BATON_SESSION=self.session)
        self.assertIn(stopped.returncode, (0, 1, 2, 3), stopped.stdout + stopped.stderr)
        serving.wait()
        scenario.wait()
        return self.settle(killed=(INDEX[name],))

    def test_a_receiver_that_is_killed(self):
        _, _, dead, _ = self.end_with("slow", "KILL")
        self.assertGreater(dead[4, 2], 0)

    def test_a_receiver_that_is_frozen(self):
        _, _, dead, _ = self.end_with("slow", "STOP")
        self.assertGreater(dead[4, 2], 0)

    def test_a_sender_that_is_killed(self):
        self.end_with("sender", "KILL")

    def test_a_scenario_that_is_killed(self):
        process = self.scenario("waits")
        session, = glob.glob(self.leftovers.folder + "/baton/*")
        process.kill()
        process.wait()
        while os.path.exists(session):
            os.sched_yield()
        self.settle(killed=(1,))


class EndsByZeroMq(Ends):
    lanes = "off"

    def test_what_was_lost_with_a_sender_is_named_while_its_receiver_lives(self):
        serving = self.serve()
        session = {"BATON_SESSION": self.session}
        for name, index in (("slow", "2"), ("exiting", "5")):
            spawned = self.baton("spawn", "teller", "--name", name, "--", self.folder, index, "0", **session)
            self.assertEqual(spawned.returncode, 0, spawned.stderr)
        self.baton("kill", "--signal", "STOP", "slow", **session)
        # More than sockets hold, to one that takes nothing; then its process ends without a word.
        self.baton("send", "exiting", "Send", "to=slow", "index=2", "count=50", "ballast_bytes=200000",
                   "and_exits=true", **session)
        while '"exiting"' in self.baton("ps", "--json", **session).stdout:
            os.sched_yield()
        self.baton("kill", "--signal", "CONT", "slow", **session)
        while "letters.lost" not in self.logged():
            os.sched_yield()
        exited = self.baton("ps", "--all", "--json", **session).stdout
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait()
        accepted, handled, dead, lost = self.settle()
        self.assertEqual(accepted[5, 2], 50)
        self.assertGreater(lost[5, 2], 0)
        self.assertEqual(dead[5, 2], 0)
        self.assertIn('"lost"', exited)


del Account
if __name__ == "__main__":
    unittest.main()
