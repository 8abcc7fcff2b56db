"""A client of a Baton session in Python: ZeroMQ, msgpack and no code of Baton's. See docs/wire/README.md."""

import fcntl
import os
import time

import msgpack
import zmq

VERSION = 1
SEND, ASK, REPLY, ERROR, NOTICE = 1, 2, 3, 4, 5
NOBODY, COORDINATOR = (0, 0), (1, 1)
SECOND = 1_000_000_000  # durations travel as nanoseconds


class Failure(Exception):
    """How an ask ends that is not answered with a reply. `kind` is for programs, the text for people."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


def pack_record(kind, sender, receiver, sequence, ask_id, tag, body):
    return msgpack.packb([VERSION, kind, *sender, *receiver, sequence, ask_id, tag, []]) + msgpack.packb(body)


def unpack_records(frame):
    """The (envelope, body) pairs of one message; usually one."""
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(frame)
    values = list(unpacker)
    return list(zip(values[::2], values[1::2]))


def session_base():
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if folder.startswith("/") and os.path.isdir(folder) and os.stat(folder).st_uid == os.geteuid():
        return os.path.realpath(folder) + "/baton"
    return f"/dev/shm/.baton-{os.geteuid()}"


def is_alive(folder):
    """A session lives exactly as long as its coordinator holds the lock on the folder."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)


def live_sessions():
    base = session_base()
    with open(base + "/.sweep-lock") as sweep_lock:  # shared by all who only look
        fcntl.flock(sweep_lock, fcntl.LOCK_SH)
        folders = [f"{base}/{name}" for name in sorted(os.listdir(base)) if not name.startswith(".")]
        return [folder for folder in folders if is_alive(folder)]


class Lane:
    """One connection to one inbox. Commands go out over it, and their answers come back over it."""

    def __init__(self, context, receiver, address):
        self.receiver = receiver
        self.sequence = 0
        self.socket = context.socket(zmq.DEALER)
        self.socket.connect(address)

    def put(self, kind, sender, ask_id, tag, body):
        self.sequence += 1
        self.socket.send(pack_record(kind, sender, self.receiver, self.sequence, ask_id, tag, body))


class Client:
    """An outsider in a session. One thread."""

    def __init__(self, folder, name):
        self.context = zmq.Context()
        self.id = NOBODY
        self.lanes = {COORDINATOR: Lane(self.context, COORDINATOR, f"ipc://{folder}/coordinator.sock")}
        self.asks = {}      # ask id -> receiver, while nobody has answered
        self.outcomes = {}  # ask id -> the reply's body, or a Failure
        self.refusals = []  # (receiver, Failure): what became of commands that were sent and not asked
        self.exited = {}    # actor -> its Exit
        self.is_told_to_stop = False
        self.last_ask_id = 0
        self.welcome = self.ask(COORDINATOR, "Join", {
            "as": NOBODY, "name": name, "pid": os.getpid(), "address": "",
            "protocol": {"name": "", "commands": []}, "owns_session": False})
        self.id = tuple(self.welcome["you"])

    def send(self, actor, tag, body):
        self.lane_to(tuple(actor)).put(SEND, self.id, 0, tag, body)

    def ask(self, actor, tag, body, seconds=5):
        return self.wait(self.request(actor, tag, body), seconds)

    def request(self, actor, tag, body):
        lane = self.lane_to(tuple(actor))
        self.last_ask_id += 1
        self.asks[self.last_ask_id] = lane.receiver
        lane.put(ASK, self.id, self.last_ask_id, tag, body)
        return self.last_ask_id

    def wait(self, ask_id, seconds=5):
        deadline = time.monotonic() + seconds
        while ask_id not in self.outcomes:
            if not self.take(deadline - time.monotonic()):
                del self.asks[ask_id]  # an answer that comes later finds nobody
                raise Failure("timed_out", "no answer before the deadline")
        outcome = self.outcomes.pop(ask_id)
        if isinstance(outcome, Failure):
            raise outcome
        return outcome

    def leave(self):
        """Only now may the connection to the coordinator close."""
        self.ask(COORDINATOR, "Leave", {"dead_letters": []})
        self.context.destroy(linger=1000)

    def lane_to(self, actor):
        if actor in self.exited:
            raise Failure("gone", f"actor {actor} has exited")
        if actor not in self.lanes:
            located = self.ask(COORDINATOR, "Locate", {"actor": actor})
            self.lanes[actor] = Lane(self.context, actor, located["address"])
        return self.lanes[actor]

    def take(self, seconds):
        """Waits for something to come and files it; False when nothing has come in time."""
        poller = zmq.Poller()
        for lane in self.lanes.values():
            poller.register(lane.socket, zmq.POLLIN)
        ready = dict(poller.poll(max(0, seconds) * 1000))
        for lane in [lane for lane in self.lanes.values() if lane.socket in ready]:
            self.read(lane)
        return bool(ready)

    def read(self, lane):
        while not lane.socket.closed and lane.socket.poll(0):
            for envelope, body in unpack_records(lane.socket.recv()):
                kind, ask_id, tag = envelope[1], envelope[7], envelope[8]
                if kind == NOTICE and tag == "Stop":
                    self.is_told_to_stop = True
                elif kind == NOTICE and tag == "Exited":
                    self.bury(tuple(body["actor"]), body["exit"])
                elif kind == NOTICE and tag == "Drain":  # we accept no segments, so we wait for none of the dead
                    self.send(COORDINATOR, "Drained", {"actor": body["actor"]})
                elif kind == REPLY:
                    self.settle(ask_id, body)
                elif kind == ERROR and ask_id != 0:
                    self.settle(ask_id, Failure(body["kind"], body["text"]))
                elif kind == ERROR:
                    self.refusals.append((lane.receiver, Failure(body["kind"], body["text"])))

    def settle(self, ask_id, outcome):
        if self.asks.pop(ask_id, None) is not None:
            self.outcomes[ask_id] = outcome

    def bury(self, actor, exit):
        self.exited[actor] = exit
        if actor in self.lanes:
            self.read(self.lanes[actor])  # what it answered before it went counts
            self.lanes.pop(actor).socket.close(linger=0)
        for ask_id in [ask_id for ask_id, receiver in self.asks.items() if receiver == actor]:
            self.settle(ask_id, Failure("gone", f"actor {actor} has exited"))


def main():
    (folder,) = live_sessions()
    ada = Client(folder, "ada")
    greeter = ada.ask(COORDINATOR, "Spawn", {
        "options": {"program": "greeter", "name": "", "arguments": [], "timeout": 10 * SECOND, "memory_bytes": 0,
                    "folders": [], "actor": ""},
        "fingerprint": 0}, seconds=15)
    print(ada.ask(greeter["actor"], "Greet", {"name": "Ada"}))
    ada.leave()  # stops what it has spawned


if __name__ == "__main__":
    main()
