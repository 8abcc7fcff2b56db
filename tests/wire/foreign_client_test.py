"""Goal: a program in another language can do all that docs/wire/ promises, and a hostile one harms nobody else.

Method: a real coordinator and a real greeter, and clients made of ZeroMQ and msgpack alone. BATON_BIN names the
folder of the programs. Every test has a session in a folder of its own, and looks afterwards whether anything is left.
Clocks are watchdogs only: SECONDS is how long a test waits for what must come.
"""

import mmap
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

import msgpack
import zmq
from zmq.utils.monitor import recv_monitor_message

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent))
from foreign_client import (ASK, COORDINATOR, ERROR, NOBODY, NOTICE, REPLY, SECOND, SEND, Client, Failure, Lane,
                            live_sessions, pack_record, unpack_records)

BIN = os.environ.get("BATON_BIN", "")
ROOT = HERE.parents[2]
FIRST_PAGE, MESSAGES, COMMANDS, LEDGER, CONVERSATION = (
    ROOT / "docs" / "wire" / f"{page}.md" for page in ("README", "messages", "coordinator", "ledger", "conversation"))
GOLDEN_FILE = HERE.parent / "golden.txt"
SECONDS = 10
MEBIBYTE = 1 << 20
FRAME_BYTES_MAX = MEBIBYTE + (16 << 10)
EXIT_STOPPED, EXIT_SIGNALLED, EXIT_LEFT = 1, 3, 5


def spawn_body(program, name="", arguments=(), fingerprint=0, timeout=SECONDS * SECOND, folders=()):
    options = {"program": program, "name": name, "arguments": list(arguments), "timeout": timeout, "memory_bytes": 0,
               "folders": list(folders), "actor": ""}
    return {"options": options, "fingerprint": fingerprint}


def join_body(actor=NOBODY, name="", address="", pid=0):
    return {"as": actor, "name": name, "pid": pid, "address": address,
            "protocol": {"name": "", "commands": []}, "owns_session": False}


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * mmap.PAGESIZE


class Stranger:
    """A connection to an inbox that says whatever it is told to."""

    def __init__(self, test, address, **options):
        self.socket = test.context.socket(zmq.DEALER)
        self.socket.linger = 0
        for option, value in options.items():
            setattr(self.socket, option, value)
        self.socket.connect(address)
        test.addCleanup(self.socket.close)

    def say(self, *parts):
        self.socket.send_multipart(parts)

    def hear(self):
        """The next (envelope, body)."""
        if not self.socket.poll(SECONDS * 1000):
            raise AssertionError("nothing came back")
        (record,) = unpack_records(self.socket.recv())
        return record

    def hears_nothing(self):
        return self.socket.poll(0) == 0


class ForeignClientTest(unittest.TestCase):
    def setUp(self):
        if not BIN:
            self.fail("BATON_BIN must name the folder with baton-coordinator and greeter")
        self.context = zmq.Context()
        self.runtime = tempfile.mkdtemp(prefix="bw", dir="/tmp")  # short: the path of a socket is
        self.addCleanup(shutil.rmtree, self.runtime, ignore_errors=True)
        environment = {name: value for name, value in os.environ.items()
                       if name == "BATON_LANES" or not name.startswith("BATON_")}
        # What AddressSanitizer keeps of freed memory would hide what a program holds.
        sanitizer = f"{environment.get('ASAN_OPTIONS', '')}:quarantine_size_mb=8".strip(":")
        self.environment = dict(environment, XDG_RUNTIME_DIR=self.runtime, BATON_LOG="off", ASAN_OPTIONS=sanitizer)
        announced, announces = os.pipe()
        self.coordinator = subprocess.Popen([f"{BIN}/baton-coordinator", "--announce", str(announces)],
                                            pass_fds=[announces], env=self.environment)
        os.close(announces)
        self.addCleanup(self.end_coordinator)
        self.addCleanup(self.context.destroy, linger=0)
        with os.fdopen(announced) as pipe:
            readable, _, _ = select.select([pipe], [], [], SECONDS)
            self.assertTrue(readable, "the coordinator has not started")
            self.folder = pipe.readline().strip()
        self.assertTrue(self.folder)
        self.coordinator_address = f"ipc://{self.folder}/coordinator.sock"
        self.code = 0  # with which the coordinator is to end

    def end_coordinator(self):
        """A second signal would hurry it: one must do."""
        if self.coordinator.poll() is None:
            self.coordinator.send_signal(signal.SIGTERM)
        try:
            code = self.coordinator.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.coordinator.kill()
            self.coordinator.wait()
            raise AssertionError("the coordinator does not end") from None
        self.assertEqual(code, self.code)
        self.assert_nothing_left()

    def assert_nothing_left(self):
        session = os.path.basename(self.folder)
        self.assertEqual(os.listdir(os.path.dirname(self.folder)), [".sweep-lock"])
        self.assertEqual([name for name in os.listdir("/dev/shm") if session in name], [])
        left = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as environment:
                    if self.folder.encode() in environment.read():
                        left.append(pid)
            except OSError:
                pass  # another user's, or it has ended by now
        self.assertEqual(left, [])

    def join(self, name="honest"):
        client = Client(self.folder, name)
        self.addCleanup(lambda: client.context.destroy(linger=0))  # and so keeps the client alive
        return client

    def join_with_greeter(self):
        honest = self.join()
        spawned = honest.ask(COORDINATOR, "Spawn", spawn_body("greeter"), SECONDS)
        self.greeter = tuple(spawned["actor"])
        self.greeter_address = honest.ask(COORDINATOR, "Locate", {"actor": self.greeter})["address"]
        self.greeted = 0
        self.assert_greets(honest)
        # An answer leaves a little before its handler has returned: from here on the greeter is idle.
        self.assertIsNone(honest.ask(self.greeter, "baton.Sync", None, SECONDS))
        return honest

    def assert_greets(self, client):
        """The greeter is well, and has handled no greeting but those counted here."""
        self.greeted += 1
        self.assertEqual(client.ask(self.greeter, "Greet", {"name": "Ada"}, SECONDS),
                         f"Hello, Ada! You are number {self.greeted}.")

    def record(self, kind=ASK, sender=NOBODY, receiver=None, sequence=0, ask_id=7, tag="Greet", body=None):
        return pack_record(kind, sender, receiver or self.greeter, sequence, ask_id, tag,
                           {"name": "Eve"} if body is None else body)

    def to_coordinator(self, tag, body, sender=NOBODY):
        return self.record(sender=sender, receiver=COORDINATOR, tag=tag, body=body)

    def assert_error(self, answer, kind, ask_id, tag, text=""):
        envelope, body = answer
        self.assertEqual((envelope[0], envelope[1], envelope[6:]), (1, ERROR, [0, ask_id, tag, []]), body)
        self.assertEqual(body["kind"], kind, body)
        self.assertIn(text, body["text"])
        self.assertEqual((body["type"], body["frames"]), ("", []))


