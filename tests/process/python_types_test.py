"""The types and the docstrings of the Python package: what mypy in strict mode, stubtest and help() see of it.

    PYTHONPATH=build/dev/python /usr/bin/python3 tests/process/python_types_test.py

Method: mypy reads the package of the build tree, the Python examples, and a script that is right in every line but
those which say what is wrong; stubtest compares _baton.pyi with the extension. Both are those of Debian's package mypy.
"""
import ast
import glob
import graphlib
import importlib.util
import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import typing
import unittest

import baton
from baton import sync, testing

PACKAGE = os.path.dirname(importlib.util.find_spec("baton").origin)
EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")

# What stubtest says of every class that pybind11 makes: its metaclass, and that it takes any arguments where nobody may
# make one of it. The buffer protocol has a name for Python from 3.12 on.
PYBIND11 = r"""
baton\._baton\.[A-Z]\w*
baton\._baton\.\w+\.__init__
baton\._baton\.\w+\.__buffer__
baton\._baton\.\w+\.__hash__
"""

SCRIPT = """
    import asyncio
    import dataclasses
    import datetime
    import baton
    import baton.testing
    from baton import sync

    @dataclasses.dataclass
    class Echo:
        text: str

    commands = baton.Commands("probe")

    @commands.on
    def echo(command: Echo) -> str:
        return command.text

    async def awaits(alice: baton.Actor) -> baton.Exit:
        print(await alice.request("HoldThis", number=4))
        return await alice.ended()

    def tests() -> None:
        with baton.testing.World() as world:
            script: baton.Actor = world.start(commands)
            peer: baton.testing.Peer = world.peer("echo", commands)
            peer.replies(Echo, lambda command: command.text, after=3.0)
            came: list[Echo] = peer.received(Echo)
            kept: baton.testing.Received[Echo] | None = peer.take(Echo)
            world.advance("soon")               # WRONG: arg-type
            uses(world.session)

    def uses(session: baton.Session) -> None:
        alice: baton.Actor = session.spawn("student", name="Alice")
        many: list[baton.Actor] = session.spawn("student", count=3)
        named: list[baton.Actor] = session.spawn("student", names=["Bob"])
        ends = baton.Deadline(datetime.timedelta(seconds=3))
        alice.ask("HoldThis", number=4, timeout=ends)
        alice.ask(alice.HoldThis(number=4), timeout=2)
        alice.ask("HoldThis", {"number": 4}, timeout=None)
        alice.send(Echo("x"))
        taken: int = session.send_all(many + named, "GoHome")
        segment: baton.Segment = session.create_segment(10)
        loan: baton.Loan = segment.lend()
        keeper = sync.Keeper(session)
        count: int = keeper.value("count").value
        share: float = keeper.value("share", 0.5, "float64").value
        with keeper.lock("lock") as lock:
            held: bool = lock.is_held
        pool = baton.Pool("worker", session=session)
        task: baton.Task = pool.submit(baton.Call("power", 2, exponent=10), id=7, timeout=1.0)
        tasks: baton.Tasks = pool.map_async("square", range(3), errors="collect")
        finished: list[str] = [outcome.function for outcome in pool.as_completed([task, tasks], timeout=1.0)]
        if task.cancel() == "withdrawn":
            print(finished, tasks.cancel().ended)
        task.then(lambda task: print(task.id))
        task.then(lambda tasks: print(tasks.ids))   # WRONG: attr-defined
        pool.as_completed(["task"])                 # WRONG: list-item
        rows: list[baton.ActorRow] = session.actors()
        ended: baton.Exit | None = rows[0].exit
        alice.on_exited(lambda actor, exit: print(actor.name, exit.code))
        asyncio.run(awaits(alice))
        several: list[baton.Actor] = session.spawn("student")  # WRONG: assignment
        wrong: baton.Actor = session.spawn("student", count=3)  # WRONG: assignment
        alice.join(timeout="soon")              # WRONG: arg-type
        session.broadcast([alice], "GoHome")    # WRONG: attr-defined
        keeper.lock("lock").acquire("now")      # WRONG: arg-type
        pool.submit(baton.Call("power"), name=1)  # WRONG: call-overload
"""


