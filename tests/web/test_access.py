"""Who may do what: every route with no, wrong, read-only and other-tenant credentials."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.http_headers import Headers

from scimgw.auth.basic import BasicAuthenticator
from scimgw.auth.chain import Authenticator, Chain
from scimgw.auth.throttle import FORGIVEN
from scimgw.connector import NO_ENTITY, ApiRequest, Call, Principal
from scimgw.errors import Forbidden
from scimgw.gateway.endpoint import Endpoint
from scimgw.gateway.readonly import read_only
from scimgw.scim.changes import Changes
from scimgw.scim.cursor import Cursors
from scimgw.scim.resource import Resource
from scimgw.scim.schema import USER
from scimgw.secret import Secret
from scimgw.testing.client import Client
from scimgw.web.chaining import outgoing, path_of
from scimgw.web.request import ScimRequest
from scimgw.web.root import Limits
from scimgw.web.site import ScimSite
from tests.web.test_extension import Both
from tests.web.world import WebCase

SEARCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
READS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/", None),
    ("POST", "/.search", SEARCH),
    ("GET", "/Users", None),
    ("HEAD", "/Users", None),
    ("OPTIONS", "/Users", None),
    ("GET", "/Users?cursor", None),
    ("POST", "/Users/.search", SEARCH),
    ("GET", "/Users/{id}", None),
    ("GET", "/Groups", None),
    ("GET", "/Schemas", None),
    ("GET", "/ResourceTypes", None),
    ("GET", "/ResourceTypes/User", None),
    ("GET", "/Me", None),
    ("GET", "/api", None),
    ("GET", "/api/1", None),
)
WRITES: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/Users", {"userName": "x"}),
    ("POST", "/Groups", {"displayName": "x"}),
    ("PUT", "/Users/{id}", {"userName": "walker"}),
    ("PATCH", "/Users/{id}", {}),
    ("DELETE", "/Users/{id}", None),
    ("PUT", "/Me", {"userName": "x"}),
    ("PATCH", "/Me", {}),
    ("DELETE", "/Me", None),
    ("POST", "/Bulk", {"Operations": []}),
    ("POST", "/api", {}),
    ("PUT", "/api/1", {}),
    ("PATCH", "/api/1", {}),
    ("DELETE", "/api/1", None),
    ("PURGE", "/Users", None),
)
USERS = (
    Principal("gwadmin"),
    Principal("reader", read_only=True),
    Principal("tenant", entities=frozenset({"clientA"})),
    Principal("nameless", entities=frozenset({NO_ENTITY})),
)


class AccessCase(WebCase):
    """Has a site for one who may do all, one who may only read, one of a tenant."""

    def setUp(self) -> None:
        """Serve the document store, which answers /api as well."""
        super().setUp()
        self.endpoint = Endpoint(connector=Both(*self.loki_arguments()), clock=self.clock)
        chain = Chain(self.ways())
        names = {each.name: "walker" for each in USERS}
        self.site = ScimSite(
            self.endpoint,
            chain,
            frozenset({NO_ENTITY, "clientA"}),
            Limits(me=names),
            self.clock,
            cursors=Cursors(key=b"k" * 32, lifetime=60),
        )
        self.client = Client(self.site)
        self.reader = Client(self.site, user="reader")
        self.tenant = Client(self.site, user="tenant")
        self.nameless = Client(self.site, user="nameless")
        created = self.json(201, self.client.post("/clientA/Users", {"userName": "walker"}))
        self.user = created["id"]

    def ways(self) -> list[Authenticator]:
        """Let in by passwords."""
        return [BasicAuthenticator((each, Secret("password")) for each in USERS)]

    def statuses(self, client: Client, routes: Any, prefix: str) -> dict[str, int]:
        """Make a request of each route, none too soon after another; tell what is answered."""
        answered = {}
        for method, path, body in routes:
            self.clock.advance(FORGIVEN)
            response = client.request(method, prefix + path.format(id=self.user), body)
            answered[f"{method} {path}"] = response.status
        return answered


class WalkTests(AccessCase):
    """Every route."""

    def test_without_credentials(self) -> None:
        """No route but the public ones answers whoever has none, or wrong ones."""
        for client in (
            Client(self.site, headers={"Authorization": "Bearer x"}),
            Client(self.site, password="wrong"),
            Client(self.site, user="nobody"),
        ):
            for prefix in ("", "/clientA", "/scim/v2", "/nowhere"):
                answered = self.statuses(client, READS + WRITES, prefix)
                self.assertEqual(dict.fromkeys(answered, 401), answered)
        no = self.client.request("GET", "/Users", headers={"Authorization": None})
        self.assertEqual(401, no.status)

    def test_read_only(self) -> None:
        """Who may only read is answered whatever reads, and 403 whatever writes."""
        answered = self.statuses(self.reader, READS, "/clientA")
        self.assertEqual(self.statuses(self.client, READS, "/clientA"), answered)
        self.assertLessEqual(set(answered.values()), {200, 204})
        answered = self.statuses(self.reader, WRITES, "/clientA")
        self.assertEqual(dict.fromkeys(answered, 403), answered)
        self.assertEqual(200, self.client.get(f"/clientA/Users/{self.user}").status)

    def test_another_tenant(self) -> None:
        """A base entity of others is answered exactly as one that there isn't."""
        for method, template, body in READS + WRITES:
            path = template.format(id=self.user)
            for prefix, name in (("", "undefined"), ("/scim/v2", "undefined")):
                others = self.tenant.request(method, prefix + path, body)
                self.assertEqual(404, others.status, (method, path))
                if method != "HEAD":
                    detail = others.json()["detail"]
                    self.assertEqual(f"no base entity {name!r}", detail)
            unknown = self.tenant.request(method, "/nowhere" + path, body)
            self.assertEqual(404, unknown.status)
        answered = self.statuses(self.tenant, READS, "/clientA")
        self.assertLessEqual(set(answered.values()), {200, 204})

    def test_cursor_of_another_tenant(self) -> None:
        """A cursor leads nobody into a base entity that isn't theirs."""
        self.client.post("/clientA/Users", {"userName": "second"})
        first = self.json(200, self.tenant.get("/clientA/Users?cursor&count=1"))
        self.assertEqual(404, self.tenant.get(f"/Users?cursor={first['nextCursor']}").status)

    def test_public(self) -> None:
        """What is public asks nobody, and tells nobody which base entities there are."""
        for path in (
            "/ping",
            *(f"{each}/ServiceProviderConfig" for each in ("", "/clientA", "/x")),
        ):
            answer = self.client.request("GET", path, headers={"Authorization": None})
            self.assertEqual(200, answer.status, path)


