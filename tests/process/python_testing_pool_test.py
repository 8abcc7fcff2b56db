"""baton.Pool in a test world: tasks that call functions of the test, without workers' processes.

    PYTHONPATH=build/dev/python /usr/bin/python3 tests/process/python_testing_pool_test.py

Method: a pool is used as scripts use it, at the world's clock; its workers die on command. No process is started.
"""
import asyncio
import dataclasses
import unittest

import baton
import baton.testing


def square(x: int) -> int:
    return x * x


def power(base: int, exponent: int = 2) -> int:
    return base ** exponent


def shown(anything) -> str:
    return type(anything).__name__


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


def norm(point: Point) -> float:
    assert isinstance(point, Point), point
    return point.x * point.x + point.y * point.y


def divided(x: int) -> float:
    if x == 3:
        raise baton.Refused("three is not divided")
    return 1 / x


def squares(numbers):
    """A scenario, as scripts have it: it opens its session itself."""
    with baton.Pool("worker", workers=2) as pool:
        return pool.map("square", numbers)


class Pools(unittest.TestCase):
    def setUp(self):
        self.world = self.enterContext(baton.testing.World())
        self.world.provide_pool("worker", square, power, shown, divided, norm, takes={"power": 2.0})
        self.pool = baton.Pool("worker", workers=2, session=self.world.session)

    def test_a_script_with_a_pool_runs_as_it_is(self):
        self.assertEqual(squares(range(4)), [0, 1, 4, 9])
        self.assertEqual(self.world.find_peer("worker").exit.kind, "stopped")

    def test_the_functions_say_their_types(self):
        self.assertEqual(self.pool.functions(), ["square(x: int64) -> int64", "power(base: int64, exponent: int64) -> "
                                                 "int64", "shown(anything) -> string", "divided(x: int64) -> float64",
                                                 "norm(point: Point) -> float64"])

    def test_what_does_not_fit_is_refused_with_its_place_before_anything_runs(self):
        with self.assertRaisesRegex(baton.Refused, r"^square\(x\): expected int64, got string"):
            self.pool.submit("square", "four")
        with self.assertRaisesRegex(baton.Refused, "'worker' has no task 'cube'; it has square, power"):
            self.pool.map("cube", [1])
        with self.assertRaisesRegex(baton.Refused, "square: missing a required argument: 'x'"):
            self.pool.submit("square")
        self.assertEqual(self.pool.pending(), [])

    def test_a_struct_is_what_its_hint_says(self):
        self.assertEqual(self.pool.map("norm", [Point(3, 4), Point(1)]), [25.0, 1.0])
        with self.assertRaisesRegex(baton.Refused, r"^norm\(point\).y: expected float64, got string"):
            self.pool.submit("norm", {"x": 1, "y": "two"})

    def test_a_value_without_a_hint_is_passed_on_as_it_is(self):
        self.assertEqual(self.pool.map("shown", [self, {1}]), ["Pools", "set"])

    def test_as_many_tasks_run_at_once_as_there_are_workers(self):
        tasks = [self.pool.submit("power", base, exponent=3) for base in (2, 3, 4)]
        self.assertEqual([one.ready() for one in tasks], [False] * 3)
        self.world.advance(2.0)
        self.assertEqual([one.ready() for one in tasks], [True, True, False])
        self.assertEqual([one.get() for one in tasks], [8, 27, 64])
        self.assertEqual(self.world.now, 4.0)
        outcome = tasks[2].outcome()
        self.assertEqual((outcome.id, outcome.function, outcome.arguments, outcome.ok, outcome.worker),
                         (3, "power", (4, 3), True, "worker"))
        self.assertEqual((outcome.finished - outcome.started).total_seconds(), 2.0)
        self.assertEqual(str(outcome), "Call to power(4, 3) --> Result: 64")

    def test_a_wait_that_is_too_short_is_timed_out_and_may_be_repeated(self):
        task = self.pool.submit("power", 2)
        with self.assertRaises(baton.TimedOut):
            task.get(timeout=1.0)
        self.assertEqual(task.get(timeout=1.0), 4)

    def test_an_error_is_the_tasks_and_keeps_others_from_beginning(self):
        with self.assertRaises(baton.Failed) as raised:
            self.pool.submit("divided", 0).get()
        self.assertEqual((raised.exception.type, raised.exception.function, raised.exception.arguments),
                         ("ZeroDivisionError", "divided", (0,)))
        with self.assertRaisesRegex(baton.Refused, "three is not divided"):
            self.pool.map("divided", [1, 2, 3, 4])
        self.assertEqual([one.ok for one in self.pool.map("divided", [1, 3, 4], errors="collect")],
                         [True, False, True])

    def test_outcomes_come_in_the_order_of_their_ends(self):
        slow, quick = self.pool.submit("power", 3), self.pool.submit("square", 4)
        self.assertEqual([one.value for one in self.pool.as_completed([slow, quick])], [16, 9])
        self.world.advance(2.0)
        both = [self.pool.submit("power", 3), self.pool.submit("square", 4)]
        self.world.advance(2.0)
        self.assertEqual([one.value for one in self.pool.as_completed(both)], [16, 9])
        with self.assertRaises(baton.TimedOut):
            list(self.pool.as_completed([self.pool.submit("power", 3)], timeout=1.0))
        self.assertEqual(list(self.pool.imap("square", iter(range(3)), ahead=1)), [0, 1, 4])

    def test_what_waits_is_withdrawn_and_what_runs_is_ended(self):
        tasks = self.pool.map_async("power", [1, 2, 3], errors="collect")
        self.assertEqual(self.pool.cancel(tasks.ids[2]), "withdrawn")
        self.assertEqual(tasks.cancel(), (0, 2, 1))
        self.assertEqual([one.was_cancelled for one in tasks.get()], [True] * 3)
        self.assertEqual([one.name for one in self.world.session.actors() if one.program == "worker"],
                         ["worker", "worker-2"])
        self.assertEqual(self.pool.submit("square", 2).get(), 4)

    def test_the_task_of_a_worker_that_dies_is_tried_again_until_its_retries_are_used_up(self):
        task = self.pool.submit("power", 5)
        self.world.after(1.0, self.world.find_peer("worker").kill)
        self.assertEqual(task.get(), 25)
        self.assertEqual(self.world.now, 3.0)
        once = self.pool.submit(baton.Call("power", 5), retries=0)
        self.world.after(1.0, lambda: self.world.find_peer("worker").kill())
        self.world.after(1.0, lambda: self.world.find_peer("worker-2").kill())
        with self.assertRaisesRegex(baton.Gone, r"worker gone: worker.* has exited: signal -9 \(tried 1 time\)"):
            once.get()

    def test_a_task_that_takes_longer_than_it_may_is_timed_out(self):
        with self.assertRaisesRegex(baton.TimedOut, "it has not ended within 0.5 s in the hands of worker"):
            self.pool.submit(baton.Call("power", 2), timeout=0.5).get()
        self.assertEqual(self.world.now, 0.5)
        self.assertEqual([one.exit.kind for one in self.world.session.actors(exited=True) if one.exit], ["signalled"])

    def test_tasks_that_are_added_have_their_ids(self):
        seventh = self.pool.add(baton.Call("square", 7), id=7)
        first = self.pool.add("square", 1)
        with self.assertRaisesRegex(baton.Refused, "the id 7 is taken"):
            self.pool.add(baton.Call("square", 1), id=7)
        self.assertEqual([(one.id, one.value) for one in self.pool.execute()], [(seventh, 49), (first, 1)])
        self.assertEqual(self.pool.find(7).value, 49)
        with self.assertRaisesRegex(baton.Refused, "no task of this pool has the id 9"):
            self.pool.find(9)

    def test_a_callback_is_called_when_the_task_is_done(self):
        done = []
        self.pool.submit("power", 2).then(lambda task: done.append(task.get()))
        self.assertEqual(done, [])
        self.world.advance(2.0)
        self.pool.pending()
        self.assertEqual(done, [4])

    def test_a_task_that_nobody_holds_never_begins(self):
        running = [self.pool.submit("power", 1) for _ in range(2)]
        self.pool.submit("power", 3)
        self.assertEqual(self.pool.pending(), [one.id for one in running])

    def test_a_task_can_be_awaited(self):
        async def both():
            return await self.pool.submit("power", 2), await self.pool.map_async("square", [3])

        self.assertEqual(asyncio.run(both()), (4, [9]))

    def test_a_stop_ends_tasks_and_workers(self):
        task = self.pool.submit("power", 2)
        self.pool.stop()
        with self.assertRaises(baton.Stopping):
            task.get()
        self.assertEqual(self.pool.submit("square", 2).get(), 4)

    def test_a_program_that_is_not_provided_is_refused_and_the_text_says_how(self):
        with self.assertRaisesRegex(baton.Refused, r"no program 'other' for a pool: .*world.provide_pool\('other', "):
            baton.Pool("other", session=self.world.session).start()
        with self.assertRaisesRegex(baton.Refused, r"the test world has 'worker' for pools"):
            self.world.session.spawn("worker")


if __name__ == "__main__":
    unittest.main()