class Types(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="baton-")
        self.addCleanup(shutil.rmtree, self.folder)
        if shutil.which("mypy") is None:
            self.skipTest("mypy is not installed")

    def run_tool(self, *words):
        environment = {**os.environ, "MYPYPATH": os.path.dirname(PACKAGE), "PYTHONPATH": os.path.dirname(PACKAGE)}
        environment.pop("LD_PRELOAD", None) if words[0] == "mypy" else None
        done = subprocess.run(words, env=environment, capture_output=True, text=True, cwd=self.folder, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def mypy(self, *words):
        cache = os.path.join(self.folder, "cache")
        return self.run_tool("mypy", "--strict", "--no-error-summary", "--cache-dir", cache, *words)

    def test_mypy_in_strict_mode_accepts_the_package_and_its_stub(self):
        self.assertEqual(self.mypy("-p", "baton"), (0, ""))

    def test_mypy_in_strict_mode_accepts_the_python_examples(self):
        examples = sorted(glob.glob(os.path.join(EXAMPLES, "**", "*.py"), recursive=True))
        self.assertGreater(len(examples), 8)
        for number, example in enumerate(examples):  # two may have one name
            target = os.path.join(self.folder, f"example_{number}.py")
            shutil.copy(example, target)
        self.assertEqual(self.mypy(*sorted(glob.glob(os.path.join(self.folder, "example_*.py")))), (0, ""))

    def test_a_script_is_told_what_it_gets_and_what_is_wrong(self):
        script = textwrap.dedent(SCRIPT)
        with open(os.path.join(self.folder, "script.py"), "w", encoding="utf-8") as file:
            file.write(script)
        _, said = self.mypy("--show-error-codes", "script.py")
        wrong = {number for number, line in enumerate(script.splitlines(), 1) if "# WRONG" in line}
        errors = re.findall(r"^script.py:(\d+): error: (.*)$", said, re.MULTILINE)
        found = {int(number): text for number, text in errors}
        self.assertEqual(set(found), wrong, said)
        for number, text in found.items():
            self.assertIn(script.splitlines()[number - 1].partition("# WRONG: ")[2], text)

    def test_the_stub_says_of_the_extension_what_is_there(self):
        if shutil.which("stubtest") is None:
            self.skipTest("stubtest is not installed")
        with open(os.path.join(self.folder, "pybind11"), "w", encoding="utf-8") as file:
            file.write(PYBIND11)
        code, said = self.run_tool("stubtest", "--concise", "--allowlist", "pybind11", "--ignore-unused-allowlist",
                                   "baton._baton")
        self.assertEqual(code, 0, said)


class Docstrings(unittest.TestCase):
    def public_of(self, thing, place):
        """What is reached from there without an underscore, and belongs to the package."""
        yield place, thing
        if not inspect.isclass(thing):
            return
        for of in thing.__mro__:
            if not of.__module__.startswith("baton"):
                continue
            for name, member in vars(of).items():
                is_seen = callable(member) or isinstance(member, (property, staticmethod, classmethod))
                if is_seen and not name.startswith("_"):
                    yield f"{place}.{name}", member

    def test_every_public_name_has_a_docstring(self):
        missing = []
        for module, names in ((baton, baton.__all__), (sync, sync.__all__), (testing, testing.__all__)):
            self.assertTrue(module.__doc__)
            for name in names:
                if typing.get_args(getattr(module, name)):
                    continue  # an alias of types
                for place, thing in self.public_of(getattr(module, name), f"{module.__name__}.{name}"):
                    if not (inspect.getdoc(thing) or "").strip():
                        missing.append(place)
        self.assertEqual(missing, [])

    def test_no_file_of_the_package_imports_itself_by_way_of_others(self):
        imports = {}
        for path in glob.glob(os.path.join(PACKAGE, "*.py")):
            with open(path, encoding="utf-8") as file:
                found = [node for node in ast.walk(ast.parse(file.read()))
                         if isinstance(node, ast.ImportFrom) and node.level]
            names = {node.module or one.name for node in found for one in node.names}
            imports[os.path.basename(path)[:-len(".py")]] = names
        graph = graphlib.TopologicalSorter({name: names & imports.keys() for name, names in imports.items()})
        self.assertIn("_values", list(graph.static_order()))  # which raises where there is a circle

    def test_what_is_public_says_so_itself(self):
        for name in baton.__all__:
            thing = getattr(baton, name)
            if inspect.isclass(thing):
                self.assertEqual(getattr(thing, "__module__", "baton"), "baton", name)


if __name__ == "__main__":
    unittest.main()
