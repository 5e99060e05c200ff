"""What becomes of requests while the directory is killed, and when there are too many."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from tests.live.case import reactor
from tests.live.gateway import Gateway, GatewayCase, replace
from tests.live.slapd import Slapd

CLIENTS = 50
MANY = 100
"""Answers of a kind that are waited for."""


class Client:
    """Creates, changes, reads and searches users of its own, and remembers what it was told."""

    def __init__(self, gateway: Gateway, number: int) -> None:
        self.told: Counter[int] = Counter()
        self.stored: dict[str, str | None] = {}
        """Titles by id, as they were acknowledged; None where that isn't known."""
        self.wrong: list[Any] = []
        self.stop = False
        self._gateway = gateway
        self._number = number
        self._random = Random(number)  # noqa: S311 - what is done isn't secret
        self._made = 0

    async def run(self) -> None:
        """Go on until told to stop."""
        while not self.stop:
            act = self._random.choice([self._create, self._change, self._read, self._search])
            status = await act()
            self.told[status] += 1
            if status == 503:
                await deferLater(reactor, 0.02)

    async def _create(self) -> int:
        self._made += 1
        body = {"userName": f"user{self._number}-{self._made}", "title": "new"}
        response = await self._gateway.request("POST", "/Users", body)
        if response.status == 201:
            self.stored[response.json()["id"]] = "new"
        return response.status

    async def _change(self) -> int:
        id = self._some()
        if id is None:
            return await self._create()
        title = f"t{self._random.random()}"
        body = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [replace("title", title)],
        }
        response = await self._gateway.request("PATCH", f"/Users/{id}", body)
        self.stored[id] = title if response.status == 200 else None
        return response.status

    async def _read(self) -> int:
        id = self._some()
        if id is None:
            return await self._create()
        response = await self._gateway.request("GET", f"/Users/{id}")
        if response.status == 200:
            self._check(id, response.json())
        return response.status

    async def _search(self) -> int:
        filter = f"filter=userName%20eq%20%22user{self._number}-{max(self._made, 1)}%22"
        response = await self._gateway.request("GET", f"/Users?{filter}")
        if response.status == 200:
            for user in response.json()["Resources"]:
                self._check(user["id"], user)
        return response.status

    def _some(self) -> str | None:
        return self._random.choice(list(self.stored)) if self.stored else None

    def _check(self, id: str, user: Any) -> None:
        expected = self.stored.get(id)
        if expected is not None and user["title"] != expected:
            self.wrong.append((id, expected, user))

    async def verify(self) -> None:
        """Look whether all that was acknowledged is there."""
        for id in self.stored:
            self._check(id, await self._gateway.get(f"/Users/{id}"))


def counted(clients: list[Client]) -> Counter[int]:
    """Count what all were told."""
    return sum((client.told for client in clients), Counter())


async def told(clients: list[Client], *statuses: int) -> None:
    """Wait until the clients are told more of some statuses."""
    before = counted(clients)
    while not all(counted(clients)[each] >= before[each] + MANY for each in statuses):
        await deferLater(reactor, 0.02)


class LoadTests(GatewayCase):
    """Many clients."""

    async def assert_survives(self, end: str) -> None:
        """End the directory and start it again under load, twice: all answers are right, or 503."""
        server = await self.own(Slapd.start)
        gateway = await self.over(server)
        clients = [Client(gateway, number) for number in range(CLIENTS)]
        running = [Deferred.fromCoroutine(client.run()) for client in clients]
        for _ in range(2):
            await told(clients, 200, 201)
            await getattr(server, end)()
            await told(clients, 503)
            await server.start_again()
            await gateway.eventually("/Users?count=1")
        for client in clients:
            client.stop = True
        await gatherResults(running)
        statuses = counted(clients)
        self.assertEqual({200, 201, 503}, set(statuses), statuses)
        if end == "stop":
            for client in clients:
                await client.verify()
        self.assertEqual([], [each for client in clients for each in client.wrong])
        ada = await gateway.post("/Users", {"userName": "ada"})
        await gateway.delete(f"/Users/{ada['id']}")

    async def test_stopped(self) -> None:
        """A directory that is stopped and started loses nothing that was acknowledged."""
        await self.assert_survives("stop")

    async def test_killed(self) -> None:
        """A directory that is killed and started makes for answers that are right, or 503."""
        await self.assert_survives("kill")

    async def test_crowd(self) -> None:
        """Many more requests than connections are all answered."""
        server = await self.own(Slapd.start)
        gateway = await self.over(server, connections=2)
        for number in range(10):
            await gateway.post("/Users", {"userName": f"user{number}"})
        requests = [
            Deferred.fromCoroutine(gateway.request("GET", path))
            for _ in range(100)
            for path in ("/Users?count=3", "/Users?startIndex=5&count=2")
        ]
        answers = await gatherResults(requests)
        self.assertEqual({200}, {answer.status for answer in answers})

    async def test_left(self) -> None:
        """Clients that leave in the middle of a search leave no connection taken."""
        server = await self.own(Slapd.start)
        gateway = await self.over(server, connections=2)
        for number in range(10):
            await gateway.post("/Users", {"userName": f"user{number}"})
        for _ in range(10):
            leaving = [
                Deferred.fromCoroutine(gateway.request("GET", "/Users?count=3")) for _ in range(8)
            ]
            await deferLater(reactor, 0.002)
            for each in leaving:
                each.addErrback(lambda failure: failure.trap(CancelledError))
                each.cancel()
        self.assertEqual(10, (await gateway.get("/Users"))["totalResults"])
