"""Who has which connection to a directory."""

from __future__ import annotations

from typing import Any

from ldaptor.protocols import pureldap
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from connectors.ldap import pool as pool_module
from connectors.ldap.client import Client
from connectors.ldap.pool import Lease, Limits, Pool
from connectors.ldap.result import ConnectionLost, LdapError
from connectors.ldap.server import Server, Tls
from scimgw.errors import Unavailable
from scimgw.secret import Secret
from tests.connectors.ldap.wire import HOST, Network, Wire

LIMITS = Limits(size=2, timeout=30, connect_timeout=5, wait=7, idle_timeout=60, max_age=600)
SERVER = Server(host=HOST, port=389, bind_dn="cn=gateway", password=Secret("hush"))
ADA = "cn=Ada,dc=org"


class PoolCase(SynchronousTestCase):
    """Has a pool for two connections, and plays the directory."""

    def setUp(self) -> None:
        """Begin without a connection."""
        self.network = Network()
        self.pool = Pool(SERVER, LIMITS, self.network, self.network)
        self.wires: list[Wire] = []

    def take(self) -> Deferred[Lease]:
        """Ask for a connection."""
        return Deferred.fromCoroutine(self.pool.take())

    def open(self, code: int = 0) -> Wire:
        """Accept a connection, and answer its bind."""
        wire = self.network.accept()
        wire.answer(pureldap.LDAPBindResponse(code))
        self.wires.append(wire)
        return wire

    def taken(self) -> Lease:
        """Take a connection that is opened for it."""
        deferred = self.take()
        self.open()
        return self.successResultOf(deferred)

    def opening(self) -> int:
        """Count the connections that wait to be accepted."""
        return len(self.network.tcpClients)

    def refused(self, deferred: Deferred[Any], text: str, retry_after: float | None) -> None:
        """Expect that there is no connection, why, and when there may be one."""
        error = self.failureResultOf(deferred, Unavailable).value
        self.assertIn(text, error.detail)
        self.assertEqual(retry_after, error.retry_after)


class LeaseTests(PoolCase):
    """Taking and giving back."""

    def test_used_again(self) -> None:
        """A connection is opened when it is needed, and used again."""
        self.assertEqual(0, self.opening())
        lease = self.taken()
        self.pool.give_back(lease)
        self.assertIs(lease, self.successResultOf(self.take()))
        self.assertEqual(0, self.opening())

    def test_exclusive(self) -> None:
        """No two have the same connection."""
        self.assertIsNot(self.taken().client, self.taken().client)

    def test_last_first(self) -> None:
        """The connection that was used last is used first, so that others may go."""
        first, second = self.taken(), self.taken()
        self.pool.give_back(first)
        self.pool.give_back(second)
        self.assertIs(second, self.successResultOf(self.take()))

    def test_twice(self) -> None:
        """What was given back isn't anybody's to give."""
        lease = self.taken()
        self.pool.give_back(lease)
        self.pool.give_back(lease)
        self.successResultOf(self.take())
        self.assertNoResult(self.take())
        self.assertEqual(1, self.opening())

    def test_in_line(self) -> None:
        """Who finds none free gets one in turn."""
        lease, _ = self.taken(), self.taken()
        first, second = self.take(), self.take()
        self.assertEqual(0, self.opening())
        self.pool.give_back(lease)
        self.assertIs(lease, self.successResultOf(first))
        self.assertNoResult(second)
        self.pool.give_back(lease)
        self.assertIs(lease, self.successResultOf(second))

    def test_busy(self) -> None:
        """Nobody waits for ever, nor gets a connection after that."""
        lease, _ = self.taken(), self.taken()
        waiting = self.take()
        self.network.advance(LIMITS.wait)
        self.refused(waiting, "the directory is busy", 1)
        self.pool.give_back(lease)
        self.assertIs(lease, self.successResultOf(self.take()))

    def test_cancelled_in_line(self) -> None:
        """Who goes away while waiting isn't given anything."""
        lease, _ = self.taken(), self.taken()
        first, second = self.take(), self.take()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.pool.give_back(lease)
        self.assertIs(lease, self.successResultOf(second))

    def test_cancelled_while_opening(self) -> None:
        """Who goes away while a connection is opened leaves the place to the next."""
        first, second, third = self.take(), self.take(), self.take()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(3, self.opening())
        self.network.tcpClients.pop(0)
        for deferred in (second, third):
            self.open()
            self.successResultOf(deferred)

    def test_discarded(self) -> None:
        """A connection that isn't fit for others is ended, and its place is another's."""
        lease, _ = self.taken(), self.taken()
        waiting = self.take()
        self.pool.discard(lease)
        self.assertTrue(self.wires[0].over)
        self.open()
        self.assertIsNot(lease, self.successResultOf(waiting))

    def test_context(self) -> None:
        """A lease ends with its block, whatever is raised there; a good connection stays."""

        async def use(error: Exception | None) -> Client:
            async with self.pool.lease() as client:
                if error is not None:
                    raise error
                return client

        first = Deferred.fromCoroutine(use(None))
        self.open()
        client = self.successResultOf(first)
        self.failureResultOf(Deferred.fromCoroutine(use(LdapError(32, ""))), LdapError)
        self.failureResultOf(Deferred.fromCoroutine(use(CancelledError())), CancelledError)
        self.assertIs(client, self.successResultOf(Deferred.fromCoroutine(use(None))))