class Life(ForeignClientTest):
    def test_a_client_joins_spawns_asks_and_leaves(self):
        honest = self.join_with_greeter()
        self.assertEqual((honest.id, honest.welcome["name"], honest.welcome["session"],
                          honest.welcome["anchor_pid"]),
                         ((2, 1), "honest", os.path.basename(self.folder), self.coordinator.pid))
        rows = honest.ask(COORDINATOR, "Roster", {"with_exited": False})
        self.assertEqual([(row["name"], row["state"], row["pid"] > 0) for row in rows],
                         [("honest", "ready", True), ("greeter", "ready", True)])
        other = self.join("honest")
        self.assertEqual(other.welcome["name"], "honest-2")
        self.assertEqual(other.ask(COORDINATOR, "Find", {"name": "greeter"})["actor"], list(self.greeter))
        self.assert_greets(other)
        self.assertIsNone(other.ask(self.greeter, "baton.Sync", None))
        honest.leave()
        # What an outsider has spawned goes with it, and who had located it is told.
        ended = other.ask(COORDINATOR, "Await", {"actor": self.greeter}, SECONDS)
        self.assertEqual((ended["name"], ended["exit"]["kind"]), ("greeter", EXIT_STOPPED))
        while self.greeter not in other.exited:
            self.assertTrue(other.take(SECONDS))
        other.leave()

    def test_closing_the_session_answers_with_every_exit_and_tells_the_other_outsiders_to_stop(self):
        honest = self.join_with_greeter()
        other = self.join("other")
        closed = honest.ask(COORDINATOR, "CloseSession", {"timeout": 5 * SECOND}, SECONDS)
        self.assertEqual([(one["name"], one["exit"]["kind"]) for one in closed["ended"]], [("greeter", EXIT_STOPPED)])
        while not other.is_told_to_stop:
            self.assertTrue(other.take(SECONDS))
        self.assertFalse(honest.is_told_to_stop)
        self.assertEqual(self.coordinator.wait(SECONDS), 0)
        self.assert_nothing_left()

    def test_the_death_of_an_actor_ends_what_was_asked_of_it_and_later_asks_as_gone(self):
        honest = self.join_with_greeter()
        honest.ask(COORDINATOR, "Signal", {"actor": self.greeter, "signal": signal.SIGSTOP})
        ask = honest.request(self.greeter, "Greet", {"name": "Ada"})
        honest.ask(COORDINATOR, "Signal", {"actor": self.greeter, "signal": signal.SIGKILL})
        with self.assertRaises(Failure) as raised:
            honest.wait(ask, SECONDS)
        self.assertEqual(raised.exception.kind, "gone")
        self.assertEqual((honest.exited[self.greeter]["kind"], honest.exited[self.greeter]["code"]),
                         (EXIT_SIGNALLED, signal.SIGKILL))
        with self.assertRaisesRegex(Failure, "gone: greeter has exited"):
            honest.ask(COORDINATOR, "Locate", {"actor": self.greeter})

    def test_a_process_that_ends_without_a_word_has_left(self):
        code = "import os, sys; sys.path.insert(0, sys.argv[1]); import foreign_client; " \
               "foreign_client.Client(sys.argv[2], 'brief'); os._exit(0)"
        honest = self.join()
        subprocess.run([sys.executable, "-c", code, str(HERE.parent), self.folder], check=True, timeout=SECONDS)
        ended = honest.ask(COORDINATOR, "Await", {"actor": (3, 1)}, SECONDS)
        self.assertEqual((ended["name"], ended["exit"]["kind"], ended["exit"]["text"]),
                         ("brief", EXIT_LEFT, "ended without a word"))

    def test_a_batch_is_answered_record_by_record_in_order(self):
        self.join_with_greeter()
        stranger = Stranger(self, self.greeter_address)
        stranger.say(b"".join(self.record(ask_id=ask_id, sequence=ask_id) for ask_id in (1, 2, 3)))
        answers = [stranger.hear() for _ in range(3)]
        self.assertEqual([(envelope[1], envelope[7]) for envelope, _ in answers], [(REPLY, 1), (REPLY, 2), (REPLY, 3)])
        self.assertEqual([body[-2:] for _, body in answers], ["2.", "3.", "4."])

    def test_an_actor_in_another_language_is_spawned_asked_and_stopped(self):
        honest = self.join()
        echo = spawn_body(sys.executable, "echo", [str(HERE), "be-an-actor"])
        spawned = honest.ask(COORDINATOR, "Spawn", echo, SECONDS)
        self.assertEqual(spawned["protocol"]["commands"][0]["name"], "Echo")
        self.assertEqual(honest.ask(spawned["actor"], "Echo", {"words": [1, "two", None]}, SECONDS), [1, "two", None])
        with self.assertRaisesRegex(Failure, "unsupported"):
            honest.ask(spawned["actor"], "Sing", {}, SECONDS)
        (ended,) = honest.ask(COORDINATOR, "StopActors",
                              {"actors": [spawned["actor"]], "timeout": 5 * SECOND, "drain": False}, SECONDS)
        self.assertEqual(ended["exit"]["kind"], EXIT_STOPPED)
        self.assertEqual(ended["exit"]["dead_letters"], [{"from": "honest", "command": "Rest", "count": 3}])

    def test_a_fingerprint_computed_from_the_description_is_the_one_that_spawn_compares(self):
        honest = self.join_with_greeter()
        found = honest.ask(COORDINATOR, "Find", {"name": "greeter"})["protocol"]
        number = fingerprint(found)
        self.assertIn(f"is `{number:016x}`", MESSAGES.read_text())
        honest.ask(COORDINATOR, "Spawn", spawn_body("greeter", "same", fingerprint=number), SECONDS)
        with self.assertRaisesRegex(Failure, f"refused: .*{number:016x}.*{number + 1:016x}"):
            honest.ask(COORDINATOR, "Spawn", spawn_body("greeter", "other", fingerprint=number + 1), SECONDS)


    def test_defaults_tuples_and_sets_are_what_the_description_says(self):
        honest = self.join_with_greeter()
        spawned = honest.ask(COORDINATOR, "Spawn", spawn_body("probe", folders=[os.environ["BATON_TESTS_BIN"]]),
                             SECONDS)
        probe = tuple(spawned["actor"])[:2]
        found = honest.ask(COORDINATOR, "Find", {"name": "probe"})["protocol"]
        commands = {one["name"]: one["fields"] for one in found["commands"]}
        names = [one["name"] for one in commands["Tune"]["parts"]]
        defaults = dict(zip(names, commands["Tune"]["defaults"], strict=True))
        self.assertEqual((defaults["number"], msgpack.unpackb(defaults["depth"])), (b"", 3))
        self.assertEqual(msgpack.unpackb(defaults["place"]), [0.5, -1])
        said = honest.ask(probe, "Tune", {"number": 4}, SECONDS)
        self.assertEqual((said["depth"], said["place"], said["limit"], said["note"]), (3, [0.5, -1], 7, None))
        with self.assertRaisesRegex(Failure, "refused: Tune.number is missing"):
            honest.ask(probe, "Tune", {"depth": 4}, SECONDS)

        (shapes,) = commands["SendShapes"]["parts"]
        kinds = {one["name"]: one["type"]["kind"] for one in shapes["type"]["parts"]}
        self.assertEqual((kinds["pair"], kinds["words"], kinds["queue"]), ("tuple", "set", "list"))
        body = {"pair": ["Ada", 1], "triple": [1, "x", True], "words": ["b", "a"], "numbers": [7], "queue": [1],
                "places": {"here": [1, 2]}, "pairs": [], "sets": [[2, 1]]}
        said = honest.ask(probe, "SendShapes", {"shapes": body}, SECONDS)
        self.assertEqual(said, {**body, "words": ["a", "b"], "sets": [[1, 2]], "maybe": None})
        for changed, text in (({"words": ["a", "a"]}, r"SendShapes.shapes.words\[1\] is in the set twice"),
                              ({"pair": ["Ada"]}, "SendShapes.shapes.pair: expected a tuple of 2, got list of 1"),
                              ({"triple": [1, "x", 2]}, r"SendShapes.shapes.triple\[2\]: expected bool, got 2")):
            with self.assertRaisesRegex(Failure, "refused: " + text):
                honest.ask(probe, "SendShapes", {"shapes": {**body, **changed}}, SECONDS)


