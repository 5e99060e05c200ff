"""Work beside the reactor, and logins whose passwords are known by their hashes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from scimgw.config.load import load
from scimgw.errors import Unavailable
from scimgw.scrypt import USUAL, Cost, Scrypt
from scimgw.service import PluginService
from scimgw.testing.client import Client
from scimgw.threads import THREADS, WAITING, Threads
from tests.live.case import LiveCase, reactor
from tests.live.gateway import Gateway
from tests.service.process import section

PATIENCE = 300.0


class Held:
    """Work that goes on until it is told to end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gate = Event()

    def named(self, name: str) -> Callable[[], str]:
        """Give some work."""

        def work() -> str:
            self.begun.append(name)
            assert self.gate.wait(PATIENCE)
            assert current_thread() is not main_thread()
            return name

        return work


class ThreadsTests(TestCase):
    """A few threads, and a queue that has an end."""

    timeout = 300

    def setUp(self) -> None:
        """Have two threads, and room for three who wait."""
        self.threads = Threads(reactor, most=2, longest=3)
        self.held = Held()
        self.addCleanup(lambda: Deferred.fromCoroutine(self.threads.close()))
        self.addCleanup(self.held.gate.set)

    def run_named(self, name: str) -> Deferred[str]:
        """Begin some work."""
        return self.threads.run(name, self.held.named(name))

    async def test_bounded(self) -> None:
        """What finds the threads busy waits, up to a bound; more is told to come later."""
        working = [self.run_named(str(number)) for number in range(5)]
        with self.assertRaises(Unavailable) as raised:
            self.run_named("one too many")
        self.assertEqual(1.0, raised.exception.retry_after)
        self.held.gate.set()
        self.assertEqual(list("01234"), await gatherResults(working))
        self.assertEqual(set("01234"), set(self.held.begun))
        self.assertEqual("again", await self.run_named("again"))

    async def test_shared(self) -> None:
        """Who asks for what somebody waits for joins in, and takes no room."""
        working = [self.run_named("same") for _ in range(20)]
        self.held.gate.set()
        self.assertEqual(["same"] * 20, await gatherResults(working))
        self.assertEqual(["same"], self.held.begun)
        await self.run_named("same")
        self.assertEqual(["same", "same"], self.held.begun)

    async def test_given_up(self) -> None:
        """What nobody waits for any more isn't begun; who still waits isn't disturbed."""
        first = [self.run_named(name) for name in "ab"]
        gone, shared, left = self.run_named("c"), self.run_named("d"), self.run_named("d")
        for each in (gone, shared, first[0]):
            each.cancel()
            each.addErrback(lambda _: None)
        self.held.gate.set()
        self.assertEqual("b", await first[1])
        self.assertEqual("d", await left)
        self.assertNotIn("c", self.held.begun)

    async def test_fails(self) -> None:
        """What is raised is raised to all who wait, and stops nothing else."""

        def fail() -> None:
            raise ZeroDivisionError

        for each in [self.threads.run("x", fail) for _ in range(2)]:
            with self.assertRaises(ZeroDivisionError):
                await each
        self.held.gate.set()
        self.assertEqual("a", await self.run_named("a"))

    async def test_closed(self) -> None:
        """What has begun ends, what waits is dropped, and the threads are gone."""
        working = [self.run_named(name) for name in "abc"]
        closing = Deferred.fromCoroutine(self.threads.close())
        self.assertFalse(closing.called)
        with self.assertRaises(Unavailable):
            await working[2]
        with self.assertRaises(Unavailable):
            self.run_named("later")
        self.held.gate.set()
        await closing
        self.assertEqual(["a", "b"], await gatherResults(working[:2]))
        self.assertEqual([], [each for each in self.threads._pool.threads if each.is_alive()])