class HealingTests(PoolCase):
    """Connections that are lost, and directories that can't be reached."""

    def test_lost_while_idle(self) -> None:
        """A connection that was lost while nobody used it is forgotten."""
        lease = self.taken()
        self.pool.give_back(lease)
        self.wires[0].lose()
        self.assertIsNot(lease, self.taken())

    def test_lost_while_used(self) -> None:
        """A connection that was lost in use isn't used again."""

        async def use() -> None:
            async with self.pool.lease() as client:
                await client.delete(ADA)

        used = Deferred.fromCoroutine(use())
        self.open().lose()
        self.failureResultOf(used, ConnectionLost)
        self.taken()
        self.taken()

    def test_pause(self) -> None:
        """After a failure, nobody tries again at once; the pause grows until there is success."""
        for pause in (0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0):
            taking = self.take()
            self.open(51)
            self.refused(taking, "busy (51)", pause)
            self.refused(self.take(), "busy (51)", pause)
            self.assertEqual(0, self.opening())
            self.network.advance(pause)
        self.pool.discard(self.taken())
        taking = self.take()
        self.network.refuse(ConnectionRefusedError())
        self.refused(taking, "refused the connection", 0.5)

    def test_several_at_once(self) -> None:
        """Attempts that fail together are one failure."""
        first, second = self.take(), self.take()
        self.open(49)
        self.refused(first, "the directory refused the gateway's credentials", 0.5)
        self.open(49)
        self.refused(second, "the directory refused the gateway's credentials", 0.5)

    def test_no_use_in_waiting(self) -> None:
        """Those in line learn that there won't be a connection."""
        first, second = self.take(), self.take()
        waiting = [self.take() for _ in range(2000)]
        waiting[0].addErrback(lambda _: waiting[1].cancel())
        self.open(49)
        self.refused(first, "credentials", 0.5)
        self.assertNoResult(waiting[2])
        self.open(49)
        self.refused(second, "credentials", 0.5)
        self.failureResultOf(waiting[1], CancelledError)
        for deferred in waiting[2:]:
            self.refused(deferred, "credentials", 0.5)

    def test_waiting_for_others(self) -> None:
        """While others have connections, those in line may get one of them."""
        lease = self.taken()
        opening, waiting = self.take(), self.take()
        self.open(51)
        self.refused(opening, "busy (51)", 0.5)
        self.assertNoResult(waiting)
        self.pool.give_back(lease)
        self.assertIs(lease, self.successResultOf(waiting))

    def test_nobody_left(self) -> None:
        """Those in line are told when the last connection goes, while there is no new one."""
        lease = self.taken()
        opening, waiting = self.take(), self.take()
        self.open(51)
        self.refused(opening, "busy (51)", 0.5)
        self.pool.discard(lease)
        self.refused(waiting, "busy (51)", 0.5)

    def test_logged(self) -> None:
        """A failure is logged with its cause, once, and without the password."""
        with capturedLogs() as events:
            taking = self.take()
            wire = self.network.accept()
            wire.answer(pureldap.LDAPBindResponse(49, errorMessage="data 52e"))
            self.failureResultOf(taking, Unavailable)
            self.failureResultOf(self.take(), Unavailable)
        (event,) = (event for event in events if event["log_namespace"] == pool_module.__name__)
        self.assertIn("data 52e", str(event["cause"]))
        self.assertNotIn("hush", repr(event))