class Hostility(ForeignClientTest):
    def test_bytes_that_do_not_parse_drop_their_connection_and_no_other(self):
        honest = self.join_with_greeter()
        body = msgpack.packb({"name": "Eve"})
        envelope = [1, ASK, 0, 0, *self.greeter, 0, 7, "Greet", []]

        def changed(element, value):
            return msgpack.packb(envelope[:element] + [value] + envelope[element + 1:]) + body

        noise = random.Random(8114)
        # What must not count as an envelope: a first byte that is a list of ten could go on to be one.
        noises = [bytes([noise.choice(b"\xc1\x00\x7f\x80\xa5\xcb\xd9\xff")]) + noise.randbytes(60) for _ in range(20)]
        cases = {
            "an empty message": ([b""], "corrupt", "one part and not empty"),
            "two parts": ([self.record(), self.record()], "corrupt", "one part"),
            "an empty delimiter": ([b"", self.record()], "corrupt", "one part"),
            "a huge list in five bytes": ([b"\xdd\xff\xff\xff\xff"], "corrupt", "claims more"),
            "a huge map in five bytes": ([b"\xdf\xff\xff\xff\xff"], "corrupt", "claims more"),
            "a huge string as a body": ([msgpack.packb(envelope) + b"\xdb\xff\xff\xff\xff"], "corrupt", ""),
            "deep nesting": ([b"\x91" * 100_000], "corrupt", "nests deeper than 32"),
            "a body one too deep": ([msgpack.packb(envelope) + b"\x91" * 32 + b"\x90"], "corrupt", "nests deeper"),
            "half a record": ([self.record()[:-1]], "corrupt", "end in the middle"),
            "no body": ([msgpack.packb(envelope)], "corrupt", "end in the middle"),
            "a map for an envelope": ([msgpack.packb({}) + body], "corrupt", "list of 10"),
            "eleven elements": ([msgpack.packb(envelope + [0]) + body], "corrupt", "this one has 11"),
            "another version": ([changed(0, 2)], "unsupported", "version 2"),
            "a version that is none": ([changed(0, "1")], "corrupt", "version"),
            "kind 0": ([changed(1, 0)], "corrupt", "kind"),
            "a reply to nothing": ([changed(1, REPLY)], "corrupt", "takes commands"),
            "an error to nothing": ([changed(1, ERROR)], "corrupt", "takes commands"),
            "a notice from nobody": ([changed(1, NOTICE)], "corrupt", "takes commands"),
            "kind 6": ([changed(1, 6)], "corrupt", "kind"),
            "an address above 32 bits": ([changed(2, 1 << 32)], "corrupt", "integers"),
            "a negative sequence": ([changed(6, -1)], "corrupt", "integers"),
            "an ask without an id": ([changed(7, 0)], "corrupt", "ask id"),
            "a tag that is a number": ([changed(8, 5)], "corrupt", "tag"),
            "no manifest": ([changed(9, None)], "corrupt", "manifest"),
            "a handle that is a number": ([changed(9, [1])], "corrupt", "handle"),
            "a handle of kind 4": ([changed(9, [[4, 0, 1, "|u1", [1]]])], "corrupt", "kind"),
            "a lease without a lease": ([changed(9, [[2, 0, 1, "|u1", [1]]])], "corrupt", "of a lease of 8"),
            "a handle beyond the ledger": ([changed(9, [[1, 1 << 21, 1, "|u1", [1]]])], "corrupt", "a row"),
            "elements of another order": ([changed(9, [[1, 0, 1, ">f4", [1]]])], "corrupt", "element type"),
            "a shape of too many bytes": ([changed(9, [[1, 0, 1, "<f8", [1 << 62, 8]]])], "corrupt",
                                          "element type and a shape"),
            "nine dimensions": ([changed(9, [[1, 0, 1, "<f8", [1] * 9]])], "corrupt", "8 dimensions"),
            "257 handles": ([changed(9, [[1, 0, 1, "|u1", [1]]] * 257)], "corrupt", "256 handles"),
        }
        cases.update({f"noise {index}": ([bytes_], "corrupt", "") for index, bytes_ in enumerate(noises)})
        strangers = []
        for name, (parts, kind, text) in cases.items():
            with self.subTest(name):
                stranger = Stranger(self, self.greeter_address)
                stranger.say(*parts)
                self.assert_error(stranger.hear(), kind, 0, "", text)
                stranger.say(self.record())  # discarded unread
                strangers.append((name, stranger))
                self.assert_greets(honest)
        for _ in range(20):
            self.assert_greets(honest)
        for name, stranger in strangers:
            self.assertTrue(stranger.hears_nothing(), name)

    def test_a_connection_that_reads_no_answers_costs_no_more_than_the_document_says_and_is_dropped(self):
        honest = self.join_with_greeter()
        pid = honest.ask(COORDINATOR, "Find", {"name": "greeter"}, SECONDS)["pid"]
        deaf = Stranger(self, self.greeter_address, rcvhwm=1, sndhwm=0)
        name = "x" * (MEBIBYTE - 100)
        greeted = 1
        for ask_id in range(1, 131):
            deaf.say(self.record(ask_id=ask_id, body={"name": name}))
            # An inbox reads its connections in turn, so what was said before has been handled, or discarded, soon.
            self.assertTrue(honest.ask(self.greeter, "Greet", {"name": "Ada"}, SECONDS).startswith("Hello, Ada!"))
            greeted += 1
            if ask_id % 10 == 0:
                # 32 MiB of answers in ZeroMQ, 32 MiB in the actor, what the kernel holds, and some that is still to be
                # read.
                self.assertLess(resident_bytes(pid), 200 * MEBIBYTE)
        of_the_deaf = self.row_of(honest, "greeter")["handled"] - greeted
        self.assertGreater(of_the_deaf, 50)
        self.assertLess(of_the_deaf, 110)  # dropped then: the rest was discarded unread

    def test_the_records_before_a_bad_one_in_the_same_message_count(self):
        self.join_with_greeter()
        stranger = Stranger(self, self.greeter_address)
        stranger.say(self.record(ask_id=1) + b"\xc1" + self.record(ask_id=2))
        self.assertEqual(stranger.hear()[0][1], REPLY)
        self.assert_error(stranger.hear(), "corrupt", 0, "")

    def row_of(self, client, name):
        roster = client.ask(COORDINATOR, "Roster", {"with_exited": False}, SECONDS)
        return next(row for row in roster if row["name"] == name)

    def test_an_oversize_message_closes_its_connection_and_no_other(self):
        honest = self.join_with_greeter()
        stranger = Stranger(self, self.greeter_address)
        monitor = stranger.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        for bytes_ in (b"\xc6" * (3 * MEBIBYTE), b"\x00" * (FRAME_BYTES_MAX + 1)):
            stranger.say(bytes_)
            self.assertTrue(monitor.poll(SECONDS * 1000), "the connection was not closed")
            self.assertEqual(recv_monitor_message(monitor)["event"], zmq.EVENT_DISCONNECTED)
            self.assert_greets(honest)
        stranger.socket.disable_monitor()
        monitor.close()
        # ZeroMQ has connected anew by itself: a stranger, not a dropped one.
        stranger.say(self.record())
        self.assertEqual(stranger.hear()[0][1], REPLY)

    def test_the_largest_message_is_taken_and_a_reply_that_would_be_larger_is_refused(self):
        self.join_with_greeter()
        stranger = Stranger(self, self.greeter_address)
        stranger.say(self.record(body={"name": "x" * (MEBIBYTE - 100)}))
        self.assertEqual(len(stranger.hear()[1]), len("Hello, ! You are number 2.") + MEBIBYTE - 100)
        stranger.say(self.record(body={"name": "x" * (MEBIBYTE - 12)}))
        self.assert_error(stranger.hear(), "refused", 7, "Greet", "message_bytes_max")

    def test_what_is_no_zeromq_at_all_holds_nobody_up(self):
        honest = self.join_with_greeter()
        for address in (self.greeter_address, self.coordinator_address):
            for bytes_ in (b"", b"GET / HTTP/1.0\r\n\r\n" * 100, b"\xff" * 10_000):
                with socket.socket(socket.AF_UNIX) as stranger:
                    stranger.connect(address[len("ipc://"):])
                    stranger.setblocking(False)
                    try:
                        stranger.sendall(bytes_)
                    except OSError:
                        pass  # closed already, or nobody reads that much
                    self.assert_greets(honest)
                    self.assertEqual(len(honest.ask(COORDINATOR, "Roster", {"with_exited": False})), 2)

    def test_a_wrong_command_is_refused_by_name_and_its_connection_goes_on(self):
        self.join_with_greeter()
        cases = {
            "an unknown command": ("Sing", {}, "unsupported", "knows no command 'Sing'; it knows Greet"),
            "a missing field": ("Greet", {}, "refused", "Greet.name is missing"),
            "a surplus field": ("Greet", {"name": "Eve", "age": 7}, "refused", "Greet has no field 'age'"),
            "a wrong type": ("Greet", {"name": 7}, "refused", "Greet.name: expected string, got 7"),
            "bytes for a string": ("Greet", {"name": b"Eve"}, "refused", "expected string, got bytes"),
            "an extension": ("Greet", {"name": msgpack.ExtType(5, b"Eve")}, "refused", "expected string"),
            "a list for a command": ("Greet", ["Eve"], "refused", "expected a map of fields, got list of 1"),
            "a number for a field's name": ("Greet", {7: "Eve"}, "refused", "expected a field name"),
        }
        stranger = Stranger(self, self.greeter_address)
        for ask_id, (name, (tag, body, kind, text)) in enumerate(cases.items(), start=1):
            with self.subTest(name):
                stranger.say(self.record(ask_id=ask_id, tag=tag, body=body))
                self.assert_error(stranger.hear(), kind, ask_id, tag, text)
                stranger.say(self.record(kind=SEND, ask_id=0, tag=tag, body=body))
                self.assert_error(stranger.hear(), kind, 0, tag, text)
        twice = msgpack.packb([1, ASK, 0, 0, *self.greeter, 0, 7, "Greet", []]) + b"\x82" + b"\xa4name\xa1x" * 2
        stranger.say(twice)
        self.assert_error(stranger.hear(), "refused", 7, "Greet", "there twice")
        deepest = msgpack.packb([1, ASK, 0, 0, *self.greeter, 0, 7, "Greet", []]) + b"\x91" * 31 + b"\x90"
        stranger.say(deepest)
        self.assert_error(stranger.hear(), "refused", 7, "Greet", "expected a map")
        stranger.say(self.record())
        self.assertEqual(stranger.hear()[1], "Hello, Eve! You are number 2.")

    def test_what_is_addressed_to_somebody_else_is_refused_and_its_connection_goes_on(self):
        honest = self.join_with_greeter()
        number, incarnation = self.greeter
        strangers = {self.greeter_address: ("Greet", {"name": "Eve"}),
                     self.coordinator_address: ("Roster", {"with_exited": False})}
        cases = (((99, 1), "refused", "is addressed to 99.1"), (honest.id, "refused", "is addressed to"),
                 ((number, incarnation + 1), "gone", "has exited"))
        for address, (tag, body) in strangers.items():
            stranger = Stranger(self, address)
            for receiver, kind, text in cases:
                if address == self.coordinator_address and kind == "gone":
                    receiver = (COORDINATOR[0], COORDINATOR[1] + 1)
                with self.subTest(address, receiver=receiver):
                    stranger.say(self.record(receiver=receiver, tag=tag, body=body))
                    self.assert_error(stranger.hear(), kind, 7, tag, text)
                    stranger.say(self.record(kind=SEND, ask_id=0, receiver=receiver, tag=tag, body=body))
                    self.assert_error(stranger.hear(), kind, 0, tag, text)
            stranger.say(self.record(receiver=NOBODY, tag=tag, body=body))
            self.assertEqual(stranger.hear()[0][1], REPLY)
        self.greeted += 1
        self.assert_greets(honest)

    def test_the_coordinator_refuses_wrong_commands_and_goes_on(self):
        honest = self.join_with_greeter()
        stranger = Stranger(self, self.coordinator_address)
        cases = {
            "an unknown command": ("Conquer", {}, "unsupported", "knows no command 'Conquer'"),
            "a signal above 32 bits": ("Signal", {"actor": self.greeter, "signal": 1 << 31}, "refused",
                                       "Signal.signal: expected an integer in range"),
            "a number of an actor above 32 bits": ("Signal", {"actor": [1 << 32, 1], "signal": 9}, "refused",
                                                   "Signal.actor[0]: expected an integer in range"),
            "a negative pid": ("Join", join_body(pid=-1), "refused", "Join.pid: expected an integer in range"),
            "no such signal": ("Signal", {"actor": self.greeter, "signal": 4711}, "refused", ""),
            "a signal to an outsider": ("Signal", {"actor": honest.id, "signal": 9}, "refused", "not started by"),
            "nobody": ("Locate", {"actor": [99, 9]}, "gone", "no actor 99.9"),
            "one without an inbox": ("Locate", {"actor": honest.id}, "refused", "has no inbox"),
            "a spawn by nobody": ("Spawn", spawn_body("greeter"), "gone", "join first"),
            "a name that is a path": ("Join", join_body(name="a/b"), "refused", "can't be a name"),
            "a name with a newline": ("Join", join_body(name="a\nb"), "refused", "can't be a name"),
            "a name without end": ("Join", join_body(name="a" * 201), "refused", "can't be a name"),
            "a life that nobody was given": ("Join", join_body(actor=(9, 9)), "gone", "nobody was spawned"),
            "the place of somebody alive": ("Join", join_body(actor=self.greeter), "gone", "nobody was spawned"),
        }
        for name, (tag, body, kind, text) in cases.items():
            with self.subTest(name):
                stranger.say(self.to_coordinator(tag, body))
                self.assert_error(stranger.hear(), kind, 7, tag, text)
        self.assertEqual(len(honest.ask(COORDINATOR, "Roster", {"with_exited": True})), 2)
        self.assert_greets(honest)

    def test_nobody_is_ready_or_leaves_or_spawns_for_somebody_else(self):
        honest = self.join_with_greeter()
        spawning = honest.request(COORDINATOR, "Spawn", spawn_body("sleep", "dozer", ["3600"]))
        starting = []
        while not starting:  # the roster shows it as soon as it has a process
            rows = honest.ask(COORDINATOR, "Roster", {"with_exited": False})
            starting = [tuple(row["actor"]) for row in rows if row["state"] == "starting"]
        (dozer,) = starting
        for tag, body in (("Ready", {}), ("Leave", {"dead_letters": []}), ("Spawn", spawn_body("greeter", "forged"))):
            for victim in (honest.id, self.greeter, dozer):
                with self.subTest(tag, victim=victim):
                    stranger = Stranger(self, self.coordinator_address)
                    stranger.say(self.to_coordinator(tag, body, sender=victim))
                    self.assert_error(stranger.hear(), "gone", 7, tag)
        rows = honest.ask(COORDINATOR, "Roster", {"with_exited": True})
        self.assertEqual([(row["name"], row["state"]) for row in rows],
                         [("honest", "ready"), ("greeter", "ready"), ("dozer", "starting")])
        honest.ask(COORDINATOR, "Signal", {"actor": dozer, "signal": signal.SIGKILL})
        with self.assertRaisesRegex(Failure, "failed: dozer .* ended before it was ready"):
            honest.wait(spawning, SECONDS)
        self.assert_greets(honest)

    def test_one_connection_speaks_for_one_actor(self):
        honest = self.join_with_greeter()
        stranger = Stranger(self, self.greeter_address)
        stranger.say(self.record(sender=(77, 1)))
        self.assertEqual(stranger.hear()[0][:6], [1, REPLY, *self.greeter, 77, 1])
        self.greeted += 1
        stranger.say(self.record(sender=honest.id))
        self.assert_error(stranger.hear(), "corrupt", 0, "", "one connection speaks for one actor")
        self.assert_greets(honest)

    def test_one_connection_joins_once(self):
        honest = self.join("honest")
        with self.assertRaisesRegex(Failure, "refused: this connection has joined already, as honest"):
            honest.ask(COORDINATOR, "Join", join_body(name="second"))
        stranger = Stranger(self, self.coordinator_address)
        join = self.to_coordinator("Join", join_body(name="eager"))
        stranger.say(join + join)
        self.assertEqual(stranger.hear()[1]["name"], "eager")
        self.assert_error(stranger.hear(), "refused", 7, "Join", "has joined already")
        rows = honest.ask(COORDINATOR, "Roster", {"with_exited": True})
        self.assertEqual([row["name"] for row in rows], ["honest", "eager"])

    def test_a_description_of_a_protocol_has_a_bound(self):
        honest = self.join()
        stranger = Stranger(self, self.coordinator_address)
        body = join_body(name="verbose")
        body["protocol"]["name"] = "x" * (64 << 10)
        stranger.say(self.to_coordinator("Join", body))
        self.assert_error(stranger.hear(), "refused", 7, "Join", "protocol_bytes_max")
        body["protocol"]["name"] = "x" * (63 << 10)
        stranger.say(self.to_coordinator("Join", body))
        self.assertEqual(stranger.hear()[1]["name"], "verbose")
        self.assertEqual(len(honest.ask(COORDINATOR, "Roster", {"with_exited": True})), 2)

    def test_nobody_but_the_coordinator_is_called_so(self):
        thief = self.join("coordinator")
        self.assertEqual(thief.welcome["name"], "coordinator-2")
        with self.assertRaisesRegex(Failure, "refused: the name 'coordinator' is in use by the coordinator"):
            thief.ask(COORDINATOR, "Spawn", spawn_body("greeter", "coordinator"))
        self.assertEqual(thief.ask(COORDINATOR, "Find", {"name": "coordinator"})["pid"],
                         thief.welcome["coordinator_pid"])

    def test_who_awaits_again_and_again_ends_the_oldest_of_its_awaits(self):
        honest = self.join_with_greeter()
        stranger = Stranger(self, self.coordinator_address)
        for ask_id in range(1, 66):
            stranger.say(self.record(receiver=COORDINATOR, ask_id=ask_id, tag="Await", body={"actor": self.greeter}))
        self.assert_error(stranger.hear(), "overloaded", 1, "Await", "awaits_per_asker_max")
        awaited = honest.request(COORDINATOR, "Await", {"actor": self.greeter})
        honest.ask(COORDINATOR, "Signal", {"actor": self.greeter, "signal": signal.SIGKILL})
        self.assertEqual([stranger.hear()[0][7] for _ in range(64)], list(range(2, 66)))
        self.assertEqual(honest.wait(awaited, SECONDS)["exit"]["kind"], EXIT_SIGNALLED)

    def test_the_awaits_of_a_session_have_a_bound(self):
        honest = self.join_with_greeter()
        strangers = [Stranger(self, self.coordinator_address) for _ in range(65)]
        for ask_id in range(1, 65):
            for stranger in strangers[:64]:
                stranger.say(self.record(receiver=COORDINATOR, ask_id=ask_id, tag="Await",
                                         body={"actor": self.greeter}))
        for stranger in strangers[:64]:  # all are there
            stranger.say(self.to_coordinator("Find", {"name": "greeter"}))
            self.assertEqual(stranger.hear()[0][1], REPLY)
        strangers[64].say(self.to_coordinator("Await", {"actor": self.greeter}))
        self.assert_error(strangers[64].hear(), "overloaded", 7, "Await", "awaits_max")
        honest.ask(COORDINATOR, "Signal", {"actor": self.greeter, "signal": signal.SIGKILL})
        for stranger in strangers[:64]:
            self.assertEqual([stranger.hear()[0][7] for _ in range(64)], list(range(1, 65)))

    def test_the_stops_under_way_have_a_bound(self):
        honest = self.join_with_greeter()
        honest.ask(COORDINATOR, "Signal", {"actor": self.greeter, "signal": signal.SIGSTOP})
        stop = {"actors": [self.greeter], "timeout": 600 * SECOND, "drain": False}
        asks = [honest.request(COORDINATOR, "StopActors", stop) for _ in range(256)]
        with self.assertRaisesRegex(Failure, "overloaded: .*stops_max"):
            honest.ask(COORDINATOR, "StopActors", stop, SECONDS)
        honest.ask(COORDINATOR, "Signal", {"actor": self.greeter, "signal": signal.SIGKILL})
        for ask in asks:
            self.assertEqual(honest.wait(ask, SECONDS)[0]["exit"]["kind"], EXIT_SIGNALLED)

    def test_a_connection_is_spent_with_its_leave(self):
        honest = self.join()
        stranger = Stranger(self, self.coordinator_address)
        stranger.say(self.to_coordinator("Join", join_body(name="brief")))
        brief = tuple(stranger.hear()[1]["you"])
        stranger.say(self.to_coordinator("Leave", {"dead_letters": []}, sender=brief))
        self.assertEqual(stranger.hear()[0][1], REPLY)
        stranger.say(self.to_coordinator("Leave", {"dead_letters": []}, sender=brief))
        self.assert_error(stranger.hear(), "gone", 7, "Leave")
        self.assertEqual([row["name"] for row in honest.ask(COORDINATOR, "Roster", {"with_exited": False})], ["honest"])

    def test_no_address_of_an_inbox_takes_another_file_of_the_session_with_it(self):
        honest = self.join_with_greeter()
        before = sorted(os.listdir(self.folder))
        for path in ("coordinator.sock", "lock", os.path.basename(self.greeter_address), "../.sweep-lock", ""):
            with self.subTest(path):
                stranger = Stranger(self, self.coordinator_address)
                body = join_body(name="thief", address=f"ipc://{self.folder}/{path}")
                stranger.say(self.to_coordinator("Join", body))
                envelope, body = stranger.hear()
                self.assertEqual((envelope[1], body.get("kind")), (ERROR, "refused"), body)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assert_greets(self.join("late"))

    def test_text_that_is_no_utf_8_is_refused(self):
        honest = self.join()
        stranger = Stranger(self, self.coordinator_address)
        for name in (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"a\xe2\x82"):
            with self.subTest(name=name):
                body = msgpack.packb(join_body(name="NAME")).replace(b"\xa4NAME", bytes([0xA0 + len(name)]) + name)
                stranger.say(msgpack.packb([1, ASK, 0, 0, *COORDINATOR, 0, 7, "Join", []]) + body)
                envelope, answer = unpack_leniently(stranger)
                self.assertEqual((envelope[1], answer.get("kind")), (ERROR, "refused"))
        stranger.say(msgpack.packb([1, SEND, 0, 0, *COORDINATOR, 0, 0, b"\xff", []], use_bin_type=False) + b"\x80")
        self.assert_error(unpack_leniently(stranger), "corrupt", 0, "", "UTF-8")
        self.assertEqual(len(honest.ask(COORDINATOR, "Roster", {"with_exited": False})), 1)

    def test_who_never_reads_its_answers_hurts_nobody_else(self):
        honest = self.join_with_greeter()
        for address, record in ((self.greeter_address, self.record()),
                                (self.coordinator_address, self.to_coordinator("Roster", {"with_exited": True}))):
            deaf = Stranger(self, address, rcvhwm=1, sndhwm=0)
            for _ in range(5_000):
                deaf.say(record)
        self.greeted = None
        for _ in range(50):
            self.assertIn("Hello, Ada!", honest.ask(self.greeter, "Greet", {"name": "Ada"}, SECONDS))
            honest.ask(COORDINATOR, "Roster", {"with_exited": False}, SECONDS)
        (ended,) = honest.ask(COORDINATOR, "StopActors",
                              {"actors": [self.greeter], "timeout": 5 * SECOND, "drain": True}, SECONDS)
        self.assertEqual(ended["exit"]["kind"], EXIT_STOPPED)

    def test_an_inbox_that_reads_nothing_costs_its_sender_no_more_than_a_window(self):
        honest = self.join()
        inbox = self.context.socket(zmq.ROUTER)
        inbox.rcvhwm = 1
        address = f"ipc://{self.folder}/deaf.sock"
        inbox.bind(address)
        deaf = Stranger(self, self.coordinator_address)
        deaf.say(self.to_coordinator("Join", join_body(name="deaf", address=address)))
        envelope, body = deaf.hear()
        self.assertEqual(envelope[1], REPLY, body)
        victim = honest.ask(COORDINATOR, "Find", {"name": "deaf"}, SECONDS)["actor"]
        spawned = honest.ask(COORDINATOR, "Spawn", spawn_body("probe", folders=[os.environ["BATON_TESTS_BIN"]]),
                             SECONDS)
        probe = tuple(spawned["actor"])
        before = resident_bytes(spawned["pid"])
        window, ballast = 64 << 20, 64 << 10
        flooded = honest.ask(probe, "Flood", {"other": victim, "count": 10_000, "ballast_bytes": ballast,
                                              "deadline_milliseconds": 200}, SECONDS)
        self.assertEqual(flooded["error"], "overloaded", flooded)
        self.assertIn("deaf", flooded["text"])
        self.assertLessEqual(flooded["taken"] * ballast, window)
        self.assertGreater(flooded["taken"] * ballast, window // 2)
        self.assertLess(flooded["resident_bytes"] - before, 2 * window)
        inbox.close(linger=0)

    def test_a_dropped_connection_that_goes_on_talking_does_not_keep_an_actor_from_stopping(self):
        honest = self.join_with_greeter()
        code = "import sys, zmq; lane = zmq.Context().socket(zmq.DEALER); lane.connect(sys.argv[1]); " \
               "lane.send(b'\\xc1'); lane.recv(); print('dropped', flush=True)\nwhile True: lane.send(b'\\xc1')"
        talkers = [subprocess.Popen([sys.executable, "-c", code, self.greeter_address], stdout=subprocess.PIPE)
                   for _ in range(2)]
        try:
            for talker in talkers:
                self.assertEqual(talker.stdout.readline(), b"dropped\n")
            for _ in range(20):
                self.assert_greets(honest)
            (ended,) = honest.ask(COORDINATOR, "StopActors",
                                  {"actors": [self.greeter], "timeout": 5 * SECOND, "drain": False}, SECONDS)
            self.assertEqual(ended["exit"]["kind"], EXIT_STOPPED)
        finally:
            for talker in talkers:
                talker.kill()
                talker.wait()
                talker.stdout.close()


class Document(ForeignClientTest):
    def test_the_client_in_the_document_is_the_file_and_greets(self):
        (block,) = blocks_of(CONVERSATION, "python")
        self.assertEqual(block, (HERE.parent / "foreign_client.py").read_text())
        ran = subprocess.run([sys.executable, "-c", block], env=self.environment, timeout=SECONDS,
                             capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "Hello, Ada! You are number 1.\n", ""))

    def test_the_first_ask_of_the_first_page_is_answered(self):
        # Method: the program of the page, as it stands there, with the folder of a session as its argument.
        (block,) = blocks_of(FIRST_PAGE, "python")
        self.join().ask(COORDINATOR, "Spawn", spawn_body("greeter"), SECONDS)
        ran = subprocess.run([sys.executable, "-c", block, self.folder], env=self.environment, timeout=SECONDS,
                             capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "Hello, Ada! You are number 1.\n", ""))
        statements = [line for line in block.splitlines() if line.strip() and not line.strip().startswith("#")]
        self.assertLessEqual(len(statements), 22, "the first ask is to be short")

    def test_the_tables_are_those_of_the_headers(self):
        ran = subprocess.run([sys.executable, "-B", ROOT / "tools" / "wire_tables.py", "--check"],
                             capture_output=True, text=True)
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "", ""))

    def test_a_session_is_found_while_it_lives_and_only_then(self):
        os.environ["XDG_RUNTIME_DIR"], before = self.runtime, os.environ.get("XDG_RUNTIME_DIR")
        try:
            self.assertEqual(live_sessions(), [self.folder])
            os.mkdir(os.path.dirname(self.folder) + "/deadsess")
            self.assertEqual(live_sessions(), [self.folder])
            os.rmdir(os.path.dirname(self.folder) + "/deadsess")
            self.coordinator.send_signal(signal.SIGTERM)
            self.coordinator.wait(SECONDS)
            self.assertEqual(live_sessions(), [])
        finally:
            os.environ.pop("XDG_RUNTIME_DIR")
            if before is not None:
                os.environ["XDG_RUNTIME_DIR"] = before

    def test_the_conversation_in_the_document_is_what_is_said(self):
        # Method: the session of the document is made anew, so that all ids are the same. Pids, the session's id and
        # its folder are put in the place of the document's; every other byte must be as it stands there.
        conversation = documented_conversation()
        self.assertEqual(len(conversation), 11)
        setup = self.join("setup")
        greeter = setup.ask(COORDINATOR, "Spawn", spawn_body("greeter"), SECONDS)
        welcome, found, located = (conversation[index][2][1] for index in (1, 3, 5))
        here = {("pid", conversation[0][2][1]["pid"]): os.getpid(),
                ("coordinator_pid", welcome["coordinator_pid"]): setup.welcome["coordinator_pid"],
                ("anchor_pid", welcome["anchor_pid"]): self.coordinator.pid,
                ("pid", found["pid"]): greeter["pid"],
                ("session", welcome["session"]): os.path.basename(self.folder),
                ("address", located["address"]): f"ipc://{self.folder}/3.1.sock"}

        def at_home(value):
            if isinstance(value, list):
                return [at_home(one) for one in value]
            if not isinstance(value, dict):
                return value
            return {key: here.get((key, one), at_home(one)) if not isinstance(one, (dict, list)) else at_home(one)
                    for key, one in value.items()}

        lanes = {}
        for direction, who, (envelope, body), bytes_ in conversation:
            with self.subTest(f"{direction} {who}: {envelope[8]}"):
                # The document's bytes are whole and the shortest there are.
                self.assertEqual(msgpack.packb(envelope) + msgpack.packb(body), bytes_)
                expected = msgpack.packb(envelope) + msgpack.packb(at_home(body))
                if direction == "to":
                    if who not in lanes:
                        lanes[who] = Stranger(self, self.coordinator_address if who == "coordinator"
                                              else f"ipc://{self.folder}/3.1.sock")
                    lanes[who].say(expected)
                    continue
                if envelope[8] == "Exited":
                    setup.ask(COORDINATOR, "StopActors", {"actors": [greeter["actor"]], "timeout": 5 * SECOND,
                                                          "drain": False}, SECONDS)
                self.assertTrue(lanes[who].socket.poll(SECONDS * 1000))
                self.assertEqual(lanes[who].socket.recv().hex(" "), expected.hex(" "))

    def test_the_commands_in_the_document_are_those_of_the_coordinator(self):
        text = re.sub(r"\s+", " ", COMMANDS.read_text() + MESSAGES.read_text())
        protocol = self.join().ask(COORDINATOR, "Find", {"name": "coordinator"})["protocol"]
        self.assertEqual(protocol["name"], "coordinator")
        named = {}
        for command in protocol["commands"]:
            with self.subTest(command["name"]):
                reply = f" -> {spelled(command['reply'], named)}" if command["reply"] else ""
                self.assertIn(f" {command['name']} {spelled(command['fields'], named, spell_out=True)}{reply} ", text)
                self.assertIn(f"**`{command['name']}`**", text)
        self.assertGreater(len(named), 15)
        for name, fields in named.items():
            with self.subTest(name):
                self.assertIn(f" {name} {fields} ", text)