class HandingTests(AccessCase):
    """The same before another gateway."""

    def setUp(self) -> None:
        """Hand everything on."""
        super().setUp()

        self.sent: Headers | None = None
        self.path = b""

        async def hand_on(request: ScimRequest) -> None:
            self.sent, self.path = outgoing(request), path_of(request.uri)
            request.setResponseCode(299)
            request.finish()

        self.site.hand_on(hand_on)

    def test_read_only(self) -> None:
        """Who may only read has nothing handed on that writes."""
        answered = self.statuses(self.reader, READS, "/clientA")
        self.assertEqual(dict.fromkeys(answered, 299), answered)
        answered = self.statuses(self.reader, WRITES, "/clientA")
        self.assertEqual(dict.fromkeys(answered, 403), answered)

    def test_another_tenant(self) -> None:
        """Who is limited to base entities gets out of them by no spelling of a path."""
        for path in (
            "/Users",
            "/clientB/Users",
            "//clientB/Users",
            "/scim/clientB/Users",
            "/clientA/../clientB/Users",
            "/clientA/%2e%2e/clientB/Users",
            "/clientA%2F..%2FclientB/Users",
            "/clientA/Users/../../clientB/Users",
            "/clientA/Users/..%2F..%2FclientB%2FUsers",
            "/clientA/Users/..%5C..%5CclientB",
            "/clientA/Users//x",
        ):
            self.assertEqual(404, self.tenant.get(path).status, path)
        for path in ("/clientA/Users", "/clientA/Users/a%2Fb", "/clientA/scim/v2/Groups/x.y"):
            self.assertEqual(299, self.tenant.get(path).status, path)

    def test_without_name(self) -> None:
        """Nor does who is limited to the one that has no name in the URL."""
        for path in (
            "//clientA/Users",
            "/scim//clientA/Users",
            "/.search/../clientA",
            "/Users/..;/x",
        ):
            self.assertEqual(404, self.nameless.get(path).status, path)
        for path in ("?://x/clientA/Users", "x?://x/clientA/Users"):
            self.assertEqual(400, self.nameless.get(path).status, path)
        for path in ("/Users", "/", "http://x/Users", "http://x?://x/clientA/Users"):
            self.assertEqual(299, self.nameless.get(path).status, path)
            self.assertEqual(b"/", self.path[:1])
            self.assertNotIn(b"clientA", self.path.partition(b"?")[0])

    def test_read_only_search(self) -> None:
        """A search that the next gateway might take for something else isn't one."""
        for path in ("/.search/../Users", "/clientA/.search/../Users", "/pub/../Users"):
            self.assertEqual(403, self.reader.post(path, {}).status, path)
        self.assertEqual(400, self.reader.post("/Users#/.search", {}).status)
        self.assertEqual(b"", self.path)

    def test_read_only_no_search(self) -> None:
        """Only resources are searched: below anything else it is a write, whatever it is called."""
        for path in ("/api/.search", "/clientA/api/.search", "/Bulk/.search", "/oauth/.search"):
            self.assertEqual(403, self.reader.post(path, {}).status, path)
        self.assertEqual(b"", self.path)

    def test_another_method(self) -> None:
        """What would make another method of a request isn't handed on."""
        names = ("X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X_HTTP_Method")
        headers = {**dict.fromkeys(names, "DELETE"), "X-Other": "y"}
        self.assertEqual(299, self.reader.get("/clientA/Users/1", **headers).status)
        assert self.sent is not None
        self.assertTrue(self.sent.hasHeader("X-Other"))
        self.assertEqual([], [name for name in names if self.sent.hasHeader(name)])


