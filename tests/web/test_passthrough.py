"""The callers' own credentials on their way through a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel, capturedLogs, formatEvent

from connectors.loki import LokiConnector
from scimgw.auth.chain import Chain
from scimgw.auth.passthrough import NAME, PassedBasic, PassedToken
from scimgw.auth.throttle import FORGIVEN
from scimgw.connector import NO_ENTITY, Call, Capabilities, Principal
from scimgw.errors import Forbidden, Unauthorized
from scimgw.gateway.endpoint import Endpoint
from scimgw.scim.cursor import Cursors
from scimgw.scim.query import Page, Query
from scimgw.scim.schema import ResourceType
from scimgw.secret import Secret
from scimgw.testing.client import Client, Connection, parse
from scimgw.web.root import Limits
from scimgw.web.site import ScimSite
from tests.auth.test_basic import basic
from tests.web.world import WebCase


class Judging(LokiConnector):
    """A store that lets in whose password is right, and tells each something of its own."""

    asked: list[Call]

    async def search(self, call: Call, query: Query) -> Page:
        """Judge, and search."""
        self.judge(call)
        return await super().search(call, query)

    async def delete(self, call: Call, type: ResourceType, id: str, if_version: str | None) -> None:
        """Judge, and delete."""
        self.judge(call)
        await super().delete(call, type, id, if_version)

    def judge(self, call: Call) -> None:
        """Refuse some."""
        self.asked.append(call)
        if "wrong" in call.principal.name or call.credentials == Secret(basic("jsmith:wrong")):
            raise Unauthorized("wrong password")
        if call.credentials == Secret(basic("guest:guest")):
            raise Forbidden("guests see nothing")

    async def learn(self, call: Call) -> Mapping[ResourceType, Capabilities]:
        """Say the same of itself to each, in an answer of its own."""
        return {type: self.capabilities(type) for type in self.resource_types}


class PassedCase(WebCase):
    """Has a site that passes credentials through."""

    def setUp(self) -> None:
        """Serve."""
        super().setUp()
        self.connector = Judging(*self.loki_arguments())
        self.connector.asked = []
        self.endpoint = Endpoint(connector=self.connector, clock=self.clock)
        self.let_in(Principal(NAME))

    def let_in(self, anybody: Principal, limits: Limits | None = None) -> None:
        """Let anybody do what somebody may."""
        self.site = ScimSite(
            self.endpoint,
            Chain([PassedBasic(anybody), PassedToken(anybody)], elsewhere=True),
            frozenset({NO_ENTITY, "clientA"}),
            limits or Limits(),
            self.clock,
            cursors=Cursors(key=b"k" * 32, lifetime=60),
        )

    def who(self, header: str) -> Client:
        """Be somebody."""
        return Client(self.site, headers={"Authorization": header})


class PassedTests(PassedCase):
    """Who is served, and as whom."""

    def test_on(self) -> None:
        """The connector gets the header, whole, and whose it is said to be."""
        for header, name in ((basic("jsmith:p"), "jsmith"), ("Bearer abc", NAME)):
            self.assertEqual(200, self.who(header).get("/Users").status)
            call = self.connector.asked[-1]
            self.assertEqual((name, Secret(header)), (call.principal.name, call.credentials))
            self.assertNotIn(header.split()[1], repr(call))

    def test_judged(self) -> None:
        """The endpoint's 401 is the client's, with what to show; so is its 403."""
        wrong = self.who(basic("jsmith:wrong")).get("/Users")
        self.error(401, wrong)
        self.assertEqual(
            ['Basic realm="scimgw", charset="UTF-8"', 'Bearer realm="scimgw"'],
            wrong.headers.get_all("WWW-Authenticate"),
        )
        self.error(403, self.who(basic("guest:guest")).get("/Users"))

    def test_hostile(self) -> None:
        """What can't be a header's value gets to no connector."""
        for header in (
            "Bearer a\x00b",
            "Bearer a\x1bb",
            "Bearer a\rX: y",
            "Bearer a\tb",
            "Bearer é",
            "Basic \x01",
            "Negotiate abc",
            "Bearer a\r\nAuthorization: Bearer b",
            " ",
        ):
            self.assertIn(self.who(header).get("/Users").status, {400, 401}, header)
        self.assertEqual([], self.connector.asked)
        no = self.who("x").request("GET", "/Users", headers={"Authorization": None})
        self.assertEqual(401, no.status)

    def guess(self, number: int) -> int:
        """Show credentials that the endpoint doesn't know, and give the status."""
        return self.who(basic(f"wrong{number}:x")).get("/Users").status

    def test_guessing(self) -> None:
        """What the endpoint refuses counts; then nothing goes on from that address for a while."""
        with capturedLogs() as logs:
            self.assertEqual([401] * 5 + [429], [self.guess(each) for each in range(6)])
        told = [formatEvent(each) for each in logs if each["log_level"] is LogLevel.warn]
        self.assertIn("as 'wrong0': the endpoint refuses the credentials", told[0])
        self.assertIn("as 'wrong5': wrong credentials were presented too often", told[1])
        asked = len(self.connector.asked)
        refused = self.who(basic("jsmith:p")).get("/Users")
        self.error(429, refused)
        self.assertEqual("1", refused.headers["Retry-After"])
        self.assertEqual(asked, len(self.connector.asked))
        elsewhere = Client(
            self.site, headers={"Authorization": basic("jsmith:p")}, address="192.0.2.9"
        )
        self.assertEqual(200, elsewhere.get("/Users").status)
        self.clock.advance(FORGIVEN)
        self.assertEqual(200, self.who(basic("jsmith:p")).get("/Users").status)

    def test_guessing_beside_others(self) -> None:
        """Who has got in by a secret that can't be guessed goes on to, whoever guesses there."""
        token, short = "Bearer a-token-of-some-length", "Bearer short"
        for each in (token, short):
            self.assertEqual(200, self.who(each).get("/Users").status)
        self.assertEqual([401] * 5 + [429], [self.guess(each) for each in range(6)])
        self.assertEqual(200, self.who(token).get("/Users").status)
        for each in (short, "Bearer another-token-of-some-length"):
            self.error(429, self.who(each).get("/Users"))

    def test_expired(self) -> None:
        """A token that was good, and isn't any more, was no guess: there is a new one."""
        judge = self.connector.judge
        tokens = [f"Bearer a-token-of-some-length-{each}" for each in range(10)]
        for each in tokens:
            self.assertEqual(200, self.who(each).get("/Users").status)

        def expired(call: Call) -> None:
            judge(call)
            if call.credentials in [*map(Secret, tokens)]:
                raise Unauthorized("expired")

        self.patch(self.connector, "judge", expired)
        for each in tokens:
            self.assertEqual(401, self.who(each).get("/Users").status)
        self.assertEqual(200, self.who("Bearer new").get("/Users").status)

    def test_guessing_again(self) -> None:
        """A job with an old password slows down itself, and nobody else."""
        old = self.who(basic("wrong:old"))
        self.assertEqual([401] * 5 + [429], [old.get("/Users").status for _ in range(6)])
        self.assertEqual(200, self.who(basic("jsmith:p")).get("/Users").status)

    def test_guessing_by_bulk(self) -> None:
        """A bulk request is 200 whatever becomes of it, and no way round."""
        message = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "DELETE", "path": "/Users/bjensen"}],
        }
        for each, status in enumerate([200] * 5 + [429]):
            answer = self.who(basic(f"wrong{each}:x")).post("/Bulk", message)
            self.assertEqual(status, answer.status)

    def test_right_is_not_counted(self) -> None:
        """Many callers behind one address are served, as long as the endpoint knows them."""
        for each in range(20):
            self.assertEqual(200, self.who(basic(f"user{each}:x")).get("/Users").status)

    def test_limits(self) -> None:
        """Who passes through may be limited as anybody else."""
        self.let_in(Principal(NAME, read_only=True, entities=frozenset({"clientA"})))
        client = self.who(basic("jsmith:p"))
        self.assertEqual(200, client.get("/clientA/Users").status)
        self.assertEqual(404, client.get("/Users").status)
        self.assertEqual(403, client.post("/clientA/Users", {"userName": "x"}).status)

    def test_cursors(self) -> None:
        """A cursor is of no use to whoever shows other credentials, be it under the same name."""
        first = self.json(200, self.who("Bearer a").get("/Users?cursor&count=1"))
        path = f"/Users?count=1&cursor={first['nextCursor']}"
        self.assertEqual(200, self.who("Bearer a").get(path).status)
        self.error(400, self.who("Bearer b").get(path), "invalidCursor")
        mine = self.json(200, self.who(basic("jsmith:p")).get("/Users?cursor&count=1"))
        path = f"/Users?count=1&cursor={mine['nextCursor']}"
        self.error(400, self.who(basic("jsmith:q")).get(path), "invalidCursor")

    def test_nothing_kept(self) -> None:
        """What the endpoint says of itself to one isn't kept for others."""
        for header in ("Bearer a", "Bearer b"):
            self.assertEqual(200, self.who(header).get("/Users").status)
        self.assertEqual({}, self.endpoint._views)


