"""Goal: no size and no text that anybody says ends another process, or keeps others from learning of a death.

Method: a real coordinator and a real greeter, and clients made of ZeroMQ and msgpack alone, as in
foreign_client_test.py.
"""

import mmap
import os
import re
import time
import unittest

import foreign_client_test as wire
from foreign_client import ASK, COORDINATOR, ERROR, NOBODY, REPLY, SECOND, Failure, pack_record, unpack_records
from foreign_client_test import EXIT_LEFT, FRAME_BYTES_MAX, MEBIBYTE, SECONDS, Stranger, join_body, spawn_body

EXITS_KEPT = 4096
PAGE_START = {"number": 0, "exits": 0}
TEXT_BYTES = 256
# Rows of the vitals are not part of the wire: where their texts begin is what the header says, words of 64 bits first.
VITALS = (wire.HERE.parents[2] / "runtime/vitals/vitals.hpp").read_text()
LIMITS = (wire.HERE.parents[2] / "runtime/include/baton/limits.hpp").read_text()
PAGE_BYTES = int(re.search(r"page_bytes = (\d+);", VITALS)[1])
# A page, then whole pages with a place of 64 bytes for each number.
ROW_BYTES = (int(re.search(r" actors_max = ([\d']+);", LIMITS)[1].replace("'", "")) // 64 + 2) * PAGE_BYTES
WORDS = re.findall(r"std::atomic<std::u?int64_t> (\w+);",
                   VITALS.split("struct VitalsRow")[1].split("char in_hand")[0].split("struct Withdrawn")[0])
IN_HAND_SINCE, IN_HAND, LAST_WORDS = 8 * WORDS.index("in_hand_since"), 8 * len(WORDS), 8 * len(WORDS) + TEXT_BYTES


class HostileBytes(wire.ForeignClientTest):
    # ---- sizes

    def test_a_tag_as_large_as_a_message_ends_nobody(self):
        honest = self.join_with_greeter()
        for address, receiver in ((self.greeter_address, self.greeter), (self.coordinator_address, COORDINATOR)):
            for size in (1025, MEBIBYTE, FRAME_BYTES_MAX - 34, FRAME_BYTES_MAX - 100):
                stranger = Stranger(self, address)
                stranger.say(pack_record(ASK, NOBODY, receiver, 0, 7, "T" * size, None))
                self.assert_error(stranger.hear(), "corrupt", 0, "", "tag_bytes_max")
        self.assert_greets(honest)
        self.assertEqual(len(honest.ask(COORDINATOR, "Roster", {"with_exited": False})), 2)

    def test_dead_letters_that_grow_by_names_are_cut_and_counted(self):
        watcher = self.join("watcher")
        leaver = self.join("l" * 195)
        watcher.ask(COORDINATOR, "Watch", {"actor": leaver.id})
        letters = [{"from": "3.1", "command": "c" * 700, "count": 2} for _ in range(1024)]
        leaver.ask(COORDINATOR, "Leave", {"dead_letters": letters}, SECONDS)
        while leaver.id not in watcher.exited:
            self.assertTrue(watcher.take(SECONDS))
        told = watcher.exited[leaver.id]["dead_letters"]
        self.assertEqual(sum(letter["count"] for letter in told), 2048)
        self.assertEqual(len(told), 129)
        self.assertEqual(told[-1]["from"], "")
        self.assertLessEqual(max(len(letter["command"]) for letter in told), 200)

    # ---- text

    def leave_with_a_row_of(self, text):
        """A member whose row of the vitals says so, and that goes without a word; what its watcher is told."""
        watcher = self.join("watcher")
        client = self.join("row")
        path = f"/dev/shm/baton-{client.welcome['session']}-vitals"
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            row = (client.id[0] - 1) * ROW_BYTES
            memory[row + IN_HAND:row + IN_HAND + len(text)] = text
            memory[row + LAST_WORDS:row + LAST_WORDS + len(text)] = text
            memory[row + IN_HAND_SINCE] = 1
        watcher.ask(COORDINATOR, "Watch", {"actor": client.id})
        rows = watcher.ask(COORDINATOR, "Roster", {"with_exited": False})  # unpacked strictly: text is UTF-8
        in_hand = next(row["in_hand"] for row in rows if tuple(row["actor"]) == client.id)
        client.leave()
        while client.id not in watcher.exited:
            self.assertTrue(watcher.take(SECONDS))
        self.assertEqual(watcher.exited[client.id]["in_hand"], in_hand)
        self.assertEqual(watcher.ask(COORDINATOR, "Await", {"actor": client.id})["exit"]["in_hand"], in_hand)
        self.assertEqual(len(watcher.ask(COORDINATOR, "Roster", {"with_exited": True})), 2)
        return in_hand

    def test_a_command_in_hand_that_is_cut_within_a_character_is_told_nevertheless(self):
        self.assertEqual(self.leave_with_a_row_of("Hold\u00e9".encode()[:-1] + b"\0"), "Hold\ufffd")

    def test_a_row_of_any_bytes_without_an_end_is_told_as_text(self):
        in_hand = self.leave_with_a_row_of(b"\xff" * 256)
        self.assertEqual(set(in_hand), {"\ufffd"})

    def test_names_that_a_terminal_would_obey_are_refused(self):
        for name in ("a\u202eb", "a\u0085b", "a\x9bb", "a\x1bb", "a\0b", "a b", "a/b", "a\u2028b"):
            stranger = Stranger(self, self.coordinator_address)
            stranger.say(pack_record(ASK, NOBODY, COORDINATOR, 1, 7, "Join", join_body(name=name)))
            envelope, body = stranger.hear()
            self.assertEqual((envelope[1], body["kind"]), (ERROR, "refused"), name)
            self.assertTrue(body["text"].isprintable(), body["text"])

    def test_an_argument_with_a_zero_byte_is_refused_and_never_cut(self):
        honest = self.join()
        for body in (spawn_body("greeter", arguments=["one", "tw\0o"]), spawn_body("gree\0ter"),
                     spawn_body("greeter", name="a\0b")):
            with self.assertRaisesRegex(Failure, "refused"):
                honest.ask(COORDINATOR, "Spawn", body, SECONDS)

    # ---- addresses and references

    def test_an_inbox_lies_in_the_folder_of_the_session_and_nowhere_else(self):
        outside = ["tcp://127.0.0.1:4711", "ipc:///tmp/elsewhere.sock", "inproc://x", "nonsense", "ipc://@abstract",
                   f"ipc://{self.folder}", f"ipc://{self.folder}/", f"ipc://{self.folder}/.sock", f"ipc://{self.folder}/a.socket",
                   f"ipc://{self.folder}/../a.sock", f"ipc://{self.folder}/sub/a.sock", f"ipc://{self.folder}/a\0.sock",
                   f"ipc://{self.folder}//a.sock", f"ipc://{self.folder}x/a.sock", f"IPC://{self.folder}/a.sock",
                   f" ipc://{self.folder}/a.sock", f"ipc://{self.folder}/{'a' * 200}.sock", self.coordinator_address]
        for address in outside:
            stranger = Stranger(self, self.coordinator_address)
            stranger.say(pack_record(ASK, NOBODY, COORDINATOR, 1, 7, "Join", join_body(name="x", address=address)))
            envelope, body = stranger.hear()
            self.assertEqual((envelope[1], body["kind"]), (ERROR, "refused"), address)
            self.assertIn("can't be the address of an inbox", body["text"])
        stranger = Stranger(self, self.coordinator_address)
        stranger.say(pack_record(ASK, NOBODY, COORDINATOR, 1, 7, "Join", join_body(name="x", address=f"ipc://{self.folder}/fine.sock")))
        self.assertEqual(stranger.hear()[0][1], REPLY)

    def test_a_reference_of_another_session_is_refused_and_stops_nobody(self):
        honest = self.join_with_greeter()
        mine = os.path.basename(self.folder)
        other = (*self.greeter, "zzzzzzzz")
        for tag, body in (("StopActors", {"actors": [other], "timeout": SECOND, "drain": False}),
                          ("Locate", {"actor": other}),
                          ("Watch", {"actor": other}), ("Await", {"actor": other}), ("Drained", {"actor": other}),
                          ("Signal", {"actor": other, "signal": 9})):
            with self.assertRaisesRegex(Failure, f"refused: .*zzzzzzzz.*{mine}", msg=tag):
                honest.ask(COORDINATOR, tag, body, SECONDS)
        self.assertEqual(honest.ask(COORDINATOR, "Locate", {"actor": (*self.greeter, mine)})["name"], "greeter")
        self.assert_greets(honest)

    # ---- rosters

    def exit_many(self, count):
        """`count` outsiders come and go, each with a long name."""
        begin = time.monotonic()
        for number in range(count):
            if number == 100 and time.monotonic() - begin > 5:  # as with sanitizers
                self.skipTest(f"{count} exits take too long here: 100 took {time.monotonic() - begin:.0f} s")
            stranger = self.context.socket(wire.zmq.DEALER)
            stranger.linger = 0
            stranger.connect(self.coordinator_address)
            stranger.send(pack_record(ASK, NOBODY, COORDINATOR, 1, 1, "Join", join_body(name=f"{number}-" + "n" * 150)))
            ((_, welcome),) = unpack_records(stranger.recv())
            self.assertIn("you", welcome, f"the {number}th was refused: {welcome}")
            stranger.send(pack_record(ASK, tuple(welcome["you"]), COORDINATOR, 2, 2, "Leave", {"dead_letters": []}))
            stranger.recv()
            stranger.close()

    def test_a_session_with_more_exits_than_are_kept_is_told_in_pages_and_can_be_stopped(self):
        honest = self.join_with_greeter()
        self.exit_many(EXITS_KEPT + 100)
        rows = honest.ask(COORDINATOR, "Roster", {"with_exited": True}, SECONDS)
        self.assertEqual([row["name"] for row in rows[:2]], ["honest", "greeter"])
        self.assertTrue(rows[-1]["name"].startswith(f"{EXITS_KEPT + 99}-"), rows[-1]["name"])

        told, place, pages = [], PAGE_START, 0
        while place is not None:
            page = honest.ask(COORDINATOR, "RosterFrom", {"with_exited": True, "place": place}, SECONDS)
            told += page["rows"]
            place = page["next"]
            pages += 1
        self.assertGreater(pages, 1)
        self.assertEqual(len(told), 2 + EXITS_KEPT)
        self.assertEqual([row["name"].split("-")[0] for row in told[2:]],
                         [str(number) for number in range(100, EXITS_KEPT + 100)])
        self.assertEqual({row["exit"]["kind"] for row in told[2:]}, {EXIT_LEFT})

        # Everybody of the session's life is named: the forgotten ones do not keep the greeter from being stopped.
        everybody = [(number, life) for life in range(1, 3) for number in range(4, 2048)] + [self.greeter]
        ended = honest.ask(COORDINATOR, "StopActors",
                           {"actors": everybody, "timeout": SECONDS * SECOND, "drain": False}, 2 * SECONDS)
        names = [one["name"] for one in ended]
        self.assertIn("greeter", names)
        self.assertGreater(len(names), 1000)
        with self.assertRaisesRegex(Failure, "gone: no actor 1000.9"):
            honest.ask(COORDINATOR, "StopActors", {"actors": [(1000, 9)], "timeout": 0, "drain": False})

        closed = honest.ask(COORDINATOR, "CloseSession", {"timeout": SECONDS * SECOND}, SECONDS)
        spawned, place = [one["name"] for one in closed["ended"]], closed["next"]
        while place is not None:  # it waits for our goodbye
            page = honest.ask(COORDINATOR, "RosterFrom", {"with_exited": True, "place": place}, SECONDS)
            spawned += [row["name"] for row in page["rows"] if row["program"]]
            place = page["next"]
        self.assertEqual(spawned, ["greeter"])
        honest.ask(COORDINATOR, "Leave", {"dead_letters": []})
        self.assertEqual(self.coordinator.wait(SECONDS), 0)

    def test_a_place_in_the_roster_that_nobody_gave_tells_nothing_and_ends_nobody(self):
        honest = self.join_with_greeter()
        for place in ({"number": 2**32 - 1, "exits": 2**64 - 1}, {"number": 1024, "exits": 0}):
            page = honest.ask(COORDINATOR, "RosterFrom", {"with_exited": True, "place": place}, SECONDS)
            self.assertEqual(page, {"rows": [], "next": None})
        self.assert_greets(honest)


if __name__ == "__main__":
    unittest.main()