class LoginCase(LiveCase):
    """The gateway, as the service puts it together."""

    def know(self, **users: str) -> None:
        """Know some users by their passwords, or hashes of them."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "scimgw.json").write_text('{"plugins": ["plugin-loki"]}')
        plugin: dict[str, Any] = {"scimgateway": section(1), "endpoint": {}}
        plugin["scimgateway"]["auth"] = {
            "basic": [{"username": name, "password": each} for name, each in users.items()]
        }
        (folder / "plugin-loki.json").write_text(json.dumps(plugin))
        (config,) = load(folder).plugins
        self.service = PluginService(config, reactor)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.service._threads.close()))

    def gateway(self, user: str, password: str, address: str = "192.0.2.1") -> Gateway:
        """Be somebody."""
        gateway = Gateway(self, self.service)
        headers = {"Connection": "close"}
        gateway._client = Client(self.service.site, user, password, headers, address=address)
        return gateway

    async def status(self, user: str, password: str, address: str = "192.0.2.1") -> int:
        """Make a request as somebody, and give the status of the answer."""
        return (await self.gateway(user, password, address).request("GET", "/Users")).status


class LoginTests(LoginCase):
    """Logins whose passwords are known by hashes, and in clear."""

    def setUp(self) -> None:
        """Know one user by a hash, another in clear."""
        self.know(hashed=str(Scrypt.made(b"right", os.urandom, USUAL)), clear="password")

    async def test_let_in(self) -> None:
        """Who is known by a hash gets in with the password, and with nothing else."""
        self.assertEqual(200, await self.status("hashed", "right"))
        self.assertEqual(401, await self.status("hashed", "wrong"))
        self.assertEqual(200, await self.status("clear", "password"))
        self.assertEqual(401, await self.status("nobody", "right"))

    def hold(self) -> Held:
        """Keep all threads busy until they are told to go on."""
        held = Held()
        self.addCleanup(held.gate.set)
        for number in range(THREADS):
            self.service._threads.run(number, held.named(str(number)))
        return held

    async def test_reactor_goes_on(self) -> None:
        """While wrong logins wait for a thread others are answered: the reactor verifies none."""
        held = self.hold()
        wrong = [
            Deferred.fromCoroutine(self.status(name, f"wrong{number}", f"198.51.100.{number}"))
            for number in range(4)  # from everywhere, since many from one address are slowed down
            for name in ("hashed", "nobody", f"somebody{number}")
        ]
        for _ in range(10):
            self.assertEqual(200, await self.status("clear", "password"))
            await deferLater(reactor, 0)
        self.assertFalse(any(each.called for each in wrong))
        held.gate.set()
        self.assertEqual({401}, set(await gatherResults(wrong)))

    async def test_too_many(self) -> None:
        """What is too much at a time is 503 with Retry-After, and not for who is known already."""
        self.assertEqual(200, await self.status("hashed", "right"))
        self.hold()
        flood = [
            Deferred.fromCoroutine(
                self.gateway(f"x{number}", "x", f"198.51.100.{number}").request("GET", "/Users")
            )
            for number in range(WAITING + 8)
        ]
        self.assertEqual(200, await self.status("hashed", "right"))
        refused = [await each for each in flood if each.called]
        self.assertEqual([503] * 8, [each.status for each in refused])
        self.assertEqual({"1"}, {each.headers["Retry-After"] for each in refused})
        for each in flood:
            each.cancel()
            each.addErrback(lambda _: None)
        # who has left isn't verified any more
        self.assertEqual(0, len(self.service._threads._queue))


class BurstTests(LoginCase):
    """Many logins from one address at the same moment."""

    def setUp(self) -> None:
        """Know several users by hashes."""
        cost = Cost(14, 8, 1)
        self.users = {
            f"user{each}": str(Scrypt.made(b"right", os.urandom, cost)) for each in range(12)
        }
        self.know(**self.users)

    async def test_first_logins(self) -> None:
        """After a start, all who belong here get in at once, though they come from one address."""
        statuses = [Deferred.fromCoroutine(self.status(name, "right")) for name in self.users]
        self.assertEqual({200}, set(await gatherResults(statuses)))

    async def test_guesses(self) -> None:
        """Of guesses at the same moment no more are looked at than one after the other."""
        guesses = [Deferred.fromCoroutine(self.status(name, "wrong")) for name in self.users]
        statuses = await gatherResults(guesses)
        self.assertEqual((5, 7), (statuses.count(401), statuses.count(429)), statuses)
