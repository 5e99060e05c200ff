"""What can be said of issuers of signed tokens, and of clients."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from scimgw.config.identities import Auth, BearerJwt, BearerOAuth
from scimgw.config.load import modern
from scimgw.config.structure import Misfits, structure

SECRET = "s" * 32
TENANT = "0c5f7d4e-8a5f-4a0e-9d0c-0D3C1B0A9F11"
WELL_KNOWN = "https://issuer.example/.well-known/openid-configuration"


class IdentitiesCase(SynchronousTestCase):
    """Reads `auth` of a file."""

    def auth(self, **section: Any) -> Auth:
        """Read what fits."""
        document = modern({"scimgateway": {"auth": section}})
        return structure(document["scimgateway"]["auth"], Auth, "$")

    def jwt(self, options: Any = None, **entry: Any) -> BearerJwt:
        """Read an issuer that fits."""
        (found,) = self.auth(bearerJwt=[{**entry, "options": options or {}}]).bearer_jwt
        return found

    def faults(self, **section: Any) -> list[str]:
        """Tell what doesn't."""
        found = self.assertRaises(Misfits, self.auth, **section).found
        return [f"{each.path}: {each.fault}" for each in found]

    def fault(self, options: Any = None, **entry: Any) -> str:
        """Tell the one thing that is wrong with an issuer."""
        (found,) = self.faults(bearerJwt=[{**entry, "options": options or {}}])
        return found.removeprefix("$.bearerJwt[0]")


class JwtTests(IdentitiesCase):
    """`bearerJwt`."""

    def test_ways(self) -> None:
        """There is exactly one way to the key."""
        issuer = {"issuer": "i"}
        self.jwt(issuer, secret=SECRET)
        self.jwt(issuer, publicKey="key.pem")
        self.jwt({"audience": "a"}, wellKnownUri=WELL_KNOWN)
        self.jwt(azureTenantId=TENANT)
        for entry in ({"readOnly": True}, {"secret": SECRET, "publicKey": "key.pem"}):
            self.assertIn("exactly one of secret, publicKey", self.fault(issuer, **entry))

    def test_lists(self) -> None:
        """One name needn't be a list."""
        options = self.jwt({"issuer": "i", "audience": ["a", "b"]}, secret=SECRET).options
        self.assertEqual(
            (("i",), ("a", "b"), ()), (options.issuer, options.audience, options.subject)
        )
        others: list[Any] = [5, [5], [""], {}, [["i"]]]
        for wrong in others:
            self.assertIn("a string or a list", self.fault({"issuer": wrong}, secret=SECRET))

    def test_issuer(self) -> None:
        """The issuer is named, unless what it publishes tells its name."""
        self.assertEqual(".options.issuer: required", self.fault(secret=SECRET))
        self.assertEqual(".options.issuer: required", self.fault(publicKey="key.pem"))
        audience = {"audience": "a"}
        for told in (WELL_KNOWN, "https://x/.well-known/oauth-authorization-server/tenant"):
            self.jwt(audience, wellKnownUri=told)
        for untold in ("https://x/.well-known/jwks.json", "https://x/keys"):
            self.assertEqual(".options.issuer: required", self.fault(audience, wellKnownUri=untold))
        self.jwt({"audience": "app"}, azureTenantId=TENANT)
        for key, value in (("issuer", "i"), ("maxAge", 60), ("algorithms", ["PS256"])):
            self.assertIn("mean nothing", self.fault({key: value}, azureTenantId=TENANT))

    def test_audience(self) -> None:
        """Of an issuer for many only tokens for this gateway are taken."""
        self.assertIn(".options.audience: wellKnownUri", self.fault(wellKnownUri=WELL_KNOWN))

    def test_algorithms(self) -> None:
        """An algorithm is known, and is for the kind of key; none is no algorithm."""
        self.jwt({"issuer": "i", "algorithms": ["HS256"]}, secret=SECRET)
        self.jwt({"issuer": "i", "algorithms": ["RS256", "EdDSA"]}, publicKey="key.pem")
        for unknown in ("none", "None", "HS1", "", 5):
            options = {"issuer": "i", "algorithms": [unknown]}
            self.assertIn(".options.algorithms[0]: must be", self.fault(options, secret=SECRET))
        mixed = {"issuer": "i", "audience": "a", "algorithms": ["RS256", "HS256"]}
        self.assertIn("must be those of secrets", self.fault(mixed, secret=SECRET))
        self.assertIn("isn't for a public key", self.fault(mixed, publicKey="key.pem"))
        self.assertIn("isn't for a public key", self.fault(mixed, wellKnownUri=WELL_KNOWN))

    def test_refused(self) -> None:
        """What other programs know and would let in too many, or mean nothing, is told why."""
        for key, value, why in (
            ("ignoreExpiration", True, "see maxAge"),
            ("clockTimestamp", 1_700_000_000, "a clock that stands still"),
            ("jwtid", "x", "subject names a client"),
            ("nonce", "x", "logins by browser"),
            ("complete", True, "leave it out"),
            ("allowInvalidAsymmetricKeyTypes", True, "keys of its kind"),
        ):
            fault = self.fault({"issuer": "i", key: value}, secret=SECRET)
            self.assertTrue(fault.startswith(f".options.{key}: "), fault)
            self.assertIn(why, fault)
            for off in (None, False):
                self.jwt({"issuer": "i", key: off}, secret=SECRET)

    def test_ages(self) -> None:
        """An age is a number of seconds, or has a unit."""
        for text, seconds in (
            (90, 90),
            (1.5, 1.5),
            ("90s", 90),
            ("5 min", 300),
            ("2h", 7200),
            ("1.5 hours", 5400),
            ("2 Days", 172_800),
            ("1w", 604_800),
        ):
            options = self.jwt({"issuer": "i", "maxAge": text}, secret=SECRET).options
            self.assertEqual(seconds, options.max_age)
        texts = ["120", "", "h", "2 years", "-1h", "1h2m", "2 lightyears", "1e9h"]
        others: list[Any] = [*texts, True, [], 0]
        for wrong in others:
            fault = self.fault({"issuer": "i", "maxAge": wrong}, secret=SECRET)
            self.assertIn(".options.maxAge: must be", fault)
        self.assertIn(
            "from 0 to 3600", self.fault({"issuer": "i", "clockTolerance": -1}, secret=SECRET)
        )

    def test_addresses(self) -> None:
        """Keys come over TLS, or from this machine."""
        options = {"issuer": "i", "audience": "a"}
        for right in (
            "https://x/keys?p=policy",
            "http://127.0.0.1:8080/keys",
            "http://[::1]/keys",
            "http://localhost/keys",
        ):
            self.jwt(options, wellKnownUri=right)
        for wrong in (
            "http://x/keys",
            "http://127.evil.example/keys",
            "http://localhost.example/keys",
            "http://10.0.0.1/keys",
            "file:///etc/passwd",
            "https://user:password@x/keys",
            "https://x/keys#one",
            "https://x/a b",
            "https://x/a?b c",
            "https://x/a?b#c",
            "https://x/\u00e9",
            "https://",
            "keys",
        ):
            self.assertIn(".wellKnownUri: ", self.fault(options, wellKnownUri=wrong))

    def test_proxy(self) -> None:
        """A proxy is for keys that are fetched."""
        proxy = {"host": "http://proxy.example:3128", "username": "u", "password": "p"}
        found = self.jwt({"audience": "a"}, wellKnownUri=WELL_KNOWN, proxy=proxy).proxy
        assert found is not None
        self.assertEqual("http://proxy.example:3128", found.host)
        self.jwt(azureTenantId=TENANT, proxy=proxy)
        self.auth(bearerJwtAzure=[{"tenantIdGUID": TENANT, "proxy": proxy}])
        self.assertIn(
            ".proxy: means nothing", self.fault({"issuer": "i"}, secret=SECRET, proxy=proxy)
        )

    def test_templates(self) -> None:
        """What older files leave empty is off, and one entry needn't be a list."""
        empty = {"secret": None, "publicKey": None, "options": {"issuer": None}, "readOnly": False}
        basic = [{"username": "a", "password": "b"}]
        auth = self.auth(basic=basic, bearerJwt=[empty], bearerJwtAzure=[{"tenantIdGUID": None}])
        self.assertEqual(((), ()), (auth.bearer_jwt, auth.bearer_jwt_azure))
        nobody = {"username": None, "password": None, "readOnly": False}
        off = self.auth(basic=[nobody], bearerOAuth=None, bearerToken={"token": "t"})
        self.assertEqual(((), ()), (off.basic, off.bearer_o_auth))
        one = self.auth(bearerJwt={"secret": SECRET, "options": {"issuer": "i"}})
        self.assertEqual(1, len(one.bearer_jwt))

    def test_no_secret_is_shown(self) -> None:
        """A fault shows no secret."""
        self.assertNotIn(SECRET, self.fault(secret=SECRET))


