"""What a test looks for when it ends: processes, shared memory, folders and descriptors that nobody needs any more.

    class World(unittest.TestCase):
        def setUp(self):
            self.place = leftovers.Place()                 # a runtime folder of its own, self.place.folder
            self.addCleanup(self.place.require_nothing, self)

All that starts sessions there is known by that folder: its processes by their environment,
the memory of its sessions by their ids, which the kernel tells (inotify) when their folders are made.
"""
import ctypes
import glob
import os
import shutil
import struct
import tempfile

IN_CREATE = 0x100
_libc = ctypes.CDLL(None, use_errno=True)


def descriptors():
    """The open ones of this process, with what they are."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(f"descriptor {name}: {os.readlink(f'/proc/self/fd/{name}')}")
        except OSError:  # that of the listing itself
            continue
    return found


def processes_in(folder):
    """The processes that were started with that runtime folder, without this one and zombies."""
    found = []
    for path in glob.glob("/proc/[0-9]*"):
        try:
            with open(f"{path}/environ", "rb") as file:
                environment = file.read().split(b"\0")
            with open(f"{path}/stat", encoding="utf-8", errors="replace") as file:
                name, _, facts = file.read().partition("(")[2].rpartition(")")
        except OSError:  # it has just ended, or is another user's
            continue
        is_other = os.path.basename(path) != str(os.getpid()) and facts.split()[0] != "Z"
        if is_other and f"XDG_RUNTIME_DIR={folder}".encode() in environment:
            found.append(f"process {os.path.basename(path)} ({name})")
    return found


class Place:
    """A runtime folder, and all that comes of it."""

    def __init__(self):
        self._before = descriptors()
        self.folder = tempfile.mkdtemp(prefix="baton-", dir="/tmp")
        os.mkdir(f"{self.folder}/baton", 0o700)
        self._events = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._events < 0 or _libc.inotify_add_watch(self._events, f"{self.folder}/baton".encode(), IN_CREATE) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._sessions = set()

    def sessions(self):
        """The ids of all sessions that there were."""
        try:
            while True:
                events, at = os.read(self._events, 65_536), 0
                while at < len(events):
                    size = struct.unpack_from("I", events, at + 12)[0]
                    name = events[at + 16:at + 16 + size].rstrip(b"\0").decode()
                    if not name.startswith("."):
                        self._sessions.add(name)
                    at += 16 + size
        except BlockingIOError:
            return self._sessions

    def found(self):
        """What is left."""
        left = [f"folder {path}" for path in glob.glob(f"{self.folder}/baton/*")]
        for session in sorted(self.sessions()):
            left += [f"memory {path}" for path in glob.glob(f"/dev/shm/baton-{session}*")]
        return left + processes_in(self.folder)

    def require_nothing(self, test):
        """Fails the test that has left something."""
        left = self.found()
        os.close(self._events)
        shutil.rmtree(self.folder)
        opened = sorted(descriptors() - self._before)
        # The runtime keeps one for each process, from its first session on: to turn away who comes when there is no
        # other.
        spare = [one for one in opened if one.endswith(": /dev/null")]
        left += [one for one in opened if one not in spare[:1]]
        test.assertEqual(left, [], "something is left")
