"""Signed tokens of a real issuer, whose keys are fetched, and of an issuer that fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import trustme
from attrs import evolve
from joserfc.jwk import RSAKey
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.ssl import CertificateOptions, PrivateCertificate

from scimgw.auth.chain import Chain
from scimgw.auth.published import APART, FRESH, STALE
from scimgw.clients.http import Options, Request, Tls
from scimgw.clients.issuer import IssuerClient
from scimgw.config.load import load
from scimgw.errors import BadGateway, InvalidToken, ScimError, Unavailable
from scimgw.tokens import PROVISIONING, Signed, signed
from tests.auth.tokens import OTHER_RSA, RSA, public, token
from tests.fakes.issuer import IssuerSite
from tests.live.faulty import FaultyServer
from tests.live.http_case import HASTY, PATIENT, HttpCase, reactor, services
from tests.live.ports import free_port
from tests.live.processes import NODE, OAUTH, TINYPROXY, Program, needed, run

TENANT = "0c5f7d4e-8a5f-4a0e-9d0c-0d3c1b0a9f11"
OPTIONS = {"audience": "scim"}


class Ahead:
    """The reactor's clock, which can be put forward."""

    ahead = 0.0

    def seconds(self) -> float:
        """Tell the time."""
        return float(reactor.seconds()) + self.ahead

    def callLater(
        self, delay: float, call: Callable[..., object], *a: Any, **k: Any
    ) -> IDelayedCall:
        """Call when it has passed, however the clock is put."""
        later: IDelayedCall = reactor.callLater(delay, call, *a, **k)
        return later


class IssuerCase(HttpCase):
    """Lets in by what a file says."""

    def setUp(self) -> None:
        """Begin now."""
        self.clock = Ahead()

    def trust(self, **auth: Any) -> Signed:
        """Trust whom a file names."""
        folder = Path(self.mktemp())
        folder.mkdir()
        gateway = {"port": 1, "connector": "loki", "auth": auth}
        plugin = json.dumps({"scimgateway": gateway, "endpoint": {}})
        (folder / "plugin-test.json").write_text(plugin)
        (folder / "scimgw.json").write_text(json.dumps({"plugins": ["plugin-test"]}))
        (config,) = load(folder).plugins
        clock: Any = self.clock
        found = signed(config, evolve(services(folder), clock=clock), b"k" * 32)
        self.chain = Chain(found.ways)
        self.addCleanup(lambda: Deferred.fromCoroutine(found.close()))
        return found

    async def named(self, text: str) -> str:
        """Present a token that lets in, and tell whose it is."""
        return (await self.chain.authenticate(f"Bearer {text}")).name

    async def refused(self, kind: type[ScimError], text: str) -> None:
        """Present one that doesn't."""
        try:
            found = await self.chain.authenticate(f"Bearer {text}")
        except ScimError as error:
            self.assertTrue(isinstance(error, kind), repr(error))
        else:
            self.fail(f"{found} got in")


class RealTests(IssuerCase):
    """oauth2-mock-server."""

    async def issuer(self, port: int, kid: str) -> Program:
        """Start the server with a key of a name."""
        node = needed(NODE, "nodejs")
        script = needed(OAUTH, "oauth2-mock-server (npm)") + "/dist/oauth2-mock-server.mjs"
        file = Path(self.mktemp())
        key = RSAKey.generate_key(2048, {"kid": kid, "alg": "RS256", "use": "sig"})
        file.write_text(json.dumps(key.as_dict(private=True)))
        command = [node, script, "-a", "127.0.0.1", "-p", str(port), "--jwk", str(file)]
        return await run(self, port, command)

    async def token(self, port: int, audience: str = "scim") -> str:
        """Ask the server for a token."""
        http = self.client(f"http://127.0.0.1:{port}", options=PATIENT)
        form = {"grant_type": "client_credentials", "scope": "x", "aud": audience}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        answer = await http.request(
            Request(method="POST", path="/token", body=body, headers=headers)
        )
        found: str = answer.json()["access_token"]
        return found

    async def test_discovery(self) -> None:
        """A token of the issuer that a discovery document names lets in, and no other's."""
        port, other = free_port(), free_port()
        await self.issuer(port, "one")
        await self.issuer(other, "one")
        url = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
        self.trust(bearerJwt=[{"wellKnownUri": url, "options": OPTIONS}])
        self.assertEqual("bearerJwt[0]", await self.named(await self.token(port)))
        await self.refused(InvalidToken, await self.token(port, "another"))
        await self.refused(InvalidToken, await self.token(other))
        good = await self.token(port)
        self.clock.ahead = 3600 + 61
        await self.refused(InvalidToken, good)

    async def test_key_set(self) -> None:
        """The address may be that of the keys, if the file names the issuer."""
        port = free_port()
        await self.issuer(port, "one")
        url = f"http://127.0.0.1:{port}/jwks"
        options = {**OPTIONS, "issuer": f"http://localhost:{port}"}
        self.trust(bearerJwt=[{"wellKnownUri": url, "options": options, "name": "mock"}])
        self.assertEqual("mock", await self.named(await self.token(port)))

    async def test_stand_in(self) -> None:
        """What stands for an issuer elsewhere publishes what this one does."""
        port = free_port()
        await self.issuer(port, "one")
        client = IssuerClient(f"http://127.0.0.1:{port}/jwks", services(), PATIENT)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        real = await client.ask()
        site = IssuerSite()
        fake = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(fake.stopListening)
        site.publish("/jwks", {"keys": [public(RSA, kid="one", alg="RS256", use="sig")]})
        base = f"http://127.0.0.1:{fake.getHost().port}"
        other = IssuerClient(f"{base}/jwks", services(), PATIENT)
        self.addCleanup(lambda: Deferred.fromCoroutine(other.close()))
        found = await other.ask()
        ((one,), (two,)) = (each.document["keys"] for each in (real, found))
        self.assertEqual(one.keys(), two.keys())
        http = self.client(base, options=PATIENT)
        for request in (Request(method="GET", path="/"), Request(method="POST", path="/jwks")):
            self.assertIn((await http.request(request)).status, {404, 405})

    async def test_rotation(self) -> None:
        """A key that is new is fetched; while the issuer is down those that are known are good."""
        port = free_port()
        first = await self.issuer(port, "one")
        url = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
        self.trust(bearerJwt=[{"wellKnownUri": url, "options": OPTIONS, "name": "mock"}])
        old = await self.token(port)
        await self.named(old)
        await first.stop()
        self.clock.ahead = FRESH
        await self.named(old)
        newer = token(RSA, {"iss": f"http://localhost:{port}"}, kid="two")
        await self.refused(Unavailable, newer)
        second = await self.issuer(port, "two")
        new = await self.token(port)
        self.clock.ahead += APART
        self.assertEqual("mock", await self.named(new))
        self.clock.ahead += FRESH  # longer than a token that was verified is remembered
        await self.refused(InvalidToken, old)
        await second.stop()
        self.assertEqual("mock", await self.named(new))
        self.clock.ahead += STALE
        await self.refused(Unavailable, newer)