class OtherTests(IdentitiesCase):
    """`bearerJwtAzure` and `bearerOAuth`."""

    def test_tenant(self) -> None:
        """A tenant is a GUID, and its authority an address without more."""
        self.auth(bearerJwtAzure=[{"tenantIdGUID": TENANT}])
        for wrong in ("", "contoso.example", TENANT + "0", TENANT.replace("-", ""), f"{TENANT}/x"):
            (fault,) = self.faults(bearerJwtAzure=[{"tenantIdGUID": wrong}])
            self.assertIn("$.bearerJwtAzure[0].tenantIdGUID: must be a GUID", fault)
        for wrong in ("http://login.example", "https://login.example/?x", "login"):
            entry = {"tenantIdGUID": TENANT, "authority": wrong}
            (fault,) = self.faults(bearerJwtAzure=[entry])
            self.assertIn("$.bearerJwtAzure[0].authority: ", fault)

    def test_clients(self) -> None:
        """A client can be in the log and in a header, whichever way it is spelled."""
        older = {"client_id": "c", "client_secret": "s", "expires_in": 60}
        newer = {"clientId": "c", "clientSecret": "s", "expiresIn": 60}
        for entry in (older, newer, {**newer, "clientSecret": "s", "client_id": "c"}):
            (found,) = self.auth(bearerOAuth=[entry]).bearer_o_auth
            self.assertEqual(60, found.expires_in)
        self.assertIsInstance(found, BearerOAuth)
        for key, value in (
            ("clientId", "a b"),
            ("clientId", ""),
            ("clientId", "é"),
            ("clientId", "x" * 256),
            ("clientSecret", "a b"),
            ("clientSecret", ""),
            ("expiresIn", 0),
            ("expiresIn", 10**8),
        ):
            (fault,) = self.faults(bearerOAuth=[{**newer, key: value}])
            self.assertIn(f"$.bearerOAuth[0].{key}: must be", fault)