class SlowTests(PassedCase):
    """What happens while the endpoint judges."""

    def setUp(self) -> None:
        """Have the endpoint take its time."""
        super().setUp()
        self.gates: dict[str, list[Deferred[None]]] = {}
        connector = self.connector

        async def judged(call: Call, query: Query) -> Page:
            gate: Deferred[None] = Deferred()
            assert call.credentials is not None
            self.gates.setdefault(call.credentials.reveal(), []).append(gate)
            await gate
            connector.judge(call)
            return await LokiConnector.search(connector, call, query)

        self.patch(connector, "search", judged)

    def ask(self, header: str, path: str = "/Users") -> Connection:
        """Begin a request."""
        connection = Connection(self.site)
        connection.send(self.who(header).encoded("GET", path))
        return connection

    def judge(self, header: str) -> None:
        """Have the endpoint judge the requests of somebody."""
        for gate in self.gates.pop(header):
            gate.callback(None)

    def statuses(self, asked: Iterable[Connection]) -> list[int]:
        """Give the statuses of answers, 0 where there is none yet."""
        answers = (each.received() for each in asked)
        return [parse(each).status if each else 0 for each in answers]

    def test_guesses(self) -> None:
        """Of guesses at the same time as few go on as one after the other."""
        headers = [basic(f"wrong{each}:x") for each in range(50)]
        asked = [self.ask(each) for each in headers]
        self.assertEqual(headers[:5], list(self.gates))
        for each in headers[:5]:
            self.judge(each)
        self.assertEqual([401] * 5 + [429] * 45, self.statuses(asked))
        self.assertEqual({}, self.gates)

    def test_burst(self) -> None:
        """All whom the endpoint knows are served, though they come at once."""
        headers = [basic(f"user{each}:x") for each in range(20)]
        asked = [self.ask(each) for each in headers]
        for each in headers:
            self.judge(each)
        self.assertEqual([200] * 20, self.statuses(asked))

    def test_few(self) -> None:
        """Those who wait leave most of what may be under way to others."""
        self.let_in(Principal(NAME), Limits(max_requests=40))
        asked = [self.ask(basic(f"wrong{each}:x")) for each in range(40)]
        self.assertEqual([0] * 10 + [429] * 30, self.statuses(asked))
        other = Client(self.site, headers={"Authorization": basic("me:x")}, address="192.0.2.9")
        self.assertEqual(200, other.get("/Schemas").status)

    def test_same(self) -> None:
        """One who makes many requests at once waits for none of them."""
        asked = [self.ask(basic("jsmith:p")) for _ in range(20)]
        self.assertEqual(20, len(self.gates[basic("jsmith:p")]))
        self.judge(basic("jsmith:p"))
        self.assertEqual([200] * 20, self.statuses(asked))

    def test_known(self) -> None:
        """Whom the endpoint has let in, whatever for, waits for nobody."""
        for path in ("/Users", "/?filter=userName%20eq%20%22x%22"):
            known = self.ask(f"Bearer {path}", path)
            self.judge(f"Bearer {path}")
            self.assertEqual([200], self.statuses([known]))
        for each in range(10):
            self.ask(basic(f"wrong{each}:x"))
        for path in ("/Users", "/?filter=userName%20eq%20%22x%22"):
            known = self.ask(f"Bearer {path}")
            self.judge(f"Bearer {path}")
            self.assertEqual([200], self.statuses([known]))

    def test_known_by_nobody(self) -> None:
        """What the gateway answers by itself tells nothing of who it is."""
        message = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "DELETE", "path": "/Nothing/x"}],
        }
        for each in range(5):
            client = self.who(f"Bearer {each}")
            for status, answer in (
                (200, client.get("/Schemas")),
                (204, client.request("OPTIONS", "/Users")),
                (404, client.get("/nothing")),
                (200, client.post("/Bulk", message)),
            ):
                self.assertEqual(status, answer.status)
            self.ask(f"Bearer {each}")
        self.ask("Bearer 5")
        self.assertEqual([f"Bearer {each}" for each in range(5)], list(self.gates))

    def test_known_by_bulk(self) -> None:
        """A bulk request of which something was done tells it."""
        message = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                {"method": "POST", "bulkId": "x", "path": "/Users", "data": {"userName": "x"}}
            ],
        }
        done = self.who("Bearer known").post("/Bulk", message).json()
        self.assertEqual(["201"], [each["status"] for each in done["Operations"]])
        for each in range(6):
            self.ask(f"Bearer {each}")
        self.ask("Bearer known")
        self.assertEqual([*(f"Bearer {each}" for each in range(5)), "Bearer known"], [*self.gates])

    def test_left(self) -> None:
        """Who leaves has guessed: where refusals take long, it tells enough that there is none."""
        asked = [self.ask(basic(f"wrong{each}:x")) for each in range(7)]
        self.assertEqual(5, len(self.gates))
        asked[5].lose()  # from the line, which tells nothing
        for each in asked[:4]:
            each.lose()
        self.assertEqual(5, len(self.gates))
        self.judge(basic("wrong4:x"))
        self.assertEqual([401, 429], self.statuses([asked[4], asked[6]]))

    def test_left_by_known(self) -> None:
        """Whom the endpoint has let in may leave as often as it likes."""
        known = [basic(f"user{each}:x") for each in range(5)]
        asked = [self.ask(each) for each in known]
        for each in known:
            self.judge(each)
        self.assertEqual([200] * 5, self.statuses(asked))
        for each in known * 3:
            self.ask(each).lose()
        self.gates.clear()
        self.ask("Bearer x")
        self.assertIn("Bearer x", self.gates)