class EntraTests(IssuerCase):
    """A tenant of Entra ID, at another address."""

    async def test_tenant(self) -> None:
        """Tokens of both versions let in, whose keys the tenant tells."""
        site = IssuerSite()
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        authority = f"http://127.0.0.1:{port.getHost().port}"
        issuer = f"{authority}/{TENANT}/v2.0"
        keys = f"/{TENANT}/discovery/v2.0/keys?appid=x"
        known = {"issuer": issuer, "jwks_uri": authority + keys}
        site.publish(f"/{TENANT}/v2.0/.well-known/openid-configuration", known)
        site.publish(keys, {"keys": [public(RSA, kid="k", use="sig"), {"kty": "new"}]})
        entry = {"tenantIdGUID": TENANT.upper(), "authority": authority}
        self.trust(bearerJwtAzure=[entry])
        claims = {
            "aud": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
            "tid": TENANT,
            "exp": int(self.clock.seconds()) + 600,
        }
        v1 = {**claims, "iss": f"https://sts.windows.net/{TENANT}/", "appid": PROVISIONING}
        v2 = {**claims, "iss": issuer, "azp": PROVISIONING}
        self.assertEqual([], site.asked)
        for good in (v1, v2):
            self.assertEqual("bearerJwtAzure[0]", await self.named(token(RSA, good, kid="k")))
        for wrong in ({**v1, "appid": "x"}, {**v2, "azp": None}, {**v1, "tid": "x"}, claims):
            await self.refused(InvalidToken, token(RSA, wrong, kid="k"))
        await self.refused(InvalidToken, token(OTHER_RSA, v1, kid="k"))
        for each in range(20):
            await self.refused(InvalidToken, token(OTHER_RSA, v1, kid=f"../{each}"))
        self.assertEqual(2, len(site.asked))


class _Verified(IssuerClient):
    """An issuer whose certificate is right."""

    async def _fetch(self, _url: str) -> dict[str, Any]:
        return {"issuer": "i", "jwks_uri": "http://127.0.0.1:1/keys"}


