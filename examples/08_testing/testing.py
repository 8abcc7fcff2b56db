"""The account as a script, tested without a process: its auditor is played, and nobody is killed.

The account of testing.cpp, as far as scripts go: they have no timers, so it adds no interest.
"""
from __future__ import annotations

import dataclasses

import baton
import baton.testing
from baton import sync

LARGE = 100_000


# ---- the script under test


@dataclasses.dataclass
class MayWithdraw:
    cents: int


@dataclasses.dataclass
class Deposit:
    cents: int


@dataclasses.dataclass
class Withdraw:
    cents: int


class Account:
    """A bank account: it refuses an overdraft, and asks the session's auditor about large sums."""

    def __init__(self, session: baton.Session) -> None:
        self.session = session
        self.balance = 0
        self.commands = baton.Commands("account")
        self.commands.on(self.deposit)
        self.commands.on(self.withdraw)

    def deposit(self, command: Deposit) -> int:
        self.balance += command.cents
        return self.balance

    def withdraw(self, command: Withdraw) -> int:
        if command.cents > self.balance:
            raise baton.Refused("not that much is there")
        if command.cents > LARGE and not self.session.find("auditor").ask("MayWithdraw", cents=command.cents):
            raise baton.Refused("the auditor says no")
        self.balance -= command.cents
        return self.balance


# ---- its tests; any test framework has better words than expect()

auditor = baton.Commands("auditor")


@auditor.on
def may_withdraw(command: MayWithdraw) -> bool:
    return command.cents < 300_000


def expect(holds: bool, what: str) -> None:
    print(f"{'ok' if holds else 'FAILED'}: {what}")
    if not holds:
        raise SystemExit(1)


def is_refused(account: baton.Actor, cents: int, error: type[baton.Error] = baton.Refused) -> bool:
    try:
        account.ask("Withdraw", cents=cents)
    except error:
        return True
    return False


def an_overdraft_is_refused() -> None:
    with baton.testing.World() as world:
        account = world.start(Account(world.session).commands)
        expect(account.ask("Deposit", cents=1_000) == 1_000, "a deposit is on the account")
        expect(is_refused(account, 1_001), "an overdraft is refused")
        expect(account.ask("Withdraw", cents=1_000) == 0, "and has changed nothing")


def a_large_sum_needs_the_auditor() -> None:
    with baton.testing.World() as world:
        account = world.start(Account(world.session).commands)
        peer = world.peer("auditor", auditor)
        account.ask("Deposit", cents=500_000)
        expect(account.ask("Withdraw", cents=200_000) == 300_000, "the auditor allows a large sum")
        expect(is_refused(account, 300_000), "and forbids a larger one")
        expect(account.ask("Withdraw", cents=10) == 299_990, "nobody asks about a small one")
        expect(peer.received(MayWithdraw) == [MayWithdraw(200_000), MayWithdraw(300_000)],
               "the auditor was asked twice")


def an_auditor_that_does_not_answer() -> None:
    with baton.testing.World() as world:
        account = world.start(Account(world.session).commands)
        peer = world.peer("auditor", auditor)
        account.ask("Deposit", cents=500_000)
        peer.keeps(MayWithdraw)
        expect(is_refused(account, 200_000, baton.Failed), "an auditor that does not answer is waited for in vain")
        expect(world.now == 5.0, "for five seconds, which pass at once")
        peer.kill()
        expect(is_refused(account, 200_000, baton.Failed), "nor does one that has died")


def interest(cents: int) -> float:
    return cents * 0.02


def work_is_shared() -> None:
    with baton.testing.World() as world:
        world.provide_pool("interest_worker", interest, takes=2.0)
        with baton.Pool("interest_worker", workers=2, session=world.session) as pool:
            world.after(1.0, world.find_peer("interest_worker").kill)
            expect(pool.map("interest", [100, 200, 300]) == [2.0, 4.0, 6.0], "a worker that dies is replaced")
            expect(world.now == 4.0, "and its task begins anew")


def two_meet_at_a_lock() -> None:
    with baton.testing.World() as world:
        lock = sync.Keeper(world.session).lock("ledger")
        peer = world.peer("auditor", auditor)
        sync.Lock(peer.session, lock.address).acquire()
        world.after(3.0, peer.kill)
        with lock:
            expect(lock.dead_owner == "auditor", "the next owner is told who died with the lock")
        expect(world.now == 3.0, "and has waited for that")


an_overdraft_is_refused()
a_large_sum_needs_the_auditor()
an_auditor_that_does_not_answer()
work_is_shared()
two_meet_at_a_lock()
