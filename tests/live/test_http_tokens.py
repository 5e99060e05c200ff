"""The HTTP client against a real token server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import trustme
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from scimgw.clients.http import Auth, AuthOptions, HttpClient, Request
from scimgw.clients.http.build import credential
from scimgw.clients.http.settings import Connection
from scimgw.connector import Misconfigured
from scimgw.errors import BadGateway, Unauthorized, Unavailable
from scimgw.secret import Secret
from tests.live.faulty import FaultyServer
from tests.live.http_case import HASTY, PATIENT, HttpCase, reactor, services
from tests.live.ports import free_port
from tests.live.processes import NODE, OAUTH, needed, run


class TokenCase(HttpCase):
    """Has a token server, and an endpoint that keeps what it is shown."""

    options = PATIENT

    async def issuer(self) -> str:
        """Start the token server, and give its address."""
        node, port = needed(NODE, "nodejs"), free_port()
        script = needed(OAUTH, "oauth2-mock-server (npm)") + "/dist/oauth2-mock-server.mjs"
        await run(self, port, [node, script, "-a", "127.0.0.1", "-p", str(port)])
        return f"http://127.0.0.1:{port}"

    def endpoint(self, **options: Any) -> HttpClient:
        """Make a client that shows a token."""
        self.server = FaultyServer()
        port = self.server.listen()
        self.addCleanup(port.stopListening)
        type = options.pop("type", "oauth")
        auth = Auth(type=type, options=AuthOptions(**options))
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        url = f"http://127.0.0.1:{port.getHost().port}"
        own = trustme.CA().issue_cert("gateway@example.com")
        own.private_key_pem.write_to_path(str(self.folder / "key.pem"))
        own.cert_chain_pems[0].write_to_path(str(self.folder / "cert.pem"))
        return self.client(url, auth=auth, folder=self.folder, options=self.options)

    def shown(self) -> list[str]:
        """Give the tokens that the endpoint was shown."""
        return [
            line.partition(b"Bearer ")[2].decode()
            for request in self.server.requests
            for line in request.split(b"\r\n")
            if line.lower().startswith(b"authorization:")
        ]


GOOD = Request(method="GET", path="/good")


class OAuthTests(TokenCase):
    """Client credentials."""

    async def test_token(self) -> None:
        """A token is asked for once, whoever wants it at the same time, and shown."""
        issuer = await self.issuer()
        http = self.endpoint(
            client_id="c", client_secret=Secret("s"), token_url=f"{issuer}/token", scope="a b"
        )
        await gatherResults([Deferred.fromCoroutine(http.request(GOOD)) for _ in range(5)])
        (token,) = set(self.shown())
        claims = jwt.decode(token, options={"verify_signature": False})
        port = issuer.rpartition(":")[2]
        self.assertEqual(f"http://localhost:{port}", claims["iss"])
        self.assertEqual(["a", "b"], claims["scope"].split())

    async def test_not_shared(self) -> None:
        """Two base entities have each a token of its own."""
        url = f"{await self.issuer()}/token"
        for scope in ("one", "two"):
            http = self.endpoint(
                client_id="c", client_secret=Secret("s"), token_url=url, scope=scope
            )
            await http.request(GOOD)
            (token,) = self.shown()
            claims = jwt.decode(token, options={"verify_signature": False})
            self.assertEqual(scope, claims["scope"])

    async def test_refused_once(self) -> None:
        """A token that the endpoint refuses is replaced, and even a POST made again."""
        url = f"{await self.issuer()}/token"
        http = self.endpoint(client_id="c", client_secret=Secret("s"), token_url=url)
        await http.request(GOOD)
        await deferLater(reactor, 1.1)  # this server's tokens of one second are the same
        answer = await http.request(Request(method="POST", path="/wrong-then-good"))
        self.assertEqual((200, 3), (answer.status, len(self.server.requests)))
        self.assertEqual(2, len(set(self.shown())))
        answer = await http.request(Request(method="POST", path="/wrong"))
        self.assertEqual((401, 5), (answer.status, len(self.server.requests)))

    async def test_assertion(self) -> None:
        """A certificate's key stands for the secret."""
        url = f"{await self.issuer()}/token"
        http = self.endpoint(
            type="oauthJwtBearer",
            client_id="c",
            token_url=url,
            key="key.pem",
            certificate="cert.pem",
        )
        self.assertEqual(200, (await http.request(GOOD)).status)
        self.assertEqual(1, len(self.shown()))

    async def test_issuer_refuses(self) -> None:
        """What the token server refuses is told by its code; the endpoint isn't asked."""
        # the grant of assertions is one that this server doesn't know
        url = f"{await self.issuer()}/token"
        http = self.endpoint(
            type="oauthJwtBearer", issuer="i", subject="s", token_url=url, key="key.pem"
        )
        error = await self.fails(BadGateway, http, "/good")
        self.assertIn("the token endpoint refuses the gateway", error.detail)
        self.assertEqual([], self.server.requests)

    async def test_issuer_fails(self) -> None:
        """A token server that isn't there, hangs, or answers HTML."""
        faulty = FaultyServer()
        port = faulty.listen()
        self.addCleanup(port.stopListening)
        url = f"http://127.0.0.1:{port.getHost().port}"
        for where, kind, options in (
            (f"http://127.0.0.1:{free_port()}", Unavailable, PATIENT),
            (f"{url}/hang", Unavailable, HASTY),
            (f"{url}/html", BadGateway, PATIENT),
            (f"{url}/good", BadGateway, PATIENT),
        ):
            self.options = options
            http = self.endpoint(client_id="c", client_secret=Secret("s"), token_url=where)
            await self.fails(kind, http, "/good")
            self.assertEqual([], self.server.requests)
        await self.until(lambda: len(faulty.connections) <= 2)


class OtherTests(TokenCase):
    """Other kinds of credentials."""

    async def test_login(self) -> None:
        """A user's name and password are exchanged for a token, sent as JSON."""
        issuer = FaultyServer()
        issuer.good = json.dumps({"token": "abc"}).encode()
        port = issuer.listen()
        self.addCleanup(port.stopListening)
        http = self.endpoint(
            type="token",
            username="u",
            password=Secret("hunter2"),
            token_url=f"http://127.0.0.1:{port.getHost().port}/good",
        )
        await http.request(GOOD)
        self.assertEqual(["abc"], self.shown())
        self.assertEqual({"username": "u", "password": "hunter2"}, json.loads(issuer.bodies[0]))

    async def test_pass_through(self) -> None:
        """The caller's own header is sent, and never another's."""
        http = self.endpoint(type="passThrough")
        for token in ("one", "two"):
            mine = Secret(f"Bearer {token}")
            await http.request(Request(method="GET", path="/good", credentials=mine))
        await self.fails(Unauthorized, http, "/good")
        self.assertEqual(["one", "two"], self.shown())

    def test_key(self) -> None:
        """A key that can't be read is a fault of the configuration."""
        for key in ("nowhere.pem", "setup.py"):
            options = AuthOptions(client_id="c", key=key, token_url="https://x")
            auth = Auth(type="oauthJwtBearer", options=options)
            settings = Connection(base_urls=("https://x",), auth=auth)
            with self.assertRaises(Misconfigured) as raised:
                credential(settings, services(Path(__file__).parent.parent.parent))
            self.assertEqual(".auth.options.key", raised.exception.faults[0][0])