class FailingTests(IssuerCase):
    """An issuer that fails in every way."""

    async def fails_to_tell(self, url: str, options: Options = PATIENT) -> str:
        """Check that no keys are told, and tell why."""
        client = IssuerClient(url, services(), evolve(options, max_response=4096))
        try:
            await client.ask()
        except (Unavailable, BadGateway) as error:
            return error.detail
        finally:
            await client.close()
        raise self.failureException(f"{url} told keys")

    async def test_documents(self) -> None:
        """What is neither keys nor says where they are is refused."""
        site = IssuerSite()
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        url = f"http://127.0.0.1:{port.getHost().port}"
        documents: list[Any] = [
            [],
            5,
            {},
            {"issuer": "i"},
            {"issuer": 5, "jwks_uri": f"{url}/keys"},
            {"issuer": "i", "jwks_uri": ["x"]},
            {"issuer": "i", "jwks_uri": "http://evil.example/keys"},
            {"issuer": "i", "jwks_uri": "file:///etc/passwd"},
            {"issuer": "i", "jwks_uri": f"{url}/missing"},
        ]
        for document in documents:
            site.publish("/", document)
            await self.fails_to_tell(f"{url}/")
        site.published["/"] = b'{"keys":[],"keys":[]}'
        self.assertIn("JSON", await self.fails_to_tell(f"{url}/"))
        site.publish("/", {"keys": "x" * 10_000})
        self.assertIn("larger", await self.fails_to_tell(f"{url}/"))
        self.assertNotIn("/keys", site.asked)

    async def test_downgraded(self) -> None:
        """An issuer that is verified can't send for its keys to one that isn't."""
        client = _Verified("https://issuer.example/", services())
        with self.assertRaises(BadGateway) as raised:
            await client.ask()
        self.assertIn("https", raised.exception.detail)

    async def test_unverified(self) -> None:
        """An issuer that doesn't prove who it is isn't asked, whatever it would tell."""
        folder, authority = Path(self.mktemp()), trustme.CA()
        folder.mkdir()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        issued = authority.issue_cert("localhost")
        pem = issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes()
        own = PrivateCertificate.loadPEM(pem)
        site = IssuerSite()
        context = CertificateOptions(own.privateKey.original, own.original)
        port = reactor.listenSSL(0, site, context, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        site.publish("/keys", {"keys": []})
        url = f"https://localhost:{port.getHost().port}/keys"
        self.assertIn("reached", await self.fails_to_tell(url))
        self.assertEqual([], site.asked)
        trusting = evolve(PATIENT, tls=Tls(ca="ca.pem"))
        client = IssuerClient(url, services(folder), trusting)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        self.assertEqual({"keys": []}, (await client.ask()).document)

    async def test_proxy(self) -> None:
        """Keys are fetched through a proxy, and only if it lets the gateway through."""
        program, listening = needed(TINYPROXY, "tinyproxy-bin"), free_port()
        config = Path(self.mktemp()).absolute()
        config.write_text(f"Port {listening}\nListen 127.0.0.1\nBasicAuth user pass\n")
        await run(self, listening, [program, "-d", "-c", str(config)])
        site = IssuerSite()
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        site.publish("/", {"keys": [public(RSA, kid="k")]})
        url = f"http://127.0.0.1:{port.getHost().port}/"
        claims = {"iss": "i", "aud": "scim", "exp": int(self.clock.seconds()) + 3600}
        options = {**OPTIONS, "issuer": "i"}
        for password, asked in (("wrong", 0), ("pass", 1)):
            host = f"http://127.0.0.1:{listening}"
            proxy = {"host": host, "username": "user", "password": password, "noProxy": []}
            entry = {"wellKnownUri": url, "options": options, "proxy": proxy}
            self.trust(bearerJwt=[entry])
            if not asked:
                await self.refused(Unavailable, token(RSA, claims, kid="k"))
            else:
                self.assertEqual("bearerJwt[0]", await self.named(token(RSA, claims, kid="k")))
            self.assertEqual(asked, len(site.asked))

    async def test_server(self) -> None:
        """Whatever an issuer does, whoever waits is told before long."""
        faulty = FaultyServer()
        port = faulty.listen()
        self.addCleanup(port.stopListening)
        url = f"http://127.0.0.1:{port.getHost().port}"
        for path in ("/hang", "/html", "/wrong"):
            await self.fails_to_tell(url + path, HASTY)
        await self.fails_to_tell(f"http://127.0.0.1:{free_port()}/", HASTY)

    async def test_no_keys(self) -> None:
        """Keys that aren't any are none, and there may be some soon."""
        site = IssuerSite()
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        url = f"http://127.0.0.1:{port.getHost().port}/"
        self.trust(bearerJwt=[{"wellKnownUri": url, "options": {**OPTIONS, "issuer": "i"}}])
        claims = {"iss": "i", "aud": "scim", "exp": int(self.clock.seconds()) + 3600}
        text = token(RSA, claims, kid="k")
        site.publish("/", {"keys": {}})
        await self.refused(Unavailable, text)
        self.clock.ahead = APART
        site.publish("/", {"keys": []})
        await self.refused(InvalidToken, text)
        self.clock.ahead += APART
        site.publish("/", {"keys": [public(RSA, kid="k")]})
        self.assertEqual("bearerJwt[0]", await self.named(text))

    async def test_stop(self) -> None:
        """Whoever waits when the gateway stops is told so, and nothing is left behind."""
        faulty = FaultyServer()
        port = faulty.listen()
        self.addCleanup(port.stopListening)
        url = f"http://127.0.0.1:{port.getHost().port}/hang"
        options = {**OPTIONS, "issuer": "i"}
        found = self.trust(bearerJwt=[{"wellKnownUri": url, "options": options}])
        text = token(RSA, {"iss": "i", "aud": "scim"}, kid="k")
        asking = Deferred.fromCoroutine(self.refused(Unavailable, text))
        await self.until(lambda: bool(faulty.requests))
        await found.close()
        await asking