class LedgerPages:
    """The ledger of a session, as docs/wire/ledger.md says; all numbers are read out of its tables.

    Python has no compare-and-swap: compare() is one only as long as nobody else moves the same word.
    """

    FREE, OWNED, OFFERED, LENT, RETIRED = range(5)
    GRANTED, CLAIMED = 1, 2

    def __init__(self, test, session, client):
        self.at = {}
        part = ""
        for cells in re.findall(r"^\| (.+?) \| (.+?) \|", LEDGER.read_text(), re.MULTILINE):
            if cells[1].startswith("at byte"):
                part = cells[0]
            elif match := re.fullmatch(r"`(\w+)`", cells[0]):
                self.at[(part, match[1])] = cells[1]
        self.at = {key: int(value) for key, value in self.at.items() if value.isdigit()}
        self.session, self.client, self.number = session, client, client.id[0]
        self.descriptor = os.open(f"/dev/shm/baton-{session}-ledger", os.O_RDWR)
        test.addCleanup(os.close, self.descriptor)
        test.assertEqual(os.fstat(self.descriptor).st_size, self.at[("part", "end")])
        self.pages = mmap.mmap(self.descriptor, self.at[("part", "end")])
        test.addCleanup(self.pages.close)
        self.test = test
        self.epochs = {}

    def place(self, part, row, field):
        table, bytes_ = {"actor": ("actors", 4096), "segment": ("segments", 64), "lease": ("leases", 64),
                         "name": ("names", 512)}[part]
        kind = {"actor": "row of an actor", "segment": "row of a segment", "lease": "row of a lease",
                "name": "row of a name"}[part]
        return self.at[("part", table)] + row * bytes_ + self.at[(kind, field)]

    def header(self, field, index=0):
        return self.at[("header", field)] + index * 8

    def read(self, place):
        return struct.unpack_from("<Q", self.pages, place)[0]

    def write(self, place, value):
        struct.pack_into("<Q", self.pages, place, value)

    def compare(self, place, before, after):
        self.test.assertEqual(self.read(place), before)
        self.write(place, after)

    def move(self, part, row, before, after):
        """From (phase, holder, other) to another, at the next epoch, which it answers."""
        place = self.place(part, row, "word")
        epoch = self.read(place) >> 25

        def word(state, epoch):
            return epoch << 25 | state[2] << 14 | state[1] << 3 | state[0]

        self.compare(place, word(before, epoch), word(after, epoch + 1))
        return epoch + 1

    def mark(self, part, row, actor):
        """That rows of this block may name the actor, before one does."""
        place = (self.at[("part", "marks")] + actor * 4352 + self.at[("row of marks", f"{part}s")] +
                 row // 64 // 64 * 8)
        self.write(place, self.read(place) | 1 << row // 64 % 64)

    def claim_block(self, part):
        homes, used = f"{part}_homes", f"{part}_blocks_used"
        blocks = {"segment": 32768, "lease": 2048}[part]
        block = next(block for block in range(blocks) if self.read(self.header(homes, block)) == 0)
        page = self.at[("part", f"{part}s")] + block * 4096
        os.posix_fallocate(self.descriptor, page, 4096)
        self.write(self.header(used), max(block + 1, self.read(self.header(used))))
        self.compare(self.header(homes, block), 0, self.number)
        return block * 64

    def counted(self, what, slot, transition):
        fields = {"created": 1, "released": 2}
        count = self.place("actor", self.number, "counts") + 8 * (fields[what] - 1)
        intent = self.place("actor", self.number, "intent")
        for place, value in ((intent + 8, slot), (intent + 16, self.read(self.place("segment", slot, "word"))),
                             (intent + 24, self.read(count)), (intent, fields[what])):
            self.write(place, value)
        epoch = transition()
        self.write(count, self.read(count) + 1)
        self.write(intent, 0)
        return epoch

    def create(self, slot, data):
        taken = self.header("home_bytes", self.number)
        self.write(taken, self.read(taken) + 4096)
        generation = self.read(self.place("segment", slot, "generation")) + 1
        self.write(self.place("segment", slot, "generation"), generation)
        self.write(self.place("segment", slot, "place_bytes"), 0)
        self.counted("created", slot,
                     lambda: self.move("segment", slot, (self.FREE, 0, 0), (self.OWNED, self.number, 0)))
        self.write(self.place("segment", slot, "used_bytes"), len(data))
        memory = os.open(f"/dev/shm/baton-{self.session}-{slot}-{generation}", os.O_RDWR | os.O_CREAT | os.O_EXCL,
                         0o600)
        try:
            os.posix_fallocate(memory, 0, 4096)
            os.pwrite(memory, data, 0)
        finally:
            os.close(memory)
        self.write(self.place("segment", slot, "bytes"), 4096)

    def give(self, slot, heir):
        self.mark("segment", slot, heir[0])
        epoch = self.move("segment", slot, (self.OWNED, self.number, 0), (self.OFFERED, self.number, heir[0]))
        self.test.assertEqual(self.read(self.header("life", heir[0])), heir[0] << 32 | heir[1])
        return epoch

    def content(self, slot, bytes_):
        """Of an object of its own, or of its place on a shelf."""
        generation, place_bytes, has = (self.read(self.place("segment", slot, field))
                                        for field in ("generation", "place_bytes", "bytes"))
        self.test.assertLessEqual(bytes_, has)
        name, start = f"{slot}-{generation}", 0
        if place_bytes != 0:
            self.test.assertIn(place_bytes, [64 << power for power in range(7)])
            name, start = f"shelf-{slot // 64 * 64}-{generation}", slot % 64 * place_bytes
        with open(f"/dev/shm/baton-{self.session}-{name}", "rb") as memory:
            if place_bytes != 0:
                self.test.assertEqual(os.fstat(memory.fileno()).st_size, 64 * place_bytes)
            memory.seek(start)
            return memory.read(bytes_)

    def accept(self, slot, sender, bytes_):
        data = self.content(slot, bytes_)
        self.move("segment", slot, (self.OFFERED, sender[0], self.number), (self.OWNED, self.number, 0))
        return data

    def release(self, slot):
        self.write(self.place("segment", slot, "first_lease"), 0)
        self.counted("released", slot,
                     lambda: self.move("segment", slot, (self.OWNED, self.number, 0), (self.RETIRED, self.number, 0)))

    def lend(self, slot, lease, borrower, bytes_):
        self.write(self.place("segment", slot, "first_lease"), 0)
        epoch = self.move("segment", slot, (self.OWNED, self.number, 0), (self.LENT, self.number, 0))
        for field, value in (("segment", slot), ("segment_epoch", epoch), ("kind", 0), ("offset", 0), ("bytes", bytes_),
                             ("next", 0), ("unlisted", 0)):
            self.write(self.place("lease", lease, field), value)
        self.write(self.place("segment", slot, "first_lease"), lease + 1)
        self.mark("lease", lease, borrower[0])
        self.move("lease", lease, (self.FREE, 0, 0), (self.GRANTED, self.number, borrower[0]))

    def bucket(self, name):
        hash_ = 0xCBF29CE484222325
        for byte in name:
            hash_ = (hash_ ^ byte) * 0x100000001B3 % (1 << 64)
        return self.header("buckets", hash_ % 1024)

    def find(self, name):
        row = self.read(self.bucket(name)) - 1
        while row >= 0:
            start = self.place("name", row, "name")
            if self.pages[start:start + self.read(self.place("name", row, "name_bytes"))] == name:
                return row
            row = self.read(self.place("name", row, "next")) - 1
        return None

    def publish(self, name, slot, bytes_):
        row = self.find(name)
        if row is None:
            row = self.read(self.header("names_used"))
            os.posix_fallocate(self.descriptor, self.place("name", row, "word") // 4096 * 4096, 4096)
            self.compare(self.header("names_used"), row, row + 1)
            start = self.place("name", row, "name")
            self.pages[start:start + 200] = name.ljust(200, b"\0")
            self.write(self.place("name", row, "name_bytes"), len(name))
            first = self.read(self.bucket(name))
            self.write(self.place("name", row, "next"), first)
            self.compare(self.bucket(name), first, row + 1)
        word = self.place("name", row, "word")
        epoch = self.read(word) >> 35
        self.compare(word, epoch << 35, (epoch + 1) << 35 | slot << 14 | self.number << 3 | 1)
        lend = self.read(self.place("segment", slot, "word")) >> 25
        for field, value in (("kind", 0), ("lend", lend), ("bytes_leased", bytes_), ("dimensions", 1),
                             ("type_bytes", 3)):
            self.write(self.place("name", row, field), value)
        self.write(self.place("name", row, "shape"), bytes_)
        start = self.place("name", row, "type")
        self.pages[start:start + 184] = b"|u1".ljust(184, b"\0")
        self.write(self.place("segment", slot, "published"), lend + 1)
        self.compare(word, (epoch + 1) << 35 | slot << 14 | self.number << 3 | 1,
                     (epoch + 2) << 35 | slot << 14 | self.number << 3 | 2)
        return row

    def attach(self, name, lease):
        row = self.find(name)
        word = self.read(self.place("name", row, "word"))
        self.test.assertEqual(word & 7, 2)
        owner, slot = word >> 3 & 0x7FF, word >> 14 & 0x1FFFFF
        lend, bytes_ = (self.read(self.place("name", row, field)) for field in ("lend", "bytes_leased"))
        for field, value in (("segment", slot), ("segment_epoch", lend),
                             ("kind", self.read(self.place("name", row, "kind"))),
                             ("offset", 0), ("bytes", bytes_), ("unlisted", 1)):
            self.write(self.place("lease", lease, field), value)
        self.move("lease", lease, (self.FREE, 0, 0), (self.CLAIMED, owner, self.number))
        self.test.assertEqual(self.read(self.place("name", row, "word")), word)
        self.test.assertEqual(self.read(self.place("segment", slot, "word")), lend << 25 | owner << 3 | self.LENT)
        return owner, self.content(slot, bytes_)


class Ledger(ForeignClientTest):
    def rows(self, client):
        """Of each segment: its state, owner, heir and bytes."""
        listed = client.ask(COORDINATOR, "Segments", {"rows_max": 100})
        self.assertEqual(listed["alive"], len(listed["rows"]))
        return {row["slot"]: (row["state"], tuple(row["owner"]), tuple(row["heir"]), row["bytes"])
                for row in listed["rows"]}

    def assert_sound(self, client):
        self.assertEqual(client.ask(COORDINATOR, "Audit", {}), [])

    def test_segments_are_made_given_lent_and_inherited_by_what_the_document_says(self):
        # Goal: the tables and steps of docs/wire/ledger.md are all that a client needs.
        # Method: two clients that know nothing else, and what the coordinator sees after each step. That created is
        # released in the end, and no memory is left, is looked at when the coordinator ends.
        giver, taker = self.join("giver"), self.join("taker")
        giving = LedgerPages(self, giver.welcome["session"], giver)
        taking = LedgerPages(self, taker.welcome["session"], taker)
        self.assertEqual(giving.pages[:8], b"BATON\0\0\0")
        self.assertEqual(giving.read(giving.header("version")), 5)
        for client in (giver, taker):
            self.assertEqual(giving.read(giving.header("life", client.id[0])), client.id[0] << 32 | client.id[1])
            self.assertGreater(giving.read(giving.header("budget", client.id[0])), 1 << 40)

        first = giving.claim_block("segment")
        for slot, data in ((first, b"a gift"), (first + 1, b"never accepted"), (first + 2, b"lent")):
            giving.create(slot, data)
        self.assertEqual(self.rows(giver),
                         {first: ("owned", giver.id, NOBODY, 6), first + 1: ("owned", giver.id, NOBODY, 14),
                                            first + 2: ("owned", giver.id, NOBODY, 4)})
        listed = taker.ask(COORDINATOR, "Segments", {"rows_max": 0})
        self.assertEqual((listed["rows"], listed["alive"], listed["bytes"]), ([], 3, 3 * 4096))
        self.assertEqual(listed["budget_bytes"], giving.read(giving.header("session_budget")))

        giving.give(first, taker.id)
        self.assertEqual(self.rows(giver)[first], ("offered", giver.id, taker.id, 6))
        self.assertEqual(taking.accept(first, giver.id, 6), b"a gift")
        self.assertEqual(self.rows(giver)[first], ("owned", taker.id, NOBODY, 6))

        lease = giving.claim_block("lease")
        giving.lend(first + 2, lease, taker.id, 4)
        giving.give(first + 1, taker.id)
        self.assert_sound(giver)
        taking.move("lease", lease, (taking.GRANTED, giver.id[0], taker.id[0]),
                    (taking.CLAIMED, giver.id[0], taker.id[0]))

        # What it owned is released, what it had lent stays as long as it is read, what it had given waits for Drained.
        giver.leave()
        ended = taker.ask(COORDINATOR, "Await", {"actor": giver.id}, SECONDS)
        held = ended["exit"]["held"]
        self.assertEqual({key: held[key] for key in ("segments", "bytes", "sent", "incoming", "leases")},
                         {"segments": 1, "bytes": 4, "sent": 1, "incoming": 0, "leases": 0})
        # Drain came before the answer, Drained went before this:
        taker.ask(COORDINATOR, "Roster", {"with_exited": False})
        rows = self.rows(taker)
        self.assertEqual(rows[first + 2][0], "retired")
        self.assertNotIn(rows.get(first + 1, ("free",))[0], ("owned", "offered"))
        self.assert_sound(taker)
        taking.move("lease", lease, (taking.CLAIMED, giver.id[0], taker.id[0]), (taking.FREE, 0, 0))
        taking.release(first)
        taker.leave()

    def test_a_session_that_does_not_balance_ends_with_3(self):
        # Goal: a segment that was lost would be seen. Method: a member counts one more than it has made.
        honest = self.join()
        pages = LedgerPages(self, honest.welcome["session"], honest)
        created = pages.place("actor", honest.id[0], "counts")
        pages.write(created, pages.read(created) + 1)
        honest.leave()
        self.code = 3

    def test_a_segment_is_published_and_attached_to_by_what_the_document_says(self):
        # Goal: the tables and steps N1, N2 and L7 are all that a client needs.
        # Method: two clients that know nothing else; the owner leaves, and its name with it, while the other reads.
        owner, reader = self.join("owner"), self.join("reader")
        publishing = LedgerPages(self, owner.welcome["session"], owner)
        attaching = LedgerPages(self, reader.welcome["session"], reader)
        slot = publishing.claim_block("segment")
        publishing.create(slot, b"to be read")
        publishing.move("segment", slot, (publishing.OWNED, owner.id[0], 0), (publishing.LENT, owner.id[0], 0))
        row = publishing.publish(b"the-board", slot, 10)
        self.assertIsNone(attaching.find(b"another"))
        listed, = reader.ask(COORDINATOR, "Segments", {"rows_max": 10})["rows"]
        self.assertEqual((listed["name"], listed["leases"]), ("the-board", 0))
        lease = attaching.claim_block("lease")
        self.assertEqual(attaching.attach(b"the-board", lease), (owner.id[0], b"to be read"))
        self.assertEqual(reader.ask(COORDINATOR, "Segments", {"rows_max": 10})["rows"][0]["leases"], 1)
        self.assert_sound(reader)

        owner.leave()
        reader.ask(COORDINATOR, "Await", {"actor": owner.id}, SECONDS)
        self.assertEqual(attaching.read(attaching.place("name", row, "word")) & ((1 << 35) - 1), 0)
        self.assertEqual(self.rows(reader)[slot][0], "retired")
        self.assert_sound(reader)
        attaching.move("lease", lease, (attaching.CLAIMED, owner.id[0], reader.id[0]), (attaching.FREE, 0, 0))
        reader.leave()

    def test_a_handle_that_the_ledger_does_not_bear_out_is_refused(self):
        honest = self.join_with_greeter()
        forged = [1, 0, 1, "|u1", [4]]
        stranger = Stranger(self, self.greeter_address)
        body = msgpack.packb({"name": "Eve"})

        def carrying(kind, sequence, ask_id, receiver, tag, body):
            return msgpack.packb([1, kind, 0, 0, *receiver, sequence, ask_id, tag, [forged]]) + body

        stranger.say(carrying(ASK, 1, 7, self.greeter, "Greet", body))
        self.assert_error(stranger.hear(), "refused", 7, "Greet", "a handle that the body does not refer to")
        stranger.say(carrying(SEND, 2, 0, self.greeter, "Greet", body))
        envelope, why = stranger.hear()
        self.assertEqual((envelope[1], envelope[6:9], why["kind"]), (ERROR, [2, 0, "Greet"], "refused"))
        stranger.say(carrying(ASK, 3, 7, self.greeter, "Greet",
                              msgpack.packb({"name": msgpack.ExtType(1, bytes(4))})))
        self.assert_error(stranger.hear(), "refused", 7, "Greet", "expected string, got segment")
        stranger.say(carrying(ASK, 4, 7, self.greeter, "baton.Sync", b"\xc0"))
        self.assertEqual(stranger.hear()[0][1], REPLY)
        self.assert_greets(honest)
        stranger = Stranger(self, self.coordinator_address)
        stranger.say(carrying(ASK, 1, 7, COORDINATOR, "Roster", msgpack.packb({"with_exited": False})))
        self.assert_error(stranger.hear(), "unsupported", 7, "Roster", "takes part in no ledger")
        self.assert_sound(honest)

    def test_whatever_a_member_writes_into_its_rows_its_exit_is_settled_and_the_session_ends(self):
        # Goal: no bits in the ledger keep the coordinator from its work; SIGTERM, in tearDown, ends it as ever.
        # Method: words that no transition writes, and a list of leases that is a ring; then their writer leaves.
        honest, hostile = self.join("honest"), self.join("hostile")
        pages = LedgerPages(self, hostile.welcome["session"], hostile)
        me, other = hostile.id[0], honest.id[0]
        slot, lease = pages.claim_block("segment"), pages.claim_block("lease")
        os.posix_fallocate(pages.descriptor, pages.place("name", 0, "word"), 8192)
        words = [(phase, me, 0) for phase in (5, 6, 7)] + [
            (pages.OWNED, other, me), (pages.LENT, other, me), (pages.OFFERED, me, 0), (pages.OFFERED, 0, me),
            (pages.OFFERED, me, me), (pages.OWNED, me, other), (pages.OWNED, 2047, 0), (pages.LENT, 77, me),
            (7, 2047, 2047)]
        for row, (phase, holder, partner) in enumerate(words):
            pages.write(pages.place("segment", slot + row, "word"), 9 << 25 | partner << 14 | holder << 3 | phase)
            pages.write(pages.place("segment", slot + row, "since"), (1 << 64) - 1)
            pages.write(pages.place("segment", slot + row, "first_lease"), lease + 1)
            pages.write(pages.place("lease", lease + row, "next"), lease + 1 + (row + 1) % len(words))
            pages.write(pages.place("lease", lease + row, "segment"), slot + row)
            pages.write(pages.place("lease", lease + row, "word"), 9 << 25 | partner << 14 | holder << 3 | phase)
            pages.write(pages.place("name", row, "word"), 9 << 35 | slot << 14 | holder << 3 | phase)
        pages.write(pages.header("names_used"), len(words))
        hostile.leave()
        self.assertEqual(honest.ask(COORDINATOR, "Await", {"actor": hostile.id}, SECONDS)["name"], "hostile")
        self.assertEqual({row[:3] for row in self.rows(honest).values()},
                         {("owned", honest.id, NOBODY), ("lent", honest.id, NOBODY)})
        self.assert_sound(honest)
        honest.leave()

    def test_a_pid_that_is_another_s_does_not_keep_an_heir_waiting(self):
        # Goal: what a member leaves is settled, whichever process it has said it was.
        # Method: it offers something to the greeter, says nothing of it and leaves; so only the greeter's Drained ends
        # it.
        honest = self.join_with_greeter()
        pids = {row["name"]: row["pid"] for row in honest.ask(COORDINATOR, "Roster", {"with_exited": False})}
        for whose, pid in (("the coordinator's", self.coordinator.pid), ("the heir's", pids["greeter"]),
                           ("another member's", os.getpid()), ("unknown", 0)):
            with self.subTest(whose=whose):
                with unittest.mock.patch("os.getpid", return_value=pid):
                    leaver = self.join("leaver")
                pages = LedgerPages(self, leaver.welcome["session"], leaver)
                slot = pages.claim_block("segment")
                pages.create(slot, b"lost")
                pages.give(slot, self.greeter)
                leaver.leave()
                ends = time.monotonic() + SECONDS
                while self.rows(honest).get(slot, ("settled",))[0] == "offered":
                    self.assertLess(time.monotonic(), ends, "it is never settled")
        self.assert_greets(honest)
        self.assert_sound(honest)

    def test_drained_is_taken_only_over_the_connection_that_joined(self):
        honest = self.join()
        stranger = Stranger(self, self.coordinator_address)
        for sender in (NOBODY, honest.id):
            stranger.say(self.to_coordinator("Drained", {"actor": honest.id}, sender=sender))
            self.assert_error(stranger.hear(), "gone", 7, "Drained", "has not joined")
        self.assertIsNone(honest.ask(COORDINATOR, "Drained", {"actor": (99, 1)}))

    def test_who_holds_memory_is_asked_to_trim_and_nobody_else(self):
        honest = self.join()
        holder, other = Stranger(self, self.coordinator_address), Stranger(self, self.coordinator_address)
        for stranger in (holder, other):
            stranger.say(self.to_coordinator("Join", join_body(name="pool")))
            stranger.id = tuple(stranger.hear()[1]["you"])
        pages = LedgerPages(self, honest.welcome["session"], holder)
        pages.create(pages.claim_block("segment"), b"kept for later")
        honest.send(COORDINATOR, "MemoryShort", {})
        envelope, _ = holder.hear()
        self.assertEqual((envelope[1], envelope[8]), (NOTICE, "Trim"))
        other.say(self.to_coordinator("Roster", {"with_exited": False}))  # behind what it would have heard before
        self.assertEqual(other.hear()[0][1], REPLY)


class Golden(unittest.TestCase):
    def test_every_golden_line_decodes_to_what_encodes_to_it(self):
        if not GOLDEN_FILE.exists():
            self.skipTest(f"{GOLDEN_FILE.name} does not exist yet")
        lines = [line.split() for line in GOLDEN_FILE.read_text().splitlines() if line and not line.startswith("#")]
        self.assertTrue(lines)
        for name, hex_ in lines:
            with self.subTest(name):
                bytes_ = bytes.fromhex(hex_)
                unpacker = msgpack.Unpacker(strict_map_key=False, timestamp=0)
                unpacker.feed(bytes_)
                values = list(unpacker)
                self.assertEqual(len(values), 2 if name.startswith("record.") else 1)
                self.assertEqual(b"".join(msgpack.packb(value) for value in values), bytes_)
                if name.startswith("record."):
                    kind = {"send": SEND, "gift": SEND, "ask": ASK, "loan": ASK, "reply": REPLY, "error": ERROR,
                            "refusal": ERROR, "notice": NOTICE}[name[7:]]
                    self.assertEqual((len(values[0]), values[0][:2]), (10, [1, kind]))


def blocks_of(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def documented_conversation():
    """(to or from, whom, record, bytes) of each message; what follows two blanks in a line is for people."""
    blocks = re.findall(r"^```hex (to|from) the (\w+)\n(.*?)^```$", CONVERSATION.read_text(), re.DOTALL | re.MULTILINE)
    messages = []
    for direction, who, block in blocks:
        bytes_ = bytes.fromhex("".join(line.split("  ")[0] for line in block.splitlines()))
        (record,) = unpack_records(bytes_)
        messages.append((direction, who, record, bytes_))
    return messages


def spelled(type_, named, spell_out=False):
    """A type as the document writes it; what has a name of its own there goes into `named`."""
    parts = [(part["name"], spelled(part["type"], named)) for part in type_["parts"]]
    if type_["kind"] == "list":
        return f"[{parts[0][1]}]"
    if type_["kind"] == "optional":
        return f"optional {parts[0][1]}"
    if type_["kind"] == "map":
        return f"{{{parts[0][1]}: {parts[1][1]}}}"
    if type_["kind"] == "same":
        return type_["name"]
    if type_["kind"] != "struct":
        return type_["kind"]
    text = "{" + ", ".join(f"{name}: {inner}" for name, inner in parts) + "}"
    if spell_out:
        return text
    named[type_["name"]] = text
    return type_["name"]


def fingerprint(protocol):
    def shape(type_):
        text = type_["kind"]
        if type_["kind"] in ("same", "ref"):
            text += ":" + type_["name"]
        if type_["kind"] == "array":
            text += str(type_["count"])
        if type_["kind"] == "enum" or not type_["parts"]:
            return text
        return text + "{" + "".join(f"{part['name']}:{shape(part['type'])}," for part in type_["parts"]) + "}"

    lines = sorted((f"{command['name']}={shape(command['fields'])}"
                    + (f"->{shape(command['reply'])}" if command["reply"] else "") + "\n").encode()
                   for command in protocol["commands"])
    number = 0xCBF29CE484222325
    for byte in b"".join(lines):
        number = (number ^ byte) * 0x100000001B3 % (1 << 64)
    return number or 1


def unpack_leniently(stranger):
    if not stranger.socket.poll(SECONDS * 1000):
        raise AssertionError("nothing came back")
    unpacker = msgpack.Unpacker(unicode_errors="surrogateescape")
    unpacker.feed(stranger.socket.recv())
    return tuple(unpacker)


def be_an_actor():
    """What a coordinator spawns: answers Echo, and on Stop says that three Rests of the asker were left unread."""
    folder = os.environ["BATON_SESSION"]
    me = tuple(int(part) for part in os.environ["BATON_ACTOR"].split("."))
    address = f"ipc://{folder}/{me[0]}.{me[1]}.sock"
    context = zmq.Context()
    inbox = context.socket(zmq.ROUTER)
    inbox.bind(address)
    control = Lane(context, COORDINATOR, f"ipc://{folder}/coordinator.sock")
    nothing = {"kind": "nothing", "name": "", "count": 0, "parts": []}
    list_ = {"kind": "list", "name": "", "count": 0, "parts": [{"name": "", "type": nothing}]}
    protocol = {"name": "echo", "commands": [
        {"name": "Echo", "reply": list_,
         "fields": {"kind": "struct", "name": "Echo", "count": 0, "parts": [{"name": "words", "type": list_}]}}]}
    control.put(ASK, me, 1, "Join", dict(join_body(me, "", address, os.getpid()), protocol=protocol))
    asker = "nobody"
    while True:
        poller = zmq.Poller()
        poller.register(inbox, zmq.POLLIN)
        poller.register(control.socket, zmq.POLLIN)
        ready = dict(poller.poll(SECONDS * 1000))
        if not ready:
            sys.exit("nobody has spoken")
        if control.socket in ready:
            for envelope, body in unpack_records(control.socket.recv()):
                if envelope[1] == ERROR:
                    sys.exit(body["text"])
                if envelope[8] == "Join":
                    control.put(SEND, me, 0, "Ready", {})
                elif envelope[8] == "Stop":
                    control.put(ASK, me, 2, "Leave", {"dead_letters": [{"from": asker, "command": "Rest", "count": 3}]})
                elif envelope[8] == "Leave":
                    context.destroy(linger=1000)
                    return
        if inbox in ready:
            route, frame = inbox.recv_multipart()
            for (_, kind, *ids, _, ask_id, tag, _), body in unpack_records(frame):
                sender, asker = ids[:2], f"{ids[0]}.{ids[1]}"
                if kind != ASK:
                    continue
                answer = (REPLY, body["words"]) if tag == "Echo" else (
                    ERROR, {"kind": "unsupported", "text": f"echo knows no command '{tag}'", "type": "", "frames": []})
                inbox.send_multipart([route, pack_record(answer[0], me, sender, 0, ask_id, tag, answer[1])])


if __name__ == "__main__":
    if sys.argv[1:] == ["be-an-actor"]:
        be_an_actor()
    else:
        unittest.main()