class EndTests(PoolCase):
    """How long connections are kept."""

    def test_idle(self) -> None:
        """A connection that nobody uses is closed after a while, used ones are not."""
        first, second = self.taken(), self.taken()
        self.pool.give_back(first)
        self.network.advance(LIMITS.idle_timeout - 10)
        self.pool.give_back(second)
        self.network.advance(9)
        self.assertFalse(self.wires[0].over)
        self.network.advance(1)
        self.assertEqual([True, False], [wire.over for wire in self.wires])
        self.assertIs(second, self.successResultOf(self.take()))
        self.network.advance(LIMITS.idle_timeout)
        self.assertFalse(self.wires[1].over)

    def test_age(self) -> None:
        """A connection isn't used for ever, given back or idle."""
        used, idle = self.taken(), self.taken()
        self.network.advance(LIMITS.max_age - 1)
        self.pool.give_back(idle)
        self.network.advance(1)
        self.assertFalse(self.wires[0].over)
        self.pool.give_back(used)
        self.assertTrue(self.wires[0].over)
        self.assertFalse(self.wires[1].over)
        self.taken()
        self.assertTrue(self.wires[1].over)

    def test_close(self) -> None:
        """To close ends idle connections now, others when they come back, and all waiting."""
        first, second = self.taken(), self.taken()
        waiting = self.take()
        self.successResultOf(Deferred.fromCoroutine(self.pool.close()))
        self.refused(waiting, "the gateway is stopping", 0.5)
        self.refused(self.take(), "the gateway is stopping", None)
        for lease, wire in zip((first, second), self.wires, strict=True):
            self.assertFalse(wire.over)
            self.pool.give_back(lease)
            self.assertTrue(wire.over)

    def test_close_idle(self) -> None:
        """To close waits until idle connections are gone, and leaves no timer behind."""
        self.pool.give_back(self.taken())
        closed = Deferred.fromCoroutine(self.pool.close())
        self.assertIsInstance(self.wires[0].one().value, pureldap.LDAPUnbindRequest)
        self.assertNoResult(closed)
        self.wires[0].lose()
        self.successResultOf(closed)
        self.assertEqual([], self.network.getDelayedCalls())

    def test_unverified(self) -> None:
        """Who lets anybody pretend to be the directory is warned once."""
        with capturedLogs() as events:
            for tls, verify in ((Tls.LDAPS, False), (Tls.LDAPS, True), (Tls.NONE, False)):
                server = Server(host=HOST, port=1, tls=tls, verify=verify)
                Pool(server, LIMITS, self.network, self.network)
        self.assertEqual(1, sum("isn't verified" in event["log_format"] for event in events))

    def test_in_clear(self) -> None:
        """So is who has the password sent in clear, unless that stays on this machine."""
        for host, warned in (
            ("ldap.example.com", 1),
            ("10.0.0.1", 1),
            ("127.0.0.2", 0),
            ("::1", 0),
            ("LocalHost", 0),
        ):
            with capturedLogs() as events:
                for tls in Tls:
                    Pool(Server(host=host, port=1, tls=tls), LIMITS, self.network, self.network)
            self.assertEqual(warned, sum("in clear" in each["log_format"] for each in events))

    def test_limits(self) -> None:
        """Limits are positive."""
        for name in ("size", "timeout", "connect_timeout", "wait", "idle_timeout", "max_age"):
            self.assertRaises(ValueError, lambda name=name: Limits(**{name: 0}))