class ReadOnlyTests(AccessCase):
    """The endpoint that is left, whatever the routes let through."""

    def test_refused(self) -> None:
        """No use case can write to it."""
        connector = read_only(self.endpoint).connector
        call = Call(entity="clientA", principal=Principal("reader"), request_id="1", deadline=60.0)
        resource = Resource(USER, {"userName": "x"})
        for write in (
            connector.create(call, USER, resource),
            connector.modify(call, USER, self.user, Changes(), None),
            connector.delete(call, USER, self.user, None),
        ):
            self.failureResultOf(self.started(write), Forbidden)
        self.assertEqual(self.endpoint.connector.resource_types, connector.resource_types)

    def test_api(self) -> None:
        """Nor can what answers /api."""
        api = read_only(self.endpoint).api
        assert api is not None
        call = Call(entity="clientA", principal=Principal("reader"), request_id="1", deadline=60.0)
        self.failureResultOf(self.started(api.api(call, ApiRequest(method="PUT"))), Forbidden)
        answer = self.successResultOf(self.started(api.api(call, ApiRequest(method="GET"))))
        self.assertEqual("clientA None", answer.body)

    def started(self, work: Awaitable[Any]) -> Deferred[Any]:
        """Begin."""

        async def awaited() -> Any:
            return await work

        return Deferred.fromCoroutine(awaited())
