"""The ways in by signed tokens, as a file says them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.identities import BearerJwtAzure
from scimgw.config.load import Faults, load
from scimgw.service import PluginService, build
from scimgw.testing.client import Client
from scimgw.tokens import discovery, entra
from tests.auth.test_issuers import issuer
from tests.auth.tokens import OCT, OTHER_RSA, RSA, SECRET, WEAK_RSA, pem, token

ETC = Path(__file__).parent.parent / "etc"
NOW = 1_800_000_000
SECRETS = {"secret": SECRET, "options": {"issuer": "hmac", "audience": "scim", "subject": "me"}}
KEYS = {"publicKey": "key.pem", "options": {"issuer": "rsa"}}
CLIENT = {"clientId": "okta", "clientSecret": "secret", "baseEntities": ["clientA"]}


class TokensCase(SynchronousTestCase):
    """Builds plugins of files."""

    def setUp(self) -> None:
        """Begin without a plugin."""
        self.reactor = MemoryReactorClock()
        self.reactor.advance(NOW)
        self.folder = Path(self.mktemp())
        shutil.copytree(ETC, self.folder)
        (self.folder / "certs").mkdir()
        (self.folder / "certs/key.pem").write_bytes(pem(RSA))
        (self.folder / "certs/weak.pem").write_bytes(pem(WEAK_RSA))

    def built(self, secret: bytes | None = None, **auth: Any) -> PluginService:
        """Build the document store."""
        document = json.loads((ETC / "plugin-loki.json").read_text())
        document["scimgateway"]["auth"] = auth
        (self.folder / "plugin-loki.json").write_text(json.dumps(document))
        (plugin,) = list(build(load(self.folder), self.reactor, secret))
        assert isinstance(plugin, PluginService)
        return plugin

    def faults(self, **auth: Any) -> list[str]:
        """Tell what is wrong."""
        faults = self.assertRaises(Faults, self.built, **auth).found
        return [str(each).removeprefix("plugin-loki.json: $.scimgateway.auth.") for each in faults]

    def status(self, plugin: PluginService, text: str, path: str = "/Users") -> int:
        """Use a token."""
        return Client(plugin.site, headers={"Authorization": f"Bearer {text}"}).get(path).status


class JwtTests(TokensCase):
    """`bearerJwt`."""

    def test_secret(self) -> None:
        """A token that is signed with the secret lets in, if it says what is asked for."""
        plugin = self.built(bearerJwt=[SECRETS])
        good = {"iss": "hmac", "aud": "scim", "sub": "me", "exp": NOW + 60}
        self.assertEqual(200, self.status(plugin, token(OCT, good, "HS512")))
        for wrong in (
            {"iss": "x"},
            {"aud": "x"},
            {"sub": "x"},
            {"exp": NOW - 60},
            {"nbf": NOW + 61},
        ):
            self.assertEqual(401, self.status(plugin, token(OCT, {**good, **wrong}, "HS256")))

    def test_options(self) -> None:
        """Algorithms, ages and clocks are as the file says."""
        options = {"issuer": "i", "algorithms": ["HS384"], "maxAge": "1h", "clockTolerance": 0}
        plugin = self.built(bearerJwt=[{"secret": SECRET, "options": options}])
        for claims, algorithm, status in (
            ({"iat": NOW - 3599}, "HS384", 200),
            ({"iat": NOW - 3600}, "HS384", 401),
            ({"iat": NOW - 3599}, "HS256", 401),
            ({"iat": NOW, "exp": NOW}, "HS384", 401),
            ({"exp": NOW + 60}, "HS384", 401),
            ({"iat": NOW + 1}, "HS384", 401),
        ):
            text = token(OCT, {"iss": "i", **claims}, algorithm)
            self.assertEqual(status, self.status(plugin, text), claims)

    def test_public_key(self) -> None:
        """A token that is signed with the key of a file's public key lets in, in its limits."""
        plugin = self.built(bearerJwt=[{**KEYS, "readOnly": True, "baseEntities": ["clientA"]}])
        good = token(RSA, {"iss": "rsa", "exp": NOW + 60})
        self.assertEqual(200, self.status(plugin, good, "/clientA/Users"))
        self.assertEqual(404, self.status(plugin, good))
        client = Client(plugin.site, headers={"Authorization": f"Bearer {good}"})
        self.assertEqual(403, client.post("/clientA/Users", {"userName": "x"}).status)
        self.assertEqual(
            401, self.status(plugin, token(OTHER_RSA, {"iss": "rsa", "exp": NOW + 60}))
        )

    def test_names(self) -> None:
        """Who it is, is called by its place and subject, or as the file says; /Me goes by it."""
        plugin = self.built(
            bearerJwt=[{**KEYS, "options": {"issuer": "one"}}, {**KEYS, "name": "hr"}]
        )
        logged: list[str] = []
        self.patch(plugin.site, "log", lambda request: logged.append(request.principal))
        for claims in ({"iss": "one", "sub": "a b"}, {"iss": "one"}, {"iss": "rsa", "sub": "a"}):
            self.status(plugin, token(RSA, {**claims, "exp": NOW + 60}))
        self.assertEqual(["bearerJwt[0]:a%20b", "bearerJwt[0]", "hr"], logged)

    def test_faults(self) -> None:
        """What can't be used is told at its place, before anything starts."""
        options = {"issuer": "i"}
        short = {"secret": "x" * 31, "options": options}
        for entry, fault in (
            (short, "secret: must have at least 32 bytes"),
            ({**short, "secret": pem(RSA).decode()}, "secret: is a key in PEM, not a secret"),
            ({"publicKey": "weak.pem", "options": options}, "publicKey: is an RSA key of less"),
            ({"publicKey": "none.pem", "options": options}, "can't be read: No such file"),
            (
                {"publicKey": "key.pem", "options": {**options, "algorithms": ["ES256", "RS256"]}},
                "options.algorithms: the key isn't for ES256",
            ),
            (
                {"secret": "x" * 32, "options": {**options, "algorithms": ["HS512"]}},
                "options.algorithms: the key isn't for HS512",
            ),
        ):
            (found,) = self.faults(bearerJwt=[SECRETS, entry])
            self.assertIn("bearerJwt[1].", found)
            self.assertIn(fault, found)

    def test_no_such_entity(self) -> None:
        """Nobody is limited to a base entity that there isn't."""
        tenant = {"tenantIdGUID": "0c5f7d4e-8a5f-4a0e-9d0c-0d3c1b0a9f11"}
        limited: dict[str, Any] = {"baseEntities": ["clientX"]}
        found = self.faults(
            bearerJwt=[{**KEYS, **limited}],
            bearerJwtAzure=[{**tenant, **limited}],
            bearerOAuth=[{**CLIENT, **limited}],
        )
        places = ["bearerJwt[0]", "bearerJwtAzure[0]", "bearerOAuth[0]"]
        fault = "baseEntities: there is no base entity 'clientX'"
        self.assertEqual([f"{each}.{fault}" for each in places], found)

    def test_tenant(self) -> None:
        """A tenant of Entra ID may stand among the issuers, as newer files have it."""
        tenant = "0c5f7d4e-8a5f-4a0e-9d0c-0d3c1b0a9f11"
        entry = {"azureTenantId": tenant, "options": {"audience": "app"}}
        plugin = self.built(bearerJwt=[entry])
        text = token(RSA, {"iss": f"https://sts.windows.net/{tenant.replace('0', '1')}/"})
        self.assertEqual(401, self.status(plugin, text))

    def test_stop(self) -> None:
        """A plugin stops that never asked its issuers."""
        tenant = {"tenantIdGUID": "0c5f7d4e-8a5f-4a0e-9d0c-0d3c1b0a9f11"}
        plugin = self.built(bearerJwtAzure=[tenant])
        plugin.privilegedStartService()
        plugin.startService()
        self.successResultOf(plugin.stopService())


