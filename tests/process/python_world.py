"""A world for tests of the Python module `baton`: sessions that leave nothing behind."""
import os
import select
import subprocess
import sys
import textwrap
import unittest
import unittest.mock

import baton

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import leftovers  # noqa: E402


def has_ended(pidfd):
    """Waits for the end of that process, whichever process its parent is."""
    select.select([pidfd], [], [])
    os.close(pidfd)
    return True


def coordinator_of(session):
    """The pid of the process that coordinates it now."""
    return session.find("coordinator").pid


def anchor_of(session):
    """The pid of the process that the session lives by: it has started the coordinator."""
    with open(f"/proc/{coordinator_of(session)}/stat") as facts:
        return int(facts.read().rpartition(")")[2].split()[1])


class World(unittest.TestCase):
    """Sessions of a test have their folders in a place of its own, and leave nothing there (I7)."""

    def setUp(self):
        self.leftovers = leftovers.Place()
        self.addCleanup(self.leftovers.require_nothing, self)  # the last one to run
        self.place = self.leftovers.folder
        environment = unittest.mock.patch.dict(os.environ, XDG_RUNTIME_DIR=self.place)
        environment.start()
        self.addCleanup(environment.stop)

    def open(self, **options):
        session = baton.session(**options)
        self.addCleanup(session.close)
        return session

    def script(self, body, **options):
        """Starts a scenario of its own process."""
        process = subprocess.Popen([sys.executable, "-u", "-c", textwrap.dedent(body)], text=True,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def assertRaisesText(self, kind, text, function, /, *arguments, **fields):
        with self.assertRaises(kind) as caught:
            function(*arguments, **fields)
        self.assertIn(text, str(caught.exception))
        return caught.exception
