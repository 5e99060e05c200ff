"""Settings of HTTP endpoints, as files say them."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from scimgw.clients.http import Connection, HttpEntity
from scimgw.config.structure import Misfits, structure

URLS = ["https://scim.example/v2"]


@frozen(kw_only=True)
class Entity(HttpEntity):
    """Settings of a connector's own."""

    more: bool = False


class SettingsTests(SynchronousTestCase):
    """Both spellings, and what is wrong."""

    def entity(self, **said: Any) -> Connection:
        """Read the settings of a base entity."""
        return structure(said, Entity, "$").reached

    def faults(self, **said: Any) -> list[str]:
        """Tell what is wrong with the settings of a base entity."""
        try:
            found = self.entity(**said)
        except Misfits as misfits:
            return [f"{each.path}: {each.fault}" for each in misfits.found]
        raise self.failureException(f"{found} is no fault")

    def test_older_keys(self) -> None:
        """The keys of older files mean the same as `connection`."""
        proxy = {"host": "http://proxy:3128", "username": None, "password": None}
        older = self.entity(baseUrls=URLS, username="u", password="p", proxy=proxy)
        options = {"username": "u", "password": "p"}
        auth = {"type": "basic", "options": options}
        newer = self.entity(connection={"baseUrls": URLS, "auth": auth, "proxy": proxy})
        self.assertEqual(newer, older)
        self.assertEqual("none", self.entity(baseUrls=URLS).auth.type)

    def test_both(self) -> None:
        """One endpoint is said once, and must be said."""
        self.assertIn("too", self.faults(connection={"baseUrls": URLS}, baseUrls=URLS)[0])
        self.assertEqual(["$.connection: required"], self.faults())
        self.assertIn("belong together", self.faults(baseUrls=URLS, username="u")[0])
        self.assertEqual(
            ["$.connection.baseUrls: must hold at least one entry"],
            self.faults(connection={"baseUrls": []}),
        )

    def test_urls(self) -> None:
        """An address holds nothing but an address."""
        for url in (
            "scim.example",
            "ftp://scim.example",
            "http://",
            "http://u:p@scim.example",
            "http://scim.example/?a=b",
            "http://scim.example/#a",
            "http://scim.example/\r\nX: y",
            "http://scim.example:port",
            "http://[::1",
        ):
            (fault,) = self.faults(baseUrls=[url])
            self.assertTrue(fault.startswith("$.baseUrls[0]: "), fault)

    def test_proxy(self) -> None:
        """A proxy is spoken to in clear, and so isn't called one over TLS."""
        (fault,) = self.faults(baseUrls=URLS, proxy={"host": "https://proxy.example"})
        self.assertIn("$.proxy.host: must be a URL that begins with http://", fault)

    def test_credentials(self) -> None:
        """Each kind of credentials has what it needs, and nothing that would be ignored."""
        rows: list[tuple[str, dict[str, Any], list[str]]] = [
            ("basic", {"username": "u"}, ["password: basic needs it"]),
            ("none", {"token": "t"}, ["token: means nothing for none"]),
            ("oauth", {"clientId": "c"}, ["tokenUrl: either it or azureTenantId is needed"]),
            (
                "oauthJwtBearer",
                {"tokenUrl": "https://x", "key": "k"},
                ["clientId: either it or issuer is needed"],
            ),
            ("oauth", {"clientId": "c", "tokenUrl": "x"}, ["tokenUrl: must be a URL"]),
        ]
        for type, options, expected in rows:
            auth = {"type": type, "options": options}
            found = self.faults(connection={"baseUrls": URLS, "auth": auth})
            self.assertEqual(len(expected), len(found))
            for wanted, fault in zip(expected, found, strict=True):
                self.assertIn(f"$.connection.auth.options.{wanted}", fault)
        (fault,) = self.faults(connection={"baseUrls": URLS, "auth": {"type": "magic"}})
        self.assertIn("$.connection.auth.type: must be 'none' or", fault)

    def test_options(self) -> None:
        """Bounds, headers and TLS are checked."""
        for options, expected in (
            ({"readTimeout": 0}, "readTimeout: must be more than 0"),
            ({"readTimeout": "1"}, "readTimeout: must be a number"),
            ({"maxConnections": 0}, "maxConnections: must be from 1"),
            ({"headers": {"a b": "c"}}, "headers: 'a b' can't be"),
            ({"headers": {"a": "b\r\nc: d"}}, "headers.a: must be printable"),
            ({"tls": {"cert": "c"}}, "tls.key: key and cert belong together"),
        ):
            (fault,) = self.faults(connection={"baseUrls": URLS, "options": options})
            self.assertIn(f"$.connection.options.{expected}", fault)
        said = {"baseUrls": URLS, "options": {"readTimeout": 2}}
        self.assertEqual(2.0, self.entity(connection=said).options.read_timeout)

    def test_secrets(self) -> None:
        """Nothing shows a password."""
        found = self.entity(baseUrls=URLS, username="u", password="hunter2")
        self.assertNotIn("hunter2", repr(found))