class EntraTests(SynchronousTestCase):
    """`bearerJwtAzure`."""

    def test_clouds(self) -> None:
        """A tenant's issuers and keys are where its cloud has them."""
        tenant = "0c5f7d4e-8a5f-4a0e-9d0c-0d3c1b0a9f11"
        entry = BearerJwtAzure(tenant_id_g_u_i_d=tenant.upper())
        keys = issuer("x", None).keys  # type: ignore[arg-type]  # none are asked for
        for authority, sts in (
            ("https://login.microsoftonline.com", "https://sts.windows.net"),
            ("https://login.microsoftonline.us/", "https://sts.windows.net"),
            ("https://login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn"),
        ):
            cloud = evolve(entry, authority=authority)
            base = authority.rstrip("/")
            expected = {f"{sts}/{tenant}/", f"{base}/{tenant}/v2.0"}
            found = entra(cloud, keys, lambda _: None)  # type: ignore[arg-type,return-value]
            self.assertEqual(expected, found.rules.issuers)
            self.assertEqual(
                f"{base}/{tenant}/v2.0/.well-known/openid-configuration", discovery(cloud)
            )


class OAuthTests(TokensCase):
    """`bearerOAuth`."""

    def token(self, plugin: PluginService) -> str:
        """Ask for a token."""
        client = Client(plugin.site, headers={"Authorization": "Basic b2t0YTpzZWNyZXQ="})
        body = json.dumps({"grant_type": "client_credentials"}).encode()
        headers = {"Content-Type": "application/json"}
        answer = client.request("POST", "/oauth/token", body, headers)
        self.assertEqual(200, answer.status, answer.body)
        found: str = answer.json()["access_token"]
        return found

    def test_replicas(self) -> None:
        """Whoever has the same secret takes the token, within what the file says."""
        text = self.token(self.built(b"s" * 32, bearerOAuth=[CLIENT]))
        replica = self.built(b"s" * 32, bearerOAuth=[CLIENT])
        self.assertEqual(200, self.status(replica, text, "/clientA/Users"))
        self.assertEqual(404, self.status(replica, text))
        for other in (
            self.built(b"t" * 32, bearerOAuth=[CLIENT]),
            self.built(b"s" * 32, bearerOAuth=[{**CLIENT, "clientSecret": "other"}]),
            self.built(b"s" * 32, bearerOAuth=[{**CLIENT, "clientId": "other"}]),
            self.built(None, bearerOAuth=[CLIENT]),
        ):
            self.assertEqual(401, self.status(other, text, "/clientA/Users"))
